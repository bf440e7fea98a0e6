"""Rows with comparisons become examples. What a user would lose: a wrong place that is taken for a vote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError
from training.sources import read_examples
from training.sources.bradley_terry import strengths

ROW: dict[str, Any] = {
    "query": "when is low tide", "documents": ["at noon", "the mill", "bread"],
    "comparisons": [[0, 1], [0, 2, 0.9], [1, 2, 0.5]], "language": "en",
}  # fmt: skip


def read(folder: Path, **changes: Any) -> Any:
    file = folder / "votes.jsonl"
    file.write_text(json.dumps({**ROW, **changes}) + "\n", "utf-8")
    (row,) = read_examples(file).rows
    return row


def test_the_scores_are_the_strengths(tmp_path: Path) -> None:
    row = read(tmp_path)
    expected = strengths(3, [(0, 1, 1.0), (0, 2, 0.9), (1, 2, 0.5)]).tolist()
    assert row.scores == pytest.approx(expected) and row.language == "en"
    assert row.scores[0] > max(row.scores[1:])


def test_the_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "training.md").read_text("utf-8")
    line = page.partition("### Comparisons")[2].partition("```json\n")[2].partition("\n```")[0]
    (tmp_path / "votes.jsonl").write_text(line + "\n", "utf-8")
    assert len(read_examples(tmp_path / "votes.jsonl")) == 1


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"scores": [1, 0, 0]}, "the row has scores and comparisons"),
        ({"comparisons": []}, "not a list with entries"), ({"comparisons": "0>1"}, "not a list with entries"),
        ({"comparisons": [[0, 1], [0]]}, r"comparisons\[1\]: expected \[better, worse\]"),
        ({"comparisons": [[0, True]]}, r"comparisons\[0\]: expected"),
        ({"comparisons": [[0, 3]]}, "0 and 3 are not two of the 3 documents"),
        ({"comparisons": [[1, 1]]}, "1 and 1 are not two of the 3 documents"),
        ({"comparisons": [[0, 1, 1.5]]}, "1.5 is not a probability"),
        ({"comparisons": [[0, 1]]}, "no comparison connects the documents 2 with the others"),
        ({"documents": ["a", "b", "a"]}, "a document occurs twice"),
        ({"documents": None}, "0 and 1 are not two of the 0 documents"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_refused_with_its_place(tmp_path: Path, changes: dict[str, Any], answer: str) -> None:
    with pytest.raises(DataError, match=answer) as refused:
        read(tmp_path, **changes)
    assert "votes.jsonl:1: " in str(refused.value) and "\n" not in str(refused.value)

"""A file that is one JSON array is rewritten by a command, whichever reader finds it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.errors import HarnessError, array_advice
from harness.checks.training_file import training_queries
from harness.data.sources.build import collection_of
from harness.data.sources.recognise import sources
from harness.running.imported.formats import format_of
from tests.tiny_collection import Place
from training.sources import read_examples

ARRAY = [{"query": "q", "positive": ["a"], "negative": ["b"], "pos": ["a"], "neg": ["b"], "_id": "q", "text": "q"}]
COMMAND = r"the file is a JSON array; write one object per line: jq -c '\.\[\]' \S*rows\.json\w* > OUT\.jsonl"


@pytest.mark.parametrize(("start", "place"), [("[1]", "rows.jsonl:2"), ("{}", "rows.jsonl:1"), ("", "rows.jsonl:1")])
def test_a_list_in_a_later_line_is_no_array_of_all_objects(start: str, place: str) -> None:
    assert array_advice(start, place) == "write one object per line"


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    "read",
    [
        lambda file, _: list(training_queries(file)),
        lambda file, place: [collection_of(one, place.workspace) for one in sources(str(file), None, (), None)],
        lambda file, _: read_examples(file),
    ],
)
def test_readers_of_lines_say_how_to_rewrite_an_array(
    read: Callable[[Path, Place], object], indent: int | None, tmp_path: Path, place: Place
) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(ARRAY, indent=indent), "utf-8")
    with pytest.raises(HarnessError, match=COMMAND):
        read(tmp_path / "rows.jsonl", place)


def test_a_file_of_json_is_no_collection_and_a_run_is_no_array(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(ARRAY), "utf-8")
    with pytest.raises(HarnessError, match=COMMAND):
        sources(str(file), None, (), None)
    with pytest.raises(
        HarnessError, match=r"a JSON array is not a run; a run in JSON is \{query: \{document: score\}\}"
    ):
        format_of(file)

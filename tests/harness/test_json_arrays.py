"""A file that is one JSON array is read where rows are, and elsewhere a command is named that rewrites it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.errors import HarnessError, array_advice
from harness.checks.training_file import training_queries
from harness.data.sources.build import collection_of
from harness.data.sources.recognise import sources
from harness.running.imported.formats import format_of
from tests.tiny_collection import Place
from training.sources import read_examples

ARRAY = [{"query": "q", "positive": ["a"], "negative": ["b"]}]
COMMAND = r"the file is a JSON array; write one object per line: jq -c '\.\[\]' \S*rows\.json\w* > OUT\.jsonl"


@pytest.mark.parametrize(("start", "place"), [("[1]", "rows.jsonl:2"), ("{}", "rows.jsonl:1"), ("", "rows.jsonl:1")])
def test_a_list_in_a_later_line_is_no_array_of_all_objects(start: str, place: str) -> None:
    assert array_advice(start, place) == "write one object per line"


@pytest.mark.parametrize("indent", [None, 1])
def test_a_reader_of_lines_says_how_to_rewrite_an_array(indent: int | None, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(ARRAY, indent=indent), "utf-8")
    with pytest.raises(HarnessError, match=COMMAND):
        list(training_queries(tmp_path / "rows.jsonl"))


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_rows_is_a_target_and_training_data(
    indent: int | None, name: str, tmp_path: Path, place: Place
) -> None:
    file = tmp_path / name
    file.write_text(json.dumps(ARRAY, indent=indent), "utf-8")
    (collection,) = [collection_of(one, place.workspace) for one in sources(str(file), None, (), None)]
    assert (len(collection.queries), len(collection.corpus)) == (1, 2)
    assert len(read_examples(file)) == 1


def test_a_run_is_no_array(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(ARRAY), "utf-8")
    with pytest.raises(
        HarnessError, match=r"a JSON array is not a run; a run in JSON is \{query: \{document: score\}\}"
    ):
        format_of(file)

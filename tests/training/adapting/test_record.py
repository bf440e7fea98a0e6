"""The record of an adaptation: what a page shows is what was done, or it is not read at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError
from training.adapting.record import FILE, MACRO, Record, read_record, write_record

EXAMPLE = Path(__file__).parent / "record.example.json"


def changed(folder: Path, change: Any) -> Path:
    content = json.loads(EXAMPLE.read_text("utf-8"))
    change(content)
    file = folder / FILE
    file.write_text(json.dumps(content), "utf-8")
    return file


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    record = read_record(EXAMPLE)
    write_record(record, tmp_path / FILE)
    assert read_record(tmp_path) == record
    assert json.loads((tmp_path / FILE).read_text("utf-8")) == json.loads(EXAMPLE.read_text("utf-8"))


def test_the_example_has_whatever_a_page_shows() -> None:
    record = read_record(EXAMPLE)
    assert {one.kind for one in record.arms} >= {"single", "given", "union", "linear", "slerp", "greedy", "curve"}
    assert len({one.language for one in record.scores if one.tier == "dev"} - {None}) == 3
    assert any(one.refused for one in record.arms)
    assert {one.tier for one in record.scores} == {"dev", "source", "gate", "final"}


def test_the_endpoint_of_several_collections_is_their_macro_average() -> None:
    record = read_record(EXAMPLE)
    (macro,) = [one for one in record.scores if (one.arm, one.tier, one.collection) == ("slerp", "final", MACRO)]
    assert record.value("slerp", "final") == macro.value
    (german,) = [one for one in record.scores if (one.arm, one.tier, one.language) == ("slerp", "final", "de")]
    assert replace(record, scores=(german,)).value("slerp", "final") == german.value
    assert record.value("nobody", "dev") is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: content.pop("looks"), "'looks' is missing"),
        (lambda content: content.update(colour="red"), "'colour' is unknown"),
        (lambda content: content["arms"][0].update(kind="best"), "record.arms[0].kind is 'best'"),
        (lambda content: content["scores"][3].update(value="0.7"), "record.scores[3].value is '0.7', not float"),
        (lambda content: content["scores"][3].update(queries=True), "record.scores[3].queries is True, not int"),
        (lambda content: content.update(arms={}), "record.arms is {}, not list"),
        (lambda content: content.update(version=2), "version 2"),
    ],
)
def test_a_record_that_is_not_one_is_refused_with_its_place(tmp_path: Path, change: Any, told: str) -> None:
    with pytest.raises(DataError) as refusal:
        read_record(changed(tmp_path, change))
    assert told in str(refusal.value) and str(tmp_path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"version": 1}'])
def test_a_torn_record_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, "utf-8")
    with pytest.raises(DataError):
        read_record(tmp_path)


def test_a_record_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read_record(tmp_path)


def test_a_failed_write_leaves_the_record_before(tmp_path: Path) -> None:
    record = read_record(EXAMPLE)
    write_record(record, tmp_path / FILE)
    broken: Record = replace(record, seconds=float("nan"))  # JSON has no such number
    with pytest.raises(ValueError):
        write_record(broken, tmp_path / FILE)
    assert read_record(tmp_path) == record
    assert [file.name for file in tmp_path.iterdir()] == [FILE]

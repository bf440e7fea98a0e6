"""A record is read as it is or not at all: a page is never drawn from half of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError
from reports.training.record import read_record
from tests.reports.training.made import begun, example, made, record


def test_the_record_that_the_loop_writes_is_read_whole(tmp_path: Path) -> None:
    values = example()
    found = record(tmp_path, values)
    for key in ("arms", "scores", "looks", "claims", "timeline", "tasks", "teachers", "corpora"):
        assert len(getattr(found, key)) == len(values[key]) > 0
    assert (found.state, found.accepted, found.base) == (values["state"], values["accepted"], values["base"]["name"])
    assert found.scores[0].value == values["scores"][0]["value"]


def test_a_folder_of_the_loop_is_as_good_as_its_file(tmp_path: Path) -> None:
    assert record(tmp_path, example()) == read_record(tmp_path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'version' is 2; this program reads 1"):
        record(tmp_path, made() | {"version": 2})


@pytest.mark.parametrize("key", [key for key in made() if key not in ("version", "policy")])
def test_a_missing_field_is_named(tmp_path: Path, key: str) -> None:
    values = made()
    del values[key]
    with pytest.raises(DataError, match=f"'{key}' is missing"):
        record(tmp_path, values)


def _set(values: dict[str, Any], place: str, key: str, new: object) -> dict[str, Any]:
    values[place][0][key] = new
    return values


@pytest.mark.parametrize(
    ("place", "key", "new"),
    [
        ("scores", "value", None), ("scores", "value", "0.5"), ("scores", "value", True), ("scores", "tier", "test"),
        ("scores", "queries", -1), ("scores", "queries", 2.5), ("scores", "arm", "nobody"), ("arms", "kind", "other"),
        ("arms", "parts", "base"), ("timeline", "stage", "sleep"), ("timeline", "state", "fine"),
        ("looks", "better", "yes"), ("claims", "holds", None), ("tasks", "pairs", None), ("teachers", "spec", None),
        ("arms", "name", "stage-1"),
    ],
)  # fmt: skip
def test_a_damaged_value_is_refused_with_file_and_place(tmp_path: Path, place: str, key: str, new: object) -> None:
    with pytest.raises(DataError, match=rf"record\.json: '{place}\[\d+\]\.{key}' ") as said:
        record(tmp_path, _set(made(), place, key, new))
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_value_that_is_no_number_is_refused(tmp_path: Path, number: str) -> None:
    file = tmp_path / "record.json"
    values = _set(made(), "scores", "value", 77.5)
    file.write_text(json.dumps(values).replace("77.5", number), "utf-8")
    with pytest.raises(DataError, match=r"record\.json"):
        read_record(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"text"'])
def test_what_is_no_record_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"record\.json: ") as said:
        read_record(file)
    assert "\n" not in str(said.value)


def test_no_record_says_who_writes_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train adapt"):
        read_record(tmp_path)


def test_a_score_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    values = made()
    with pytest.raises(DataError, match="is there twice"):
        record(tmp_path, values | {"scores": [*values["scores"], values["scores"][0]]})


@pytest.mark.parametrize(
    "change", [{"accepted": "nobody"}, {"accepted": None}, {"state": "refused"}, {"state": "running"}]
)
def test_a_record_that_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="'accepted'"):
        record(tmp_path, made() | change)


def test_a_loop_that_has_just_begun_can_be_read(tmp_path: Path) -> None:
    found = record(tmp_path, made() | begun() | {"state": "running", "accepted": None})
    assert found.arms == () and found.state == "running"

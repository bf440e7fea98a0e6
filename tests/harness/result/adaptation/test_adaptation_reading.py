"""A record is read as it is or not at all: a page is never drawn, and a run never goes on, from half of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from harness.result.adaptation.reading import read_record
from harness.result.adaptation.vocabulary import FILE, VERSION
from tests.reports.training.made import begun, example, made, record

Change = Callable[[dict[str, Any]], object]


def refused(folder: Path, content: dict[str, Any]) -> str:
    """The message about a file that is not a record."""
    with pytest.raises(DataError) as said:
        record(folder, content)
    assert "\n" not in str(said.value) and str(said.value).startswith(f"{folder / FILE}: ")
    return str(said.value)


def test_the_record_that_the_loop_writes_is_read_whole(tmp_path: Path) -> None:
    values = example()
    found = record(tmp_path, values)
    for key in ("arms", "scores", "looks", "claims", "timeline", "tasks", "teachers", "corpora"):
        assert len(getattr(found, key)) == len(values[key]) > 0
    assert (found.state, found.accepted, found.base_name) == ("accepted", "slerp", values["base"]["name"])
    assert found.scores[0].value == values["scores"][0]["value"]


def test_a_folder_of_the_loop_is_as_good_as_its_file(tmp_path: Path) -> None:
    assert record(tmp_path, example()) == read_record(tmp_path)


def test_a_loop_that_has_just_begun_can_be_read(tmp_path: Path) -> None:
    found = record(tmp_path, made() | begun() | {"state": "running", "accepted": None})
    assert found.arms == () and found.state == "running"


def test_another_version_is_refused(tmp_path: Path) -> None:
    for version in (0, 3, "2", True, [1], None):
        said = refused(tmp_path, made() | {"version": version})
        assert "version: " in said and said.endswith("is not allowed; this program reads 1 and 2")


def earlier() -> dict[str, Any]:
    """A record as version 1 was written: the one p-value of a claim is that after Holm."""
    values = made()
    for one in values["claims"]:
        del one["p"], one["family"]
        one["p"] = one.pop("adjusted_p")
    return values | {"version": 1}


def test_a_record_of_the_first_version_is_still_read(tmp_path: Path) -> None:
    found = record(tmp_path, earlier())
    assert found.version == VERSION, "what is written again is of today"
    assert [(one.p, one.adjusted_p, one.family) for one in found.claims] == [(None, 0.0008, 2), (None, 0.82, 2)]
    expected = record(tmp_path, made())
    assert replace(found, claims=()) == replace(expected, claims=())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values["claims"][0].pop("p"), "claims[0].p: is missing"),
        (lambda values: values["claims"][0].update(p="0.5"), "claims[0].adjusted_p: '0.5' is not a number"),
        (lambda values: values["claims"].append("base"), "claims[2]: 'base' is not an object"),
        (lambda values: values.update(claims={}), "claims: an object is not a list"),
        (lambda values: values.pop("claims"), "claims: is missing"),
    ],
)
def test_a_damaged_record_of_the_first_version_is_refused(tmp_path: Path, change: Change, said: str) -> None:
    values = earlier()
    change(values)
    assert said in refused(tmp_path, values)


@pytest.mark.parametrize("key", [key for key in made() if key != "version"])
def test_a_missing_field_is_named(tmp_path: Path, key: str) -> None:
    values = made()
    del values[key]
    assert f": {key}: is missing" in refused(tmp_path, values)


@pytest.mark.parametrize("key", ["detail", "stage"])
def test_a_missing_field_of_a_row_is_named_with_its_place(tmp_path: Path, key: str) -> None:
    values = example()
    del values["timeline"][3][key]
    assert f"timeline[3].{key}: is missing" in refused(tmp_path, values)


@pytest.mark.parametrize(("place", "named"), [("", "colour"), ("scores", "scores[0].colour")])
def test_an_unknown_field_is_refused(tmp_path: Path, place: str, named: str) -> None:
    values = example()
    (values[place][0] if place else values)["colour"] = "red"
    assert f": {named}: unknown key" in refused(tmp_path, values)


def test_a_record_from_before_queries_were_validated_is_still_read(tmp_path: Path) -> None:
    values = example()
    for one in values["tasks"]:
        one.pop("validation")
        one.pop("validated", None)
    assert {(one.validation, one.validated) for one in record(tmp_path, values).tasks} == {(None, None)}


def test_what_a_validation_found_is_read(tmp_path: Path) -> None:
    values = example()
    values["tasks"][0]["validated"] = "blocked"
    assert record(tmp_path, values).tasks[0].validated == "blocked"
    values["tasks"][0]["validated"] = "fine"
    assert "tasks[0].validated: 'fine' is not allowed. Available: blocked, usable, warned" in refused(tmp_path, values)


@pytest.mark.parametrize(
    ("place", "key", "new", "message"),
    [
        ("scores", "value", None, "null is not a number"),
        ("scores", "value", "0.5", "'0.5' is not a number"),
        ("scores", "value", True, "true is not a number"),
        ("scores", "value", 10**400, "1000000000"),
        ("scores", "low", "0.5", "'0.5' is not a number"),
        ("scores", "tier", "test", "'test' is not allowed."),
        ("scores", "queries", -1, "-1 is not allowed; a whole number of 0 or more is needed"),
        ("scores", "queries", 2.5, "2.5 is not a whole number"),
        ("scores", "queries", True, "true is not a whole number"),
        ("scores", "arm", "nobody", "'nobody' is not an arm of this record"),
        ("scores", "arm", "teacher 2", "'teacher 2' is not an arm of this record"),
        ("arms", "kind", "other", "'other' is not allowed."),
        ("arms", "parts", "base", "'base' is not a list of texts"),
        ("arms", "name", 1, "1 is not a text"),
        ("arms", "name", "stage-1", "'stage-1' occurs twice"),
        ("timeline", "stage", "sleep", "'sleep' is not allowed."),
        ("timeline", "state", "fine", "'fine' is not allowed."),
        ("timeline", "detail", None, "null is not a text"),
        ("looks", "better", "yes", "'yes' is not true or false"),
        ("looks", "tier", "source", "'source' is not allowed."),
        ("claims", "holds", None, "null is not true or false"),
        ("tasks", "pairs", None, "null is not a whole number"),
        ("teachers", "spec", None, "null is not a text"),
        ("teachers", "training_sets", "NQ", "'NQ' is not a list of texts"),
        ("corpora", "documents", "9", "'9' is not a whole number"),
    ],
)
def test_a_damaged_value_is_refused_with_file_and_place(
    tmp_path: Path, place: str, key: str, new: object, message: str
) -> None:
    values = made()
    number = 1 if (key, new) == ("name", "stage-1") else 0
    values[place][number][key] = new
    assert f".{key}: {message}" in (said := refused(tmp_path, values)) and f": {place}[" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values.update(arms={}), "arms: an object is not a list"),
        (lambda values: values["arms"].append("base"), "]: 'base' is not an object"),
        (lambda values: values.update(reasons="none"), "reasons: 'none' is not a list of texts"),
        (lambda values: values.update(policy=[]), "policy: an empty list is not an object"),
        (lambda values: values.update(base="small"), "base: 'small' is not an object"),
        (lambda values: values["base"].pop("name"), "base.name: is missing"),
        (lambda values: values["base"].update(name=7), "base.name: 7 is not a text"),
        (lambda values: values["scores"].append(values["scores"][0]), ": occurs twice"),
        (lambda values: values.update(accepted="nobody"), "accepted: 'nobody' is not an arm of this record"),
        (lambda values: values.update(accepted=None), "accepted: contradicts the state 'accepted'"),
        (lambda values: values.update(state="refused"), "accepted: contradicts the state 'refused'"),
        (lambda values: values.update(state="running"), "accepted: contradicts the state 'running'"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path, change: Change, message: str) -> None:
    values = made()
    change(values)
    assert message in refused(tmp_path, values)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_value_that_is_no_number_is_refused(tmp_path: Path, number: str) -> None:
    file, values = tmp_path / FILE, made()
    values["scores"][0]["value"] = 77.5
    file.write_text(json.dumps(values).replace("77.5", number), "utf-8")
    with pytest.raises(DataError, match=r"record\.json: scores\[0\]\.value: (NaN|infinity) is not a number"):
        read_record(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"text"', '{"version": 1}', "[" * 100_000])
def test_what_is_no_record_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / FILE
    file.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"record\.json: ") as said:
        read_record(file)
    assert "\n" not in str(said.value)


def test_no_record_says_who_writes_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train adapt"):
        read_record(tmp_path)


def test_a_claim_of_an_earlier_version_for_a_soup_of_one_ingredient_is_withdrawn(tmp_path: Path) -> None:
    values = example()
    (single,) = (one["name"] for one in values["arms"] if one["name"] == "single-wiki-th-s1")
    (greedy,) = (one for one in values["arms"] if one["name"] == "greedy")
    greedy["parts"] = [single]
    about = next(one for one in values["claims"] if one["claim"] == "merging")
    values["claims"] = [about | {"winner": "greedy", "holds": True, "told": "greedy is ahead of union: +17.0 points"}]
    values["reasons"] = ["greedy passed", "merging helped: greedy is ahead of the union and of the linear soup"]
    found = record(tmp_path, values)
    assert not found.claims[0].holds and found.claims[0].told.endswith(f"greedy is {single}, so it is no merge")
    assert not any(line.startswith("merging helped") for line in found.reasons)
    greedy["parts"] = [single, "single-wiki-de-s0"]
    assert record(tmp_path, values).claims[0].holds

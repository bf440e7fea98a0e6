"""What the loop writes is what the pages read: there is one description of a record, and one list of each word."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from harness.judging.gate import policy, verdict
from harness.result.adaptation import vocabulary
from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import AdaptationRecord, TeacherFacts
from harness.result.adaptation.vocabulary import FILE, KINDS, MACRO, STAGES, TIERS
from harness.result.adaptation.writing import write_record
from tests.reports.training.made import EXAMPLE


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    record = read_record(EXAMPLE)
    write_record(record, tmp_path / FILE)
    assert read_record(tmp_path) == record
    example = json.loads(EXAMPLE.read_text("utf-8"))
    arms = [{**one, "same_as": None, "queries_known": None} for one in example["arms"]]
    tasks = [{**one, "leaks_by": None, "left_out": None} for one in example["tasks"]]
    expected = {**example, "arms": arms, "tasks": tasks, "settings": []}  # a record of before has none
    assert json.loads((tmp_path / FILE).read_text("utf-8")) == expected


def test_a_failed_write_leaves_the_record_before(tmp_path: Path) -> None:
    record = read_record(EXAMPLE)
    write_record(record, tmp_path / FILE)
    broken = replace(record, seconds=float("nan"))  # JSON has no such number
    with pytest.raises(ValueError):
        write_record(broken, tmp_path / FILE)
    assert read_record(tmp_path) == record
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_a_full_disk_leaves_the_record_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, whole = read_record(EXAMPLE), Path.write_text
    write_record(record, tmp_path / FILE)

    def full(self: Path, text: str, encoding: str) -> None:
        whole(self, text[:100], encoding)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_record(record, tmp_path / FILE)
    assert read_record(tmp_path) == record


def test_the_example_has_whatever_a_page_shows() -> None:
    record = read_record(EXAMPLE)
    assert {one.kind for one in record.arms} == set(KINDS)
    assert len({one.language for one in record.scores if one.tier == "dev"} - {None}) == 3
    assert any(one.refused for one in record.arms)
    assert {one.tier for one in record.scores} == set(TIERS)


def test_the_endpoint_of_several_collections_is_their_macro_average() -> None:
    record = read_record(EXAMPLE)
    (macro,) = [one for one in record.scores if (one.arm, one.tier, one.collection) == ("slerp", "final", MACRO)]
    assert record.value("slerp", "final") == macro.value
    (german,) = [one for one in record.scores if (one.arm, one.tier, one.language) == ("slerp", "final", "de")]
    assert replace(record, scores=(german,)).value("slerp", "final") == german.value
    assert record.value("nobody", "dev") is None


def measured(*arms: str, teachers: int) -> AdaptationRecord:
    """A record with a score of each of these."""
    record = read_record(EXAMPLE)
    facts = tuple(TeacherFacts(f"t{place}", None, None) for place in range(teachers))
    return replace(record, teachers=facts, scores=tuple(replace(record.scores[0], arm=one) for one in arms))


def test_who_is_no_checkpoint_is_named_in_the_order_of_the_tables() -> None:
    named = ("anchor", "teacher 10", "teacher 2", "base", "first stage")
    assert measured(*named, teachers=12).outsiders == ("first stage", "teacher 2", "teacher 10", "anchor")
    assert measured("teacher", teachers=1).outsiders == ("teacher",)


def test_teachers_are_numbered_only_where_there_are_several() -> None:
    assert {name: one.spec for name, one in measured(teachers=2).teacher_arms.items()} == {
        "teacher 1": "t0",
        "teacher 2": "t1",
    }
    assert list(measured(teachers=1).teacher_arms) == ["teacher"]


def test_a_licence_that_is_not_stated_is_none() -> None:
    assert TeacherFacts("t", "unknown", None).stated_licence is None
    assert TeacherFacts("t", "mit", None).stated_licence == "mit"


def test_queries_are_validated_when_leaks_are_out_and_before_anybody_learns_from_them() -> None:
    assert STAGES.index("clean") < STAGES.index("validate") < STAGES.index("fit")


def test_whatever_the_gate_says_a_record_can_hold() -> None:
    assert set(get_args(verdict.State)) < set(get_args(vocabulary.EventState))
    assert set(get_args(verdict.State)) - {"pass"} < set(get_args(vocabulary.State))
    assert set(policy.TIERS) == set(TIERS) - {"source"}


def test_a_page_that_only_reads_a_record_waits_for_no_library() -> None:
    heavy = "numpy pyarrow torch rich harness.result.store harness.data.collection"
    loaded = "import sys, harness.result.adaptation.reading, harness.result.adaptation.writing"
    code = f"{loaded}; print(set({heavy!r}.split()) & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"

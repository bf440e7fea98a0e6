"""What is known of an evaluation besides its values: a later one adds to it and never forgets what it did not ask."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.data.collection import Rules
from harness.measuring.alarms.alarm import Alarm
from harness.result.facts import AuditFacts, CollectionFacts, Controls, CountFacts, Environment, Timing, TokenFacts

FACTS = CollectionFacts("mine/a", "test", "f" * 32, CountFacts(4), Rules(), corpus="c")


def test_a_later_evaluation_keeps_what_it_did_not_look_for() -> None:
    before = replace(FACTS, detected_language="de", parallel="towns", parallel_by="detected", name="old")
    now = replace(FACTS, language_sought=False, corpus=None)
    assert now.after(before) == replace(before, name="mine/a")
    assert now.after(None) is now


def test_a_later_evaluation_replaces_what_it_knows() -> None:
    before = replace(FACTS, detected_language="de", parallel="towns", parallel_by="detected")
    now = replace(FACTS, detected_language=None, parallel=None, parallel_by="declared")
    assert now.after(before) == now


def test_a_part_knows_the_whole_and_its_questions_are_those_of_its_set() -> None:
    assert FACTS.whole == FACTS.fingerprint
    assert replace(FACTS, part_of="whole").whole == "whole"
    assert FACTS.questions(("1",)).drawn_from == FACTS.fingerprint
    assert replace(FACTS, parallel="towns", parallel_by="option").questions(("1",)).drawn_from == "towns"


def test_controls_of_other_measures_stay() -> None:
    before, now = Controls({"oracle": {"a": 1.0, "b": 0.5}, "old": {"a": 0.0}}), Controls({"oracle": {"a": 0.9}})
    found = now.after(before)
    assert (found.of("oracle", "a"), found.of("oracle", "b"), found.of("old", "a")) == (0.9, 0.5, 0.0)
    assert (found.of("oracle", "c"), found.of("chance", "a")) == (None, None)


def test_an_audit_gives_the_alarms_of_a_measure_and_those_of_all() -> None:
    alarms = (Alarm("one", "of all"), Alarm("two", "of a", "a"), Alarm("three", "of b", "b"))
    assert [alarm.name for alarm in AuditFacts(alarms=alarms).about("a")] == ["one", "two"]
    assert [alarm.name for alarm in AuditFacts(alarms=alarms).about()] == ["one"]


@pytest.mark.parametrize(
    "audit",
    [
        AuditFacts(),
        AuditFacts(
            candidates=4, ties={"a": (0.0, 1.0)}, tokens=TokenFacts(1, 0, 0, None), alarms=(Alarm("x", "y", "a"),)
        ),
        AuditFacts(candidates=4, queries=2, membership_kept=True, details={"calibration": {"slope": 1.5}}),
    ],
)
def test_an_audit_is_the_same_after_json(audit: AuditFacts) -> None:
    assert AuditFacts.of(json.loads(json.dumps(audit.as_dict())), "audit") == audit


def test_what_is_not_known_is_not_written() -> None:
    assert AuditFacts().as_dict() == {"alarms": []}
    assert Environment().as_dict() == {}
    assert AuditFacts(candidates=4).as_dict() == {"candidates": 4, "tokens": None, "alarms": []}


def test_nothing_scored_here_has_no_speed() -> None:
    assert Timing().pairs_per_second is None
    assert Timing(10, 2.0).pairs_per_second == 5.0

"""The decision. What a user would lose: hours of training on queries that could not help, or a set refused for no
reason that anybody can read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.validating.decision import ACCEPTANCE, decide, verdict
from training.validating.measured import ValidationRow

GOOD = (
    ValidationRow("V1", "length", "Wasserstein-1", "words", value=0.4, floor=0.4, floor_high=0.6, scale=3.0),
    ValidationRow(
        "V2", "overlap with the document: containment", "Wasserstein-1", "share",
        value=0.02, floor=0.02, floor_high=0.03, scale=0.4, levels={"synthetic": 0.52, "real": 0.5},
    ),
    ValidationRow("V6", "two-sample classifier", "AUC", "", value=0.55, floor=0.5, floor_high=0.56, scale=0.99),
    ValidationRow("V11", "teacher against student", "difference", "share", value=0.05, parts={"leads": True}),
    ValidationRow(
        "V13", "leak", "evaluation queries in the set", "queries", value=0.0, parts={"removed": 0, "unseen": []}
    ),
    ValidationRow("V14", "conformance", "in the set", "share", levels={"synthetic": 0.97}),
    ValidationRow("V14", "conformance", "accepted", "share", levels={"synthetic": 0.97}),
    ValidationRow("V14", "conformance", "parsed", "share", levels={"synthetic": 0.2}),
    ValidationRow(
        "V15", "named fault", "copied", "share", levels={"synthetic": 0.01},
        parts={"kind": "copied", "found": False, "blocks": True, "line": "copied from the document: 1%"},
    ),
)  # fmt: skip


def but(id: str, **changed: object) -> tuple[ValidationRow, ...]:
    """Good rows, of which the first of one measure is not."""
    place = next(place for place, row in enumerate(GOOD) if row.id == id)
    return (*GOOD[:place], replace(GOOD[place], **changed), *GOOD[place + 1 :])  # type: ignore[arg-type]


def test_a_set_without_a_fault_is_usable_and_still_not_accepted() -> None:
    decision = decide(GOOD)
    assert (decision.state, decision.reasons) == ("usable", ())
    assert decision.as_dict()["acceptance"] == ACCEPTANCE
    assert "V12" in ACCEPTANCE
    assert "gate" in ACCEPTANCE


def test_a_fault_that_was_not_looked_for_is_said() -> None:
    unread = ValidationRow(
        "V15", "named fault", "pairs", "share", levels={"synthetic": None}, note="not read: no document",
        parts={"kind": "pairs", "found": False, "blocks": True, "line": "not read: no document"},
    )  # fmt: skip
    decision = decide((*GOOD, unread))
    assert (decision.state, decision.reasons) == ("warned", ("V15: not read: pairs (no document)",))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (but("V13", value=3.0, parts={"removed": 3}), "V13: 3 evaluation queries are in the set"),
        (but("V14", levels={"synthetic": 0.949}), "V14: 94.9%"),
        (but("V11", parts={"leads": False}), "V11: the teacher is not ahead of the student"),
        (but("V15", parts={"found": True, "blocks": True, "line": "not German"}), "V15: not German"),
    ],
)
def test_each_fault_blocks_by_its_own_reason(rows: tuple[ValidationRow, ...], reason: str) -> None:
    decision = decide(rows)
    assert decision.state == "blocked"
    assert decision.reasons[0].startswith(reason)
    assert len(decision.reasons) == 1


def test_95_percent_conform_is_enough() -> None:
    assert decide(but("V14", levels={"synthetic": 0.95})).state == "usable"


def test_what_a_classifier_sees_is_a_warning_with_the_overlap() -> None:
    """The set of the extractive generator has an AUC of 0.99 and has taken a student 7.5 points up."""
    seen = {"value": 0.97, "floor": 0.5, "floor_high": 0.56, "scale": None}
    copied = {"value": 0.3, "levels": {"synthetic": 0.9, "real": 0.5}}
    both = tuple(replace(row, **copied) if row.id == "V2" else row for row in but("V6", **seen))  # type: ignore[arg-type]
    for rows in (but("V6", **seen), both, but("V2", **copied)):
        assert decide(rows).state == "warned"
    assert "containment 90% against 50%" in decide(both).reasons[0]


def test_what_the_parser_rejected_is_not_in_the_set() -> None:
    rows = tuple(replace(row, levels={"synthetic": 0.6}) if row.statistic == "accepted" else row for row in GOOD)
    assert decide(rows).reasons == ("V14: 40.0% of what the generator wrote was rejected",)
    assert decide(rows).state == "warned"


def test_an_uncertain_fault_is_a_warning() -> None:
    decision = decide(but("V15", parts={"found": True, "blocks": False, "line": "not German"}))
    assert (decision.state, decision.reasons) == ("warned", ("V15: not German",))


def test_removed_evaluation_queries_are_reported() -> None:
    decision = decide(but("V13", parts={"removed": 12, "unseen": ["beir/nq (test)"]}))
    assert decision.state == "warned"
    assert "12 evaluation queries were among the synthetic ones and were removed" in decision.reasons[0]
    assert "beir/nq (test)" in decision.reasons[1]


def test_a_difference_that_can_be_seen_is_a_warning_by_name() -> None:
    assert decide(but("V1", value=0.7)).reasons == (
        "further from real queries than halves of those are from each other: V1",
    )
    assert decide(but("V1", value=3.0)).reasons == ("as far from real queries as another domain's: V1",)


def test_what_was_not_measured_is_a_warning_by_name() -> None:
    decision = decide(but("V6", value=None))
    assert decision.state == "warned"
    assert decision.reasons == ("not compared with real queries, or not measured: V6",)
    unknown = [row for row in GOOD if row.id != "V14"] + [replace(GOOD[5], levels={"synthetic": None})]
    assert decide(unknown).reasons[0].endswith(": V14")


def test_a_verdict_needs_a_floor_and_a_scale() -> None:
    row = GOOD[0]
    assert verdict(row) == "same"
    assert verdict(replace(row, value=0.61)) == "differs"
    assert verdict(replace(row, value=3.0)) == "far"
    assert verdict(replace(row, value=3.0, scale=None)) == "differs"
    assert verdict(replace(row, value=3.0, scale=0.1)) == "differs"  # a scale within the floor is none
    assert verdict(replace(row, floor_high=None)) == "told"
    assert verdict(replace(row, value=None)) == "unknown"
    assert verdict(GOOD[5]) == "told"
    assert verdict(replace(GOOD[-1], parts={"found": True})) == "fault"

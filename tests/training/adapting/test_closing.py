"""What a reader has to know besides the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import AdaptationRecord, ArmRecord, Event, Score
from harness.result.adaptation.vocabulary import FIRST_STAGE, Tier
from training.adapting.closing import remarks_of

EXAMPLE = Path(__file__).parent / "record.example.json"


def scored(**values: float) -> AdaptationRecord:
    """A record with values `arm_tier`."""
    rows = []
    for name, value in values.items():
        arm, _, tier = name.replace("first", FIRST_STAGE).rpartition("_")
        kind: Tier = "final" if tier == "final" else "dev"
        rows.append(Score(arm, kind, "toy", None, "nDCG@10", value, None, None, 9, None))
    return replace(read_record(EXAMPLE), scores=tuple(rows), claims=(), arms=())


def remarks(record: AdaptationRecord, accepted: str | None) -> list[str]:
    return remarks_of(record, accepted=accepted, general=True, anchor="")


def test_an_accepted_arm_that_makes_the_first_stage_worse_says_so() -> None:
    (line,) = remarks(scored(slerp_final=0.61, first_final=0.66), "slerp")
    assert line == "slerp is behind its first stage on final (61.0 against 66.0)"
    assert remarks(scored(slerp_final=0.67, first_final=0.66), "slerp") == []


def test_a_teacher_that_is_behind_the_first_stage_is_reported() -> None:
    (line,) = remarks(scored(teacher_dev=0.71, first_dev=0.75), None)
    assert line.startswith("teacher is behind its first stage on dev (71.0 against 75.0)")
    assert remarks(scored(teacher_dev=0.76, first_dev=0.75), None) == []


def test_queries_that_a_validation_blocks_are_reported_with_the_reason() -> None:
    record = scored(first_final=0.66)
    tasks = tuple(replace(one, validated="blocked" if one.name == "wiki-de" else "warned") for one in record.tasks)
    event = Event(9.0, 1.0, "validate", "wiki-de", "done", "blocked: V6 and V2: a classifier tells them: 0.99")
    (line,) = remarks(replace(record, tasks=tasks, timeline=(*record.timeline, event)), None)
    assert line == (
        "the queries of wiki-de are blocked by their validation, but were used here: V6 and V2: a classifier "
        "tells them: 0.99"
    )
    left = tuple(replace(one, left_out=one.name == "wiki-de") for one in tasks)
    (line,) = remarks(replace(record, tasks=left, timeline=(*record.timeline, event)), None)
    assert line.startswith("the queries of wiki-de are blocked by their validation, and were left out: V6 and V2")


def test_a_soup_that_is_a_single_is_reported_as_that_single() -> None:
    record = replace(read_record(EXAMPLE), scores=())
    arms = tuple(replace(one, parts=one.parts[:1]) if one.kind == "greedy" else one for one in record.arms)
    assert "greedy is single-wiki-th-s1, so it is no merge" in remarks(replace(record, arms=arms), None)
    alone = tuple(one for one in arms if one.kind not in {"linear", "slerp", "bagged"})
    assert "merging is not claimed: no arm is a merge" in remarks(replace(record, arms=alone), None)


def test_bags_that_cost_more_than_the_union_say_so() -> None:
    """Readers compare the merge of the bags with the union, which had fewer steps."""
    record = replace(scored(first_final=0.66), tasks=())
    trained = replace(record, arms=(*record.arms, ArmRecord("bag-0.8", "bag", "./bag-0.8")))
    told = remarks_of(trained, accepted=None, general=True, anchor="", bags=1.8)
    assert told == ["the bags together had 1.8 times the union's budget of steps"]
    assert sum((0.05, 0.55, 0.3, 0.1)) > 1, "by rounding"
    for one, bags in ((trained, 1.0), (trained, sum((0.05, 0.55, 0.3, 0.1))), (record, 1.8)):
        assert remarks_of(one, accepted=None, general=True, anchor="", bags=bags) == [], "no more, or none was trained"


def test_queries_that_were_left_out_of_a_tier_are_reported() -> None:
    lines = remarks_of(scored(), accepted=None, general=True, anchor="", left_out=("one: 2 of 40 queries of gate",))
    assert lines == ["one: 2 of 40 queries of gate"]


def test_arms_that_were_not_measured_are_not_reported() -> None:
    assert remarks(scored(first_final=0.66), "slerp") == []

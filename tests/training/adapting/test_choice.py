"""What asks the gate is chosen on dev alone: the best first, the simpler of equal ones, nothing twice."""

from __future__ import annotations

from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import MERGED, Kind
from training.adapting.choice import best_first, best_of, proposals


def arm(name: str, kind: Kind) -> ArmRecord:
    return ArmRecord(name, kind, f"./{name}")


ARMS = [
    arm("base", "base"), arm("stage-1", "stage-1"), arm("a", "single"), arm("b", "single"), arm("g", "given"),
    arm("union", "union"), arm("linear", "linear"), arm("slerp", "slerp"), arm("greedy", "greedy"), arm("t", "curve"),
]  # fmt: skip
EVERY_ONE_ITS_OWN = {one.name: one.name for one in ARMS}


def names(found: list[ArmRecord]) -> list[str]:
    return [one.name for one in found]


def test_the_best_on_dev_asks_first() -> None:
    values = {one.name: 0.5 for one in ARMS} | {"union": 0.7, "t": 0.8, "b": 0.6}
    assert names(proposals(ARMS, values, EVERY_ONE_ITS_OWN, 0.5)) == ["t", "union", "b"]


def test_of_equally_good_ones_the_simpler_asks_first() -> None:
    values = {one.name: 0.6 for one in reversed(ARMS)}
    found = names(proposals(ARMS[::-1], values, EVERY_ONE_ITS_OWN, 0.5))
    assert found == ["b", "a", "g", "union", "linear", "slerp", "greedy", "t"]


def test_what_is_not_ahead_of_the_anchor_spends_no_look() -> None:
    values = {one.name: 0.6 for one in ARMS}
    assert proposals(ARMS, values, EVERY_ONE_ITS_OWN, 0.6) == []


def test_base_and_stage_1_are_no_proposals() -> None:
    assert proposals(ARMS[:2], {"base": 0.9, "stage-1": 0.9}, EVERY_ONE_ITS_OWN, 0.1) == []


def test_equal_weights_ask_once_under_the_simplest_name() -> None:
    values = {"a": 0.6, "linear": 0.7, "slerp": 0.7, "greedy": 0.7}
    same = EVERY_ONE_ITS_OWN | {"slerp": "linear", "greedy": "linear"}
    assert names(proposals(ARMS, values, same, 0.5)) == ["linear", "a"]


def test_what_was_refused_has_no_value_and_asks_nothing() -> None:
    assert names(proposals(ARMS, {"a": 0.6}, EVERY_ONE_ITS_OWN, 0.5)) == ["a"]


def test_singles_are_merged_from_the_best_on() -> None:
    assert names(best_first(ARMS[2:5], {"a": 0.1, "b": 0.3, "g": 0.2})) == ["b", "g", "a"]
    assert names(best_first(ARMS[2:5], {"a": 0.1, "g": 0.1})) == ["a", "g"], "b was refused"


def test_the_best_merge_is_one_that_was_measured() -> None:
    assert best_of(ARMS, MERGED, {"linear": 0.1, "slerp": 0.2, "t": 0.9}) == arm("slerp", "slerp")
    assert best_of(ARMS, MERGED, {"slerp": 0.2, "linear": 0.2}) == arm("linear", "linear")
    assert best_of(ARMS, MERGED, {"a": 0.2}) is None

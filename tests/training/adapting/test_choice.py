"""What asks the gate is chosen on dev alone: the best first, the simpler of equal ones, nothing twice."""

from __future__ import annotations

from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import MERGED, Kind
from training.adapting.choice import best_first, best_of, no_worse, proposals


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
    assert found == ["b", "g", "union", "linear", "t"], "one of each family"


def test_what_is_not_ahead_of_the_anchor_spends_no_look() -> None:
    values = {one.name: 0.6 for one in ARMS}
    assert proposals(ARMS, values, EVERY_ONE_ITS_OWN, 0.6) == []


def test_base_and_stage_1_are_no_proposals() -> None:
    assert proposals(ARMS[:2], {"base": 0.9, "stage-1": 0.9}, EVERY_ONE_ITS_OWN, 0.1) == []


def test_arms_with_the_same_answers_ask_once_under_the_simplest_name() -> None:
    values = {"a": 0.6, "union": 0.7, "slerp": 0.7, "t": 0.7}
    same = EVERY_ONE_ITS_OWN | {"slerp": "union", "t": "union"}
    assert names(proposals(ARMS, values, same, 0.5)) == ["union", "a"]


def test_two_points_of_one_curve_do_not_take_two_looks() -> None:
    more = [*ARMS, arm("t-2", "curve")]
    values = {"t": 0.8, "t-2": 0.79, "union": 0.6, "slerp": 0.7, "greedy": 0.69, "b": 0.65, "a": 0.64}
    found = names(proposals(more, values, {one.name: one.name for one in more}, 0.5))
    assert found == ["t", "slerp", "b", "union"]


def test_the_bags_share_a_look_with_the_union_and_their_merge_has_its_own() -> None:
    more = [*ARMS, arm("bag", "bag"), arm("bagged", "bagged")]
    values = {"bag": 0.9, "union": 0.8, "linear": 0.7, "bagged": 0.6}
    found = names(proposals(more, values, {one.name: one.name for one in more}, 0.5))
    assert found == ["bag", "linear", "bagged"]


def test_what_was_refused_has_no_value_and_asks_nothing() -> None:
    assert names(proposals(ARMS, {"a": 0.6}, EVERY_ONE_ITS_OWN, 0.5)) == ["a"]


def test_singles_are_merged_from_the_best_on() -> None:
    assert names(best_first(ARMS[2:5], {"a": 0.1, "b": 0.3, "g": 0.2})) == ["b", "g", "a"]
    assert names(best_first(ARMS[2:5], {"a": 0.1, "g": 0.1})) == ["a", "g"], "b was refused"


def test_the_best_merge_is_one_that_was_measured() -> None:
    assert best_of(ARMS, MERGED, {"linear": 0.1, "slerp": 0.2, "t": 0.9}) == arm("slerp", "slerp")
    assert best_of(ARMS, MERGED, {"slerp": 0.2, "linear": 0.2}) == arm("linear", "linear")
    assert best_of(ARMS, MERGED, {"a": 0.2}) is None


def test_an_ingredient_that_dev_finds_worse_than_stage_1_is_not_sound() -> None:
    values = {"stage-1": 0.5, "a": 0.5, "b": 0.49, "g": 0.6}
    assert names(no_worse(ARMS[2:6], values, "stage-1")) == ["a", "g"], "the union was not measured"

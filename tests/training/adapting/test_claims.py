"""What may be said of an adaptation is tested on the questions of the final split, all claims together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.judging.compare.side import ComparedSide, side_of
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import difference, differences
from tests import made_results
from training.adapting.claims import claims_of, merging
from training.adapting.scoring import ArmScores

QUERIES = 60
IDS = tuple(f"q{place}" for place in range(QUERIES))


def measured(name: str, mean: float, seed: int = 0, languages: int = 0) -> ArmScores:
    """An arm with values around a mean, on one collection or on a parallel set."""
    values = mean + 0.05 * np.random.default_rng(seed).standard_normal(QUERIES)
    sides = tuple(side(name, values, str(place), "set" if languages else "f") for place in range(languages or 1))
    return ArmScores(name, name, "nDCG@10", ("nDCG@10",) * len(sides), sides)


def side(name: str, values: Floats64, collection: str, drawn_from: str) -> ComparedSide:
    on = replace(made_results.collection(collection, QUERIES), fingerprint=collection)
    return side_of(made_results.result(made_results.system(name), on, values.tolist(), parallel=drawn_from))


def arms(**means: float) -> dict[str, ArmScores]:
    named = {name.replace("_", " "): mean for name, mean in means.items()}
    return {name: measured(name, mean, seed) for seed, (name, mean) in enumerate(named.items())}


def test_an_adaptation_is_held_against_base_and_first_stage() -> None:
    found = claims_of(arms(base=0.5, first_stage=0.4, union=0.7), "union", [], 0.05)
    assert [(one.claim, one.against, one.holds) for one in found] == [
        ("adaptation", "base", True), ("adaptation", "first stage", True),
    ]  # fmt: skip
    assert found[0].delta == pytest.approx(0.2, abs=0.03)
    assert found[0].low is not None and found[0].high is not None and found[0].low < found[0].delta < found[0].high


def test_merging_is_claimed_where_it_beats_union_and_linear() -> None:
    found = claims_of(arms(base=0.5, union=0.6, linear=0.6, slerp=0.7), "slerp", ["slerp"], 0.05)
    assert merging(found) == "slerp"


@pytest.mark.parametrize(("union", "linear"), [(0.7, 0.6), (0.6, 0.7), (0.7, 0.7), (0.8, 0.6)])
def test_merging_is_not_claimed_where_it_beats_only_one_of_them(union: float, linear: float) -> None:
    found = claims_of(arms(base=0.5, union=union, linear=linear, slerp=0.7), "slerp", ["slerp"], 0.05)
    assert merging(found) is None
    assert not any(one.holds for one in found if one.claim == "merging")
    if union < 0.7 or linear < 0.7:
        assert any("merging is not claimed" in one.told for one in found)


def test_a_linear_soup_alone_never_claims_merging() -> None:
    found = claims_of(arms(base=0.5, union=0.6, linear=0.8), "linear", ["linear"], 0.05)
    assert [(one.winner, one.against) for one in found if one.claim == "merging"] == [("linear", "union")]
    assert merging(found) is None, "it cannot be ahead of itself"


def test_every_given_merge_is_tested_once() -> None:
    found = claims_of(arms(union=0.6, linear=0.6, slerp=0.6, greedy=0.7), "greedy", ["greedy", "slerp", "slerp"], 0.05)
    asked = [(one.winner, one.against) for one in found]
    assert asked == [("greedy", "union"), ("greedy", "linear"), ("slerp", "union"), ("slerp", "linear")]


def test_every_claim_more_makes_each_harder() -> None:
    few = claims_of(arms(base=0.5, union=0.52), "union", [], 0.05)
    many = claims_of(arms(base=0.5, union=0.52, first_stage=0.5, linear=0.5, slerp=0.5), "union", ["slerp"], 0.05)
    assert few[0].p == many[0].p, "the test itself does not change"
    assert few[0].adjusted_p == few[0].p and few[0].family == 1, "one claim needs no correction"
    assert many[0].family == 4 and many[0].adjusted_p is not None and few[0].p is not None
    assert many[0].adjusted_p > few[0].p


def test_claims_are_tested_by_the_rule_of_all_differences() -> None:
    final = arms(base=0.5, first_stage=0.51, union=0.52, linear=0.515, slerp=0.53)
    found = claims_of(final, "union", ["slerp"], 0.05)
    values = {name: one.sides[0].values for name, one in final.items()}
    rows = np.stack([values[one.winner] - values[one.against] for one in found])
    design = Design((Questions("f", IDS),))
    for one, expected in zip(found, differences(design, [rows]), strict=True):
        assert (one.delta, one.p, one.adjusted_p) == pytest.approx(
            (expected.macro.value, expected.macro.p, expected.macro.adjusted_p)
        )
        assert (one.low, one.high) == pytest.approx(expected.macro.interval)
        assert one.family == 4 and "corrected over 4 claims" in one.told


def test_a_parallel_set_proves_no_more_than_its_questions() -> None:
    def claimed(languages: int) -> tuple[float | None, ...]:
        final = {"base": measured("base", 0.5, 1, languages), "union": measured("union", 0.515, 2, languages)}
        (one,) = claims_of(final, "union", [], 0.05)
        return one.delta, one.low, one.high, one.p

    values = [one.sides[0].values for one in (measured("base", 0.5, 1), measured("union", 0.515, 2))]
    by_hand = difference(Design((Questions("set", IDS),)), [values[1] - values[0]])
    assert claimed(1) == pytest.approx(claimed(10))
    assert claimed(10) == pytest.approx((by_hand.value, *by_hand.interval, by_hand.p))


def test_a_claim_that_holds_has_an_interval_without_zero() -> None:
    for seed in range(20):
        final = {name: measured(name, 0.5 + 0.01 * place, 10 * seed + place)
                 for place, name in enumerate(("base", "first stage", "linear", "union", "slerp"))}  # fmt: skip
        for one in claims_of(final, "slerp", ["slerp"], 0.05):
            assert one.low is not None and one.p is not None and one.adjusted_p is not None
            assert one.p <= one.adjusted_p
            assert not one.holds or one.low > 0


def test_an_arm_that_is_the_other_is_not_ahead_of_it() -> None:
    same = measured("one", 0.6)
    found = claims_of({"base": same, "union": same}, "union", [], 0.05)
    assert found[0].delta == 0 and found[0].p == 1 and not found[0].holds


def test_a_certain_loss_is_no_claim() -> None:
    found = claims_of(arms(base=0.8, union=0.5), "union", [], 0.05)
    assert found[0].adjusted_p is not None and found[0].adjusted_p < 0.05 and not found[0].holds


def test_a_sure_loss_is_reported_as_a_loss_and_not_as_a_draw() -> None:
    told = {one.against: one.told for one in claims_of(arms(base=0.5, first_stage=0.8, union=0.7), "union", [], 0.05)}
    assert told["base"].startswith("union is ahead of base: +")
    assert told["first stage"].startswith("union is behind first stage: -")
    (same,) = claims_of({"base": measured("base", 0.5), "union": measured("union", 0.5)}, "union", [], 0.05)
    assert same.told == "union cannot be distinguished from base: +0.0 points, p 1" and not same.holds


@pytest.mark.parametrize(("control", "holds"), [(0.6, True), (0.7, False), (0.8, False)])
def test_a_merge_has_to_beat_the_soup_of_the_sound_ingredients_too(control: float, holds: bool) -> None:
    """One bad ingredient spoils the soup of all, so that any merge is ahead of it."""
    final = arms(base=0.5, union=0.6, linear=0.2, slerp=0.7) | {"linear-sound": measured("linear-sound", control, 8)}
    found = claims_of(final, "slerp", ["slerp"], 0.05)
    assert [one.against for one in found if one.claim == "merging"] == ["union", "linear", "linear-sound"]
    assert (merging(found) == "slerp") is holds


def test_a_soup_of_the_sound_ingredients_cannot_claim_merging() -> None:
    final = arms(base=0.5, union=0.6, linear=0.2) | {"linear-sound": measured("linear-sound", 0.8, 8)}
    assert merging(claims_of(final, "linear-sound", ["linear-sound"], 0.05)) is None

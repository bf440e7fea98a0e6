"""What may be said of an adaptation is tested on the final queries, all claims together."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compare.side import Side
from training.adapting.claims import claims_of, merging
from training.adapting.scoring import Measured

QUERIES = 60


def measured(name: str, mean: float, seed: int = 0, spread: float = 0.05) -> Measured:
    """An arm with values around a mean."""
    values = mean + spread * np.random.default_rng(seed).standard_normal(QUERIES)
    side = Side(
        system=name, ids=(name,), collection="c", split="test", language=None, group=None, fingerprint="f",
        evaluator=1, first_stage="bm25", depth=10, candidates="x", queries=tuple(map(str, range(QUERIES))),
        rows=values[None],
    )  # fmt: skip
    return Measured(name, name, "nDCG@10", ("nDCG@10",), (side,))


def arms(**means: float) -> dict[str, Measured]:
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


def test_slerp_is_asked_about_even_where_another_merge_was_better() -> None:
    found = claims_of(arms(union=0.6, linear=0.6, slerp=0.6, greedy=0.7), "greedy", ["greedy"], 0.05)
    asked = [(one.winner, one.against) for one in found]
    assert asked == [("greedy", "union"), ("greedy", "linear"), ("slerp", "union"), ("slerp", "linear")]


def test_every_claim_more_makes_each_harder() -> None:
    few = claims_of(arms(base=0.5, union=0.52), "union", [], 0.05)
    many = claims_of(arms(base=0.5, union=0.52, first_stage=0.5, linear=0.5, slerp=0.5), "union", ["slerp"], 0.05)
    assert few[0].p is not None and many[0].p is not None and many[0].p > few[0].p


def test_an_arm_that_is_the_other_is_not_ahead_of_it() -> None:
    same = measured("one", 0.6)
    found = claims_of({"base": same, "union": same}, "union", [], 0.05)
    assert found[0].delta == 0 and found[0].p == 1 and not found[0].holds


def test_a_certain_loss_is_no_claim() -> None:
    found = claims_of(arms(base=0.8, union=0.5), "union", [], 0.05)
    assert found[0].p is not None and found[0].p < 0.05 and not found[0].holds


def test_a_sure_loss_is_told_as_a_loss_and_not_as_a_draw() -> None:
    told = {one.against: one.told for one in claims_of(arms(base=0.5, first_stage=0.8, union=0.7), "union", [], 0.05)}
    assert told["base"].startswith("union is ahead of base: +")
    assert told["first stage"].startswith("union is behind first stage: -")
    (same,) = claims_of({"base": measured("base", 0.5), "union": measured("union", 0.5)}, "union", [], 0.05)
    assert same.told.startswith("union is not told apart from base: +0.0 points") and not same.holds

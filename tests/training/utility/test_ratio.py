"""The figures of the ablation. What a user would lose: a ratio that means something, and the word when none does."""

from __future__ import annotations

import numpy as np
import pytest

from training.utility.decision import Answer, answer_of, decision_of
from training.utility.ratio import Floats64, Utility, Values, utility

_QUERIES = 200


def arms(**gains: float) -> dict[str, Floats64]:
    """Values of two seeds: the base, and each arm above it on every query, with a little noise."""
    draw = np.random.default_rng(0)
    base = draw.uniform(0.2, 0.6, (1, _QUERIES))
    return {"base": base, **{name: base + gain + draw.normal(0, 0.01, (2, _QUERIES)) for name, gain in gains.items()}}


def test_identical_arms_have_a_ratio_of_one_without_any_doubt() -> None:
    values = arms(b=0.2)
    ratio = utility(values | {"a": values["b"]}).ratio
    assert ratio.value == 1
    assert ratio.interval == (1, 1)


def test_the_ratio_is_the_share_of_the_gain() -> None:
    ratio = utility(arms(a=0.1, b=0.2)).ratio
    assert ratio.value == pytest.approx(0.5, abs=0.01)
    assert ratio.interval is not None
    assert 0.45 < ratio.interval[0] < 0.5 < ratio.interval[1] < 0.55


@pytest.mark.parametrize("gain", [0.0, -0.1])
def test_without_a_gain_of_real_annotations_there_is_no_ratio(gain: float) -> None:
    found = utility(arms(a=0.1, b=gain))
    assert (found.ratio.value, found.ratio.interval) == (None, None)
    assert answer_of(found) == "not defined"
    assert "not defined" in decision_of(found)


def test_a_gain_that_one_seed_alone_has_defines_no_ratio() -> None:
    values = arms(a=0.1, b=0.0)
    values["b"][0] += 0.3
    values["b"][1] -= 0.2
    assert values["b"].mean() > values["base"].mean() + 0.04
    assert utility(values).ratio.value is None


def test_a_ratio_is_paired_by_query() -> None:
    values = arms(b=0.2)
    values["b"] = values["b"] + np.random.default_rng(1).normal(0, 0.3, _QUERIES)
    ratio = utility(values | {"a": values["base"] + 0.5 * (values["b"] - values["base"])}).ratio
    assert ratio.interval == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(
    ("gain", "answer"), [(0.4, "more"), (0.2, "as much"), (0.1, "part"), (0.0, "nothing"), (-0.2, "nothing")]
)
def test_the_answer_follows_from_the_interval(gain: float, answer: Answer) -> None:
    assert answer_of(utility(arms(a=gain, b=0.2))) == answer


def test_a_wide_interval_decides_nothing() -> None:
    values = arms(a=0.1, b=0.2)
    values["a"] = values["a"] + np.random.default_rng(1).normal(0, 2.5, _QUERIES)
    assert answer_of(utility(values)) == "undecided"


def test_every_difference_isolates_one_cause_and_pays_for_the_others() -> None:
    values = arms(a=0.1, b=0.2, c=0.2, d=0.1, e=0.0)
    found = {one.contrast.name: one for one in utility(values).differences}
    assert list(found) == ["query shift", "label noise", "domain value", "teacher value"]
    assert [round(found[name].delta, 1) for name in found] == [-0.1, 0.0, 0.1, 0.0]
    assert all(one.p_holm >= one.p for one in found.values())
    assert found["query shift"].p_holm > found["query shift"].p
    assert found["domain value"].p_holm < 0.05 < found["label noise"].p_holm


def test_an_arm_that_was_not_trained_is_compared_with_nothing() -> None:
    found = utility(arms(a=0.1, b=0.2, c=0.2))
    assert [one.contrast.name for one in found.differences] == ["query shift", "label noise"]


def test_the_spread_of_the_seeds_is_told_and_one_seed_has_none() -> None:
    values: Values = {**arms(a=0.1, b=0.2), "c": arms(c=0.1)["c"][:1]}
    found: Utility = utility(values)
    assert found.arm("a").sd > 0
    assert np.isnan(found.arm("c").sd)
    assert (found.arm("a").seeds, found.arm("c").seeds) == (2, 1)

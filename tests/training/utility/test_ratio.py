"""The figures of the ablation. What a user would lose: a ratio that means something, and the word when none does."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import differences
from harness.measuring.statistics.seeds import seed_effect
from harness.numbers import signed
from training.utility.decision import Answer, answer_of, decision_of
from training.utility.ratio import Utility, Values, utility

_QUERIES = 200
_QUESTIONS = Questions("the test", tuple(map(str, range(_QUERIES))))


def arms(**gains: float) -> dict[str, Floats64]:
    """Values of two seeds: the base, and each arm above it on every query, with a little noise."""
    draw = np.random.default_rng(0)
    base = draw.uniform(0.2, 0.6, (1, _QUERIES))
    return {"base": base, **{name: base + gain + draw.normal(0, 0.01, (2, _QUERIES)) for name, gain in gains.items()}}


def figures(values: Values) -> Utility:
    return utility(values, _QUESTIONS)


def test_identical_arms_have_a_ratio_of_one_without_any_doubt() -> None:
    values = arms(b=0.2)
    ratio = figures(values | {"a": values["b"]}).ratio
    assert ratio.value == 1
    assert ratio.interval == (1, 1)
    assert ratio.seeds_interval is not None and 0.9 < ratio.seeds_interval[0] < 1 < ratio.seeds_interval[1] < 1.1


def test_an_answer_that_other_seeds_would_change_is_not_given() -> None:
    values = arms(a=0.1, b=0.2)
    values["a"][0] += 0.25
    values["a"][1] -= 0.05
    found = figures(values)
    assert found.ratio.interval is not None and found.ratio.interval[1] < 1.1
    assert found.ratio.seeds_interval is not None and found.ratio.seeds_interval[0] < 0.2
    assert answer_of(found) in {"as much", "undecided"}


def test_one_seed_of_each_arm_has_no_interval_over_seeds() -> None:
    found = figures({name: own[:1] for name, own in arms(a=0.1, b=0.2).items()}).ratio
    assert found.seeds_interval is None and found.decides == found.interval


def test_the_ratio_is_the_share_of_the_gain() -> None:
    ratio = figures(arms(a=0.1, b=0.2)).ratio
    assert ratio.value == pytest.approx(0.5, abs=0.01)
    assert ratio.interval is not None
    assert 0.45 < ratio.interval[0] < 0.5 < ratio.interval[1] < 0.55


@pytest.mark.parametrize("gain", [0.0, -0.1])
def test_without_a_gain_of_real_annotations_there_is_no_ratio(gain: float) -> None:
    found = figures(arms(a=0.1, b=gain))
    assert (found.ratio.value, found.ratio.interval) == (None, None)
    assert answer_of(found) == "not defined"
    assert "not defined" in decision_of(found)


def test_a_small_loss_is_printed_as_in_the_table_and_not_as_a_gain_of_zero() -> None:
    """A reader would see +0.0 in the answer and -0.04 in the table."""
    found = figures(arms(a=0.1, b=0.0006))
    gain = found.arm("b").gain
    assert gain is not None and -0.0005 < gain.difference.value < 0
    assert f"real annotations gain {signed(gain.difference.value)} points [" in decision_of(found)


def test_a_gain_that_one_seed_alone_has_defines_no_ratio() -> None:
    values = arms(a=0.1, b=0.0)
    values["b"][0] += 0.3
    values["b"][1] -= 0.2
    assert values["b"].mean() > values["base"].mean() + 0.04
    assert figures(values).ratio.value is None


def test_a_ratio_is_paired_by_query() -> None:
    values = arms(b=0.2)
    values["b"] = values["b"] + np.random.default_rng(1).normal(0, 0.3, _QUERIES)
    ratio = figures(values | {"a": values["base"] + 0.5 * (values["b"] - values["base"])}).ratio
    assert ratio.interval == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(
    ("gain", "answer"), [(0.4, "more"), (0.2, "as much"), (0.1, "part"), (0.0, "nothing"), (-0.2, "nothing")]
)
def test_the_answer_follows_from_the_interval(gain: float, answer: Answer) -> None:
    assert answer_of(figures(arms(a=gain, b=0.2))) == answer


def test_a_wide_interval_decides_nothing() -> None:
    values = arms(a=0.1, b=0.2)
    values["a"] = values["a"] + np.random.default_rng(1).normal(0, 2.5, _QUERIES)
    assert answer_of(figures(values)) == "undecided"


def test_every_difference_isolates_one_cause_and_pays_for_the_others() -> None:
    values = arms(a=0.1, b=0.2, c=0.2, d=0.1, e=0.0, f=0.0)
    found = {one.contrast.name: one.gap for one in figures(values).causes}
    assert list(found) == ["query shift", "label noise", "domain value", "teacher value", "label order"]
    assert [round(found[name].difference.value, 1) for name in found] == [-0.1, 0.0, 0.1, 0.0, 0.1]
    assert found["domain value"].difference.significant and not found["label noise"].difference.significant
    assert {one.difference.family for one in found.values()} == {5}


def test_causes_and_gains_are_tested_by_the_rule_of_all_differences_on_means_over_seeds() -> None:
    values = arms(a=0.004, b=0.2, c=0.003, d=0.002, e=0.0)
    found = figures(values)
    means = {name: own.mean(axis=0) for name, own in values.items()}
    design = Design((_QUESTIONS,))
    pairs = [(one.contrast.first, one.contrast.second) for one in found.causes]
    causes = differences(design, [np.stack([means[one] - means[other] for one, other in pairs])])
    assert [one.gap.difference for one in found.causes] == [one.macro for one in causes]
    gains = differences(design, [np.stack([means[one.name] - means["base"] for one in found.arms[1:]])])
    assert [one.gain and one.gain.difference for one in found.arms] == [None, *(one.macro for one in gains)]
    for one in found.causes:
        own = seed_effect(design, [values[one.contrast.first]], [values[one.contrast.second]])
        assert one.gap.seeds_interval == own.interval
    assert found.arm("a").interval == value_interval(design, [means["a"]])


def test_a_cause_that_one_seed_alone_shows_is_no_cause() -> None:
    values = arms(a=0.1, b=0.2, c=0.1)
    values["a"][0] += 0.3
    values["a"][1] -= 0.2
    shift = next(one.gap for one in figures(values).causes if one.contrast.name == "query shift")
    assert shift.difference.significant and not shift.sure
    decision = decision_of(figures(values))
    assert "nothing that holds for other seeds" in decision and "p 0.000:" not in decision


def test_a_test_of_five_questions_has_no_interval_and_decides_nothing() -> None:
    values = {name: own[:, :5] for name, own in arms(a=0.1, b=0.2, c=0.1).items()}
    found = utility(values, Questions("the test", _QUESTIONS.ids[:5]))
    assert answer_of(found) == "not defined"
    assert "too few questions for an interval" in decision_of(found) and "nan" not in decision_of(found)


def test_one_seed_each_says_nothing_of_other_seeds() -> None:
    values = {name: own[:1] for name, own in arms(a=0.1, b=0.2).items()}
    gain = figures(values).arm("a").gain
    assert gain is not None and gain.sure and np.isnan(gain.seeds_interval).all()


def test_an_arm_that_was_not_trained_is_compared_with_nothing() -> None:
    found = figures(arms(a=0.1, b=0.2, c=0.2))
    assert [one.contrast.name for one in found.causes] == ["query shift", "label noise"]


def test_the_spread_of_the_seeds_is_reported_and_one_seed_has_none() -> None:
    values: Values = {**arms(a=0.1, b=0.2), "c": arms(c=0.1)["c"][:1]}
    found: Utility = figures(values)
    assert found.arm("a").sd > 0
    assert np.isnan(found.arm("c").sd)
    assert (found.arm("a").seeds, found.arm("c").seeds) == (2, 1)


def test_an_interval_without_an_end_is_called_unbounded() -> None:
    found = figures(arms(a=0.1, b=0.2))
    assert found.ratio.value is not None
    open_ = replace(found, ratio=replace(found.ratio, seeds_interval=(0.2, math.inf)))
    assert "(95 % interval [20%, unbounded])" in decision_of(open_)

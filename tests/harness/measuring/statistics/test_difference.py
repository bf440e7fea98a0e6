"""One rule for every difference. What a user would lose: a mark, an interval and a p-value that say the same thing, of
questions, whatever else is in the table."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import ALPHA, FEWEST, DesignPart, difference, differences
from harness.measuring.statistics.flips import FLIPS, flipped_sums
from tests.harness.measuring.statistics.designs import alone, ids, like_ndcg, of, parallel, same, several, stacked

EIGHT = np.array([0.1, -0.2, 0.3, 0.05, 0.0, 0.4, -0.1, 0.25])


# The test


def every_flip(design: Design, deltas: Sequence[Floats64]) -> tuple[float, float]:
    """One-sided and two-sided p-values over all combinations of signs of the questions."""
    units = design.sums(deltas)
    sums = np.array(list(itertools.product((1, -1), repeat=len(units)))) @ units
    greater, less = np.mean(sums >= units.sum() - 1e-12), np.mean(sums <= units.sum() + 1e-12)
    return float(greater), float(min(1.0, 2 * min(greater, less)))


@pytest.mark.parametrize("shift", [-0.15, 0.0, 0.05])
def test_the_p_value_is_that_of_all_flips_counted(shift: float) -> None:
    deltas = [EIGHT + shift, np.array([0.3, -0.1, 0.2]) + shift]
    design = of(*deltas, weights=[0.3, 0.7])
    found, (greater, p) = difference(design, deltas), every_flip(design, deltas)
    assert found.greater_p == pytest.approx(greater, abs=0.015)
    assert found.p == pytest.approx(p, abs=0.03)


@pytest.mark.parametrize("size", [8, 60, 300])
def test_the_p_value_is_that_of_scipys_permutation_test(size: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    deltas = like_ndcg(np.random.default_rng(size), size, 0.02)
    referee = stats.permutation_test(
        (deltas,), lambda v, axis: v.mean(axis=axis), permutation_type="samples", n_resamples=20_000, batch=1000, rng=2
    )
    assert difference(alone(size), [deltas]).p == pytest.approx(referee.pvalue, abs=0.025)


@pytest.mark.parametrize("lift", [0.005, 0.02])
def test_the_p_value_is_exact_where_flips_cannot_be_counted(lift: float) -> None:
    """The sum's characteristic function is prod cos(part x t); inverted it gives the p-value over all 2^n flips.

    A few questions carry most of the weight, so that the normal distribution would be a poor referee.
    """
    generator = np.random.default_rng(9)
    deltas = [generator.laplace(lift, 0.12, size) for size in (9, 60, 400)]
    parts = np.concatenate([values / len(values) for values in deltas])
    parts /= np.sqrt(np.square(parts).sum())
    times = (np.arange(8000) + 0.5) * 0.005
    inside = np.sin(times * abs(parts.sum())) / times * np.prod([np.cos(part * times) for part in parts], axis=0)
    p = 1 - 2 / math.pi * inside.sum() * 0.005
    named = [Design(tuple(Questions(f"{draw} {place}", ids(len(own))) for place, own in enumerate(deltas)))
             for draw in range(10)]  # fmt: skip
    assert np.mean([difference(design, deltas).p for design in named]) == pytest.approx(p, abs=0.01)


def test_the_observed_one_counts_so_that_no_p_value_is_zero() -> None:
    assert difference(alone(60), [np.full(60, 0.5)]).p == 2 / (FLIPS + 1)


def test_the_direction_of_the_one_sided_p_value_is_above_zero() -> None:
    worse = like_ndcg(np.random.default_rng(2), 200, -0.05)
    assert difference(alone(200), [worse]).greater_p > 0.99
    assert difference(alone(200), [-worse]).greater_p < 0.01


def test_equal_systems_have_no_difference_whatever_the_rounding() -> None:
    for value in (0.0, 1e-17, 0.1 + 0.2 - 0.3):
        found = difference(alone(30, 9), [np.full(30, value), np.full(9, -value)])
        assert (found.value, found.interval, found.p, found.significant) == (0.0, (0.0, 0.0), 1.0, False)


def test_points_and_fractions_have_the_same_p_value() -> None:
    assert len({difference(alone(8), [EIGHT * scale]).p for scale in (1e-6, 1, 1e7 / 3)}) == 1


def test_a_question_without_a_difference_does_not_change_the_p_value() -> None:
    design = Design((Questions("c", ids(8)),))
    without = Design((Questions("c", tuple(np.delete(ids(8), 4))),))
    assert difference(design, [EIGHT]).p == difference(without, [np.delete(EIGHT, 4)]).p


def test_a_collection_counts_as_much_as_its_weight_not_as_its_queries() -> None:
    generator = np.random.default_rng(4)
    small, large = generator.normal(0.2, 0.1, 40), generator.normal(0.0, 0.1, 4000)
    deltas = [small, large - large.mean()]
    assert difference(of(*deltas), deltas).p < 0.001
    assert difference(alone(4040), [np.concatenate(deltas)]).p > 0.05
    assert difference(of(*deltas, weights=[1e-4, 1 - 1e-4]), deltas).p > 0.5


# The interval


def hartigan(design: Design, deltas: Sequence[Floats64]) -> tuple[float, float]:
    """The means of all 2^n - 1 subsets of the questions; 2.5 % of the 2^n intervals between them lie outside on each
    side."""
    units, share = design.sums(deltas), design.share
    subsets = np.array(list(itertools.product((0, 1), repeat=len(units))))[1:]
    means = np.sort((subsets @ units) / (subsets @ share))
    outside = math.floor((len(means) + 1) * ALPHA / 2)
    return float(means[outside - 1]), float(means[-outside])


@pytest.mark.parametrize("size", [6, 7, 8, 9, 10])
def test_the_interval_is_hartigans_from_all_subsets(size: int) -> None:
    """The ends are order statistics of a sample of the subsets: they lie between those at 1.9 and at 3.2 %."""
    deltas = np.random.default_rng(size).normal(0.03, 0.1, size)
    low, high = difference(alone(size), [deltas]).interval
    subsets = np.array(list(itertools.product((0, 1), repeat=size)))[1:]
    means = np.sort((subsets @ deltas) / subsets.sum(axis=1))
    near = [math.floor(2**size * tail) for tail in (0.019, 0.032)]
    assert means[max(0, near[0] - 1)] - 1e-9 <= low <= means[near[1]] + 1e-9
    assert means[-near[1] - 1] - 1e-9 <= high <= means[-max(1, near[0])] + 1e-9
    assert (low, high) == pytest.approx(hartigan(alone(size), [deltas]), abs=0.02)


def test_the_ends_of_the_interval_are_the_differences_that_are_just_not_rejected() -> None:
    deltas = [like_ndcg(np.random.default_rng(1), 50, 0.05), like_ndcg(np.random.default_rng(2), 20)]
    design = of(*deltas)
    low, high = difference(design, deltas).interval
    for end, inwards in ((low, 1), (high, -1)):
        assert difference(design, [own - end - inwards * 1e-6 for own in deltas]).p > ALPHA
        assert difference(design, [own - end + inwards * 1e-6 for own in deltas]).p <= ALPHA


def test_a_large_sample_gets_the_interval_of_students_t() -> None:
    deltas = np.random.default_rng(3).normal(0.01, 0.1, 2000)
    half = 1.961 * deltas.std(ddof=1) / math.sqrt(2000)
    assert difference(alone(2000), [deltas]).interval == pytest.approx(
        (deltas.mean() - half, deltas.mean() + half), abs=half / 20
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=3), mean=st.floats(-0.2, 0.2)
)
def test_the_interval_leaves_out_zero_exactly_where_p_is_at_most_five_percent(
    seed: int, sizes: list[int], mean: float
) -> None:
    generator = np.random.default_rng(seed)
    deltas = [like_ndcg(generator, size, mean) for size in sizes]
    found = difference(of(*deltas), deltas)
    low, high = found.interval
    if sum(sizes) < FEWEST:
        assert math.isnan(low) and math.isnan(high) and found.p > ALPHA
    else:
        assert (low > 0 or high < 0) == (found.p <= ALPHA)
        assert low <= found.value + 1e-12 and found.value - 1e-12 <= high
    assert found.adjusted_p == found.p, "a family of one needs no correction"


@pytest.mark.parametrize(
    "design", [alone(5), alone(2, 3), parallel(10, 5), Design((Questions("set 15122", tuple("abcde")),))]
)
def test_fewer_than_six_questions_have_a_p_value_and_no_interval(design: Design) -> None:
    """In the last set fewer than 2.5 % of the 10,000 flips leave all five questions as they are, where 3.1 % should."""
    found = difference(design, [np.full(len(one.ids), 0.5) for one in design.collections])
    assert found.interval == pytest.approx((math.nan, math.nan), nan_ok=True)
    assert found.p == pytest.approx(0.0625, abs=0.01) and found.p > ALPHA and not found.significant


def test_six_questions_have_an_interval() -> None:
    found = difference(alone(6), [np.full(6, 0.5)])
    assert found.interval == (0.5, 0.5) and found.p == pytest.approx(2 / 64, abs=0.01)


# Questions, not queries


def translated(generator: np.random.Generator, languages: int, size: int) -> list[Floats64]:
    question = like_ndcg(generator, size, 0.03)
    return [question + generator.normal(0, 0.05, size) for _ in range(languages)]


@pytest.mark.parametrize("languages", [2, 10])
def test_a_parallel_set_is_its_questions_averaged_over_the_languages(languages: int) -> None:
    deltas = translated(np.random.default_rng(5), languages, 40)
    by_hand = Design((Questions("set", ids(40)),))
    same(difference(parallel(languages, 40), deltas), difference(by_hand, [np.mean(deltas, axis=0)]))


def test_a_language_that_is_a_copy_changes_nothing() -> None:
    (deltas,) = translated(np.random.default_rng(6), 1, 40)
    one, ten = (difference(parallel(count, 40), [deltas] * count) for count in (1, 10))
    same(one, ten)
    assert difference(of(*[deltas] * 10), [deltas] * 10).p < one.p, "counted as queries they would prove themselves"


def test_languages_with_other_weights_and_missing_questions_are_averaged_by_what_they_weigh() -> None:
    generator = np.random.default_rng(7)
    names = (ids(30), ids(30)[::2], ids(30)[10:])
    deltas = [generator.normal(0.05, 0.1, len(own)) for own in names]
    design = Design(tuple(Questions("set", own) for own in names), [1, 2, 3])
    units = dict.fromkeys(ids(30), 0.0)
    weighed = dict.fromkeys(ids(30), 0.0)
    for own, values, weight in zip(names, deltas, (1 / 6, 2 / 6, 3 / 6), strict=True):
        for name, value in zip(own, values, strict=True):
            units[name] += weight * value / len(own)
            weighed[name] += weight / len(own)
    flipped = flipped_sums(Questions("set", ids(30)), np.array([list(units.values()), list(weighed.values())]))
    p = 2 * min(1 + np.sum(side) for side in (flipped[0] <= 0, flipped[0] >= 0)) / (FLIPS + 1)
    means = np.sort(flipped[0] / flipped[1])
    found = difference(design, deltas)
    assert found.value == pytest.approx(sum(units.values()))
    assert found.p == pytest.approx(p)
    assert found.interval == pytest.approx((means[249], means[-250]))


# What cannot be tested


def test_a_collection_without_queries_leaves_nothing_to_say_of_the_average() -> None:
    design = alone(20, 0)
    found = differences(
        design, [np.full((1, 20), 0.1), np.zeros((1, 0))], [[DesignPart((0,), (1.0,)), DesignPart((1,), (1.0,))]]
    )
    assert math.isnan(found[0].macro.p) and math.isnan(found[0].macro.value)
    first, second = found[0].local[0]
    assert first.significant and first.family == 1 and math.isnan(second.p)


def test_nothing_to_compare_has_no_difference() -> None:
    assert math.isnan(difference(Design(()), []).p)
    assert differences(Design(()), []) == []
    assert differences(alone(5), [np.zeros((0, 5))]) == []


def test_values_of_other_queries_are_refused() -> None:
    with pytest.raises(ValueError):
        difference(alone(5), [np.ones(4)])
    with pytest.raises(ValueError):
        difference(alone(5), [np.ones(5), np.ones(5)])


# How often it is wrong


def test_equal_systems_are_called_different_as_seldom_as_promised() -> None:
    generator, design = np.random.default_rng(7), parallel(3, 30)
    rows = []
    for _ in range(400):
        question = like_ndcg(generator, 30)
        rows.append([question + generator.normal(0, 0.03, 30) for _ in range(3)])
    found = [one.macro.p for one in differences(design, stacked(rows))]
    for tail in (0.05, 0.2, 0.5):
        assert np.mean(np.array(found) <= tail) == pytest.approx(tail, abs=3.2 * math.sqrt(tail * (1 - tail) / 400))


def test_a_real_difference_is_found() -> None:
    design = alone(40, 70)
    found = differences(design, stacked(several(8, design, [0.05] * 100)))
    assert np.mean([one.macro.p <= ALPHA for one in found]) > 0.75

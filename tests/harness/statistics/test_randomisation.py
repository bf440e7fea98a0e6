"""A p-value is the share of sign flips that do as well as what was seen, and nothing else."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest

from harness.statistics.randomisation import Alternative, randomisation_p
from harness.statistics.strata import Floats64

EIGHT = np.array([0.1, -0.2, 0.3, 0.05, 0.0, 0.4, -0.1, 0.25])


def exact(strata: list[Floats64], weights: list[float], alternative: Alternative, shift: float = 0.0) -> float:
    """Every combination of signs, counted."""
    parts = [(v + shift) * w / len(v) for v, w in zip(strata, weights, strict=True)]
    flat = np.concatenate(parts)
    sums = np.array([np.dot(signs, flat) for signs in itertools.product((1, -1), repeat=len(flat))])
    if alternative == "two-sided":
        return float(np.mean(np.abs(sums) >= abs(flat.sum()) - 1e-12))
    return float(np.mean(sums >= flat.sum() - 1e-12 if alternative == "greater" else sums <= flat.sum() + 1e-12))


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_the_p_value_is_that_of_all_flips_counted(alternative: Alternative, shift: float) -> None:
    strata, weights = [EIGHT, np.array([0.3, -0.1, 0.2])], [0.3, 0.7]
    p = randomisation_p(strata, weights, flips=40_000, alternative=alternative, shift=shift)
    assert p == pytest.approx(exact(strata, weights, alternative, shift), abs=0.01)


@pytest.mark.parametrize("lift", [0.005, 0.02])
def test_the_p_value_is_exact_where_flips_cannot_be_counted(lift: float) -> None:
    """The sum's characteristic function is prod cos(part x t); inverted it gives the p-value over all 2^n flips.

    A few queries carry most of the weight, so that the normal distribution would be a poor referee.
    """
    generator = np.random.default_rng(9)
    strata = [generator.laplace(lift, 0.12, size) for size in (9, 60, 400)]
    parts = np.concatenate([values / len(values) for values in strata])
    parts /= np.sqrt(np.square(parts).sum())
    times = (np.arange(8000) + 0.5) * 0.005
    inside = np.sin(times * abs(parts.sum())) / times * np.prod([np.cos(part * times) for part in parts], axis=0)
    p = 1 - 2 / math.pi * inside.sum() * 0.005
    found = np.mean([randomisation_p(strata, seed=seed) for seed in range(10)])
    assert found == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 100_000))


def test_scipys_exact_permutation_test_gives_the_same() -> None:
    assert randomisation_p([EIGHT], flips=40_000) == pytest.approx(0.234375, abs=0.01)


def test_a_random_p_value_agrees_with_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    deltas = np.random.default_rng(1).normal(0.02, 0.15, 200)
    found = stats.permutation_test(
        (deltas,), lambda v, axis: v.mean(axis=axis), permutation_type="samples", n_resamples=5000, batch=500, rng=2
    )
    assert randomisation_p([deltas]) == pytest.approx(found.pvalue, abs=0.02)
    assert randomisation_p([deltas]) == pytest.approx(stats.ttest_1samp(deltas, 0).pvalue, abs=0.02)


def test_the_observed_one_counts_so_that_no_p_value_is_zero() -> None:
    assert randomisation_p([np.full(60, 0.5)], flips=999) == 1 / 1000


def test_systems_that_are_the_same_get_a_p_value_of_one() -> None:
    assert randomisation_p([np.zeros(30), np.zeros(5)]) == 1.0
    assert randomisation_p([np.full(30, 1e-17)]) == 1.0, "rounding is no difference"


def test_the_direction_of_a_one_sided_test_is_the_one_asked_for() -> None:
    worse = np.random.default_rng(2).normal(-0.05, 0.1, 100)
    assert randomisation_p([worse], alternative="less") < 0.01
    assert randomisation_p([worse], alternative="greater") > 0.99


def test_the_margin_shifts_the_question_from_better_to_not_worse() -> None:
    same = np.random.default_rng(3).normal(0.0, 0.1, 2000)
    same -= same.mean()
    assert randomisation_p([same], alternative="greater") == pytest.approx(0.5, abs=0.03)
    assert randomisation_p([same], alternative="greater", shift=0.01) < 0.001
    assert randomisation_p([same - 0.02], alternative="greater", shift=0.01) > 0.999


def test_a_collection_counts_as_much_as_its_weight_not_as_its_queries() -> None:
    generator = np.random.default_rng(4)
    small, large = generator.normal(0.2, 0.1, 40), generator.normal(0.0, 0.1, 4000)
    assert randomisation_p([small, large - large.mean()]) < 0.001
    assert randomisation_p([np.concatenate([small, large - large.mean()])]) > 0.05
    assert randomisation_p([small, large - large.mean()], [1e-4, 1 - 1e-4]) > 0.5


def test_every_query_is_flipped_on_its_own() -> None:
    """Flips shared between collections, or between neighbours, would make the p-value of a sure win larger."""
    values = np.full(4, 0.1)
    p = randomisation_p([values, values, values], flips=40_000)
    assert p == pytest.approx(2 / 2**12, abs=0.0005)


def test_points_and_fractions_have_the_same_p_value() -> None:
    assert randomisation_p([EIGHT * 1e-6]) == randomisation_p([EIGHT]) == randomisation_p([EIGHT * 1e7 / 3])


def test_the_same_seed_gives_the_same_p_value() -> None:
    assert randomisation_p([EIGHT], seed=5) == randomisation_p([EIGHT], seed=5)
    assert len({randomisation_p([EIGHT], seed=seed) for seed in range(5)}) > 1


def test_a_query_without_a_difference_changes_nothing() -> None:
    assert randomisation_p([EIGHT]) == randomisation_p([np.delete(EIGHT, 4)])


def test_what_cannot_be_tested_has_no_p_value() -> None:
    assert math.isnan(randomisation_p([]))
    assert math.isnan(randomisation_p([EIGHT, np.zeros(0)]))
    assert math.isnan(randomisation_p([np.array([0.1, np.nan])]))


def test_memory_does_not_grow_with_queries_times_flips() -> None:
    strata = [np.random.default_rng(6).normal(0, 0.1, 3000)] * 2
    tracemalloc.start()
    randomisation_p(strata, flips=2000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000, "queries x flips would be 96 MB"


@pytest.mark.parametrize("tail", [0.05, 0.2, 0.5])
def test_equal_systems_are_called_different_as_seldom_as_promised(tail: float) -> None:
    generator = np.random.default_rng(7)
    found = [randomisation_p(null(generator), [0.5, 0.5], flips=399, seed=seed) for seed in range(600)]
    assert np.mean(np.array(found) <= tail) == pytest.approx(tail, abs=3.2 * math.sqrt(tail * (1 - tail) / 600))


def test_a_real_difference_is_found() -> None:
    generator = np.random.default_rng(8)
    found = [randomisation_p([values + 0.05 for values in null(generator)], flips=399) for _ in range(100)]
    assert np.mean(np.array(found) <= 0.05) > 0.75


def null(generator: np.random.Generator) -> list[Floats64]:
    """Two collections, half of the queries without a difference, as nDCG differences are; mean 0."""
    return [generator.laplace(0, 0.12, size) * (generator.random(size) < 0.5) for size in (40, 70)]

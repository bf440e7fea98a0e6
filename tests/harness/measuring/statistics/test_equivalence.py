"""Not significantly different is not the same: equivalence has to be shown, within a margin named before."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.measuring.statistics.equivalence import lower_bound, tost, upper_bound
from harness.measuring.statistics.student import quantile
from tests.harness.measuring.statistics.designs import alone, of, parallel

EIGHT = np.array([0.1, -0.2, 0.3, 0.05, 0.0, 0.4, -0.1, 0.25])


def test_one_sided_values_are_scipys() -> None:
    """scipy.stats.ttest_1samp, and its 90 % interval"""
    assert lower_bound(alone(8), [EIGHT]) == pytest.approx(-0.037508524852949365)
    assert upper_bound(alone(8), [EIGHT]) == pytest.approx(0.23750852485294935)
    assert lower_bound(alone(8), [EIGHT], 0.03879778792578591) == pytest.approx(-0.05)


def test_the_larger_of_the_two_tests_counts() -> None:
    assert tost(alone(8), [EIGHT], margin=0.3).p == pytest.approx(0.01413777973979827)
    assert tost(alone(8), [-EIGHT], margin=0.3).p == pytest.approx(0.01413777973979827)


def test_collections_are_joined_as_welch_does() -> None:
    """scipy.stats.ttest_ind(a, -b, equal_var=False, alternative="greater")"""
    a, b = np.array([0.1, -0.2, 0.3, 0.05]), np.array([0.2, 0.1, 0.4, -0.1, 0.3, 0.05])
    assert lower_bound(of(a, b), [a, b], 0.06592903766801025) == pytest.approx(0.0, abs=1e-12)


def test_a_parallel_set_is_bounded_by_its_questions() -> None:
    """Student's bounds of the questions, averaged over the languages; counted as queries they would lie closer."""
    question = np.random.default_rng(5).normal(0.01, 0.1, 30)
    values = [question + np.random.default_rng(seed).normal(0, 0.03, 30) for seed in range(5)]
    averages = np.mean(values, axis=0)
    half = quantile(0.95, 29) * averages.std(ddof=1) / math.sqrt(30)
    design = parallel(5, 30)
    assert lower_bound(design, values) == pytest.approx(averages.mean() - half)
    assert upper_bound(design, values) == pytest.approx(averages.mean() + half)
    assert lower_bound(of(*values), values) > lower_bound(design, values) + 0.4 * half


def test_values_agree_with_the_installed_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    deltas = np.random.default_rng(0).normal(-0.01, 0.1, 77)
    interval = stats.ttest_1samp(deltas, 0).confidence_interval(0.9)
    assert tost(alone(77), [deltas], margin=0.05).interval == pytest.approx((interval.low, interval.high))


def test_too_few_queries_show_no_equivalence() -> None:
    noisy = np.random.default_rng(1).normal(0, 0.2, 20)
    assert lower_bound(alone(20), [noisy]) < 0 < upper_bound(alone(20), [noisy])
    assert not tost(alone(20), [noisy], margin=0.01).equivalent


def test_a_small_real_difference_is_equivalent_within_the_margin_and_only_there() -> None:
    deltas = np.random.default_rng(2).normal(0, 0.01, 2000)
    deltas += 0.002 - deltas.mean()
    assert tost(alone(2000), [deltas], margin=0.005).equivalent
    assert not tost(alone(2000), [deltas], margin=0.002).equivalent
    assert not tost(alone(2000), [deltas - 0.02], margin=0.005).equivalent
    assert not tost(alone(2000), [deltas + 0.02], margin=0.005).equivalent


def test_equivalent_says_the_same_as_the_interval() -> None:
    for seed in range(40):
        values = [np.random.default_rng(seed).normal(0, 0.1, 60), np.zeros(5)]
        found = tost(of(*values, weights=[0.7, 0.3]), values, margin=0.02)
        assert found.equivalent == (max(-found.interval[0], found.interval[1]) < 0.02)


def test_a_bit_equal_port_is_equivalent_within_any_margin() -> None:
    found = tost(alone(30), [np.zeros(30)], margin=1e-9)
    assert found == tost(alone(30, 2), [np.zeros(30), np.zeros(2)], margin=1e-9)
    assert (found.p, found.interval, found.equivalent) == (0.0, (0.0, 0.0), True)
    assert lower_bound(alone(9), [np.full(9, 0.1)]) == pytest.approx(0.1)
    assert tost(alone(9), [np.full(9, 0.1)], margin=0.05).p == 1.0


def test_one_query_is_no_sample() -> None:
    assert math.isnan(lower_bound(alone(1), [np.array([0.5])]))
    assert math.isnan(upper_bound(parallel(10, 1), [np.array([0.5])] * 10)), "nor is it in ten languages"
    assert math.isnan(lower_bound(alone(), []))
    assert not tost(alone(1), [np.zeros(1)], margin=0.5).equivalent
    assert math.isnan(tost(alone(1), [np.zeros(1)], margin=0.5).p)


def test_the_lower_bound_fails_as_seldom_as_it_says() -> None:
    """Unequal spreads and a small collection: a normal bound would fail more often."""
    generator = np.random.default_rng(3)
    drawn = [[generator.normal(0, 0.3, 6), generator.normal(0, 0.05, 40)] for _ in range(2000)]
    failed = np.mean([lower_bound(alone(6, 40), values) > 0 for values in drawn])
    assert failed == pytest.approx(0.05, abs=0.013)


def test_systems_worse_by_the_margin_pass_as_seldom_as_promised() -> None:
    generator = np.random.default_rng(4)
    drawn = [[generator.laplace(-0.01, 0.07, size) for size in (50, 200)] for _ in range(2000)]
    passed = np.mean([lower_bound(alone(50, 200), values) >= -0.01 for values in drawn])
    assert passed == pytest.approx(0.05, abs=0.015)

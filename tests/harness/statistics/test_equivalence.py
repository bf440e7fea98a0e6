"""Not significantly different is not the same: equivalence has to be shown, within a margin named before."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics.equivalence import local_p, lower_bound, noninferiority_p, tost, upper_bound

EIGHT = np.array([0.1, -0.2, 0.3, 0.05, 0.0, 0.4, -0.1, 0.25])


def test_one_sided_values_are_scipys() -> None:
    """scipy.stats.ttest_1samp, and its 90 % interval"""
    assert local_p(EIGHT) == pytest.approx(0.8946496094573279)
    assert local_p(-EIGHT) == pytest.approx(0.10535039054267212)
    assert noninferiority_p([EIGHT], margin=0.05) == pytest.approx(0.03879778792578591)
    assert lower_bound([EIGHT]) == pytest.approx(-0.037508524852949365)
    assert upper_bound([EIGHT]) == pytest.approx(0.23750852485294935)


def test_the_larger_of_the_two_tests_counts() -> None:
    assert tost([EIGHT], margin=0.3).p == pytest.approx(0.01413777973979827)
    assert tost([-EIGHT], margin=0.3).p == pytest.approx(0.01413777973979827)


def test_strata_are_joined_as_welch_does() -> None:
    """scipy.stats.ttest_ind(a, -b, equal_var=False, alternative="greater")"""
    a, b = np.array([0.1, -0.2, 0.3, 0.05]), np.array([0.2, 0.1, 0.4, -0.1, 0.3, 0.05])
    assert noninferiority_p([a, b], margin=0.0) == pytest.approx(0.06592903766801025)


def test_values_agree_with_the_installed_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    deltas = np.random.default_rng(0).normal(-0.01, 0.1, 77)
    assert local_p(deltas) == pytest.approx(stats.ttest_rel(deltas, np.zeros(77), alternative="less").pvalue)
    interval = stats.ttest_1samp(deltas, 0).confidence_interval(0.9)
    assert tost([deltas], margin=0.05).interval == pytest.approx((interval.low, interval.high))


def test_too_few_queries_show_no_equivalence() -> None:
    noisy = np.random.default_rng(1).normal(0, 0.2, 20)
    assert local_p(noisy) > 0.05
    assert not tost([noisy], margin=0.01).equivalent


def test_a_small_real_difference_is_equivalent_within_the_margin_and_only_there() -> None:
    deltas = np.random.default_rng(2).normal(0, 0.01, 2000)
    deltas += 0.002 - deltas.mean()
    assert tost([deltas], margin=0.005).equivalent
    assert not tost([deltas], margin=0.002).equivalent
    assert not tost([deltas - 0.02], margin=0.005).equivalent
    assert not tost([deltas + 0.02], margin=0.005).equivalent


def test_equivalent_says_the_same_as_the_interval() -> None:
    for seed in range(40):
        found = tost([np.random.default_rng(seed).normal(0, 0.1, 60), np.zeros(5)], [0.7, 0.3], margin=0.02)
        assert found.equivalent == (max(-found.interval[0], found.interval[1]) < 0.02)


def test_a_bit_equal_port_is_equivalent_within_any_margin() -> None:
    found = tost([np.zeros(30)], margin=1e-9)
    assert found == tost([np.zeros(30), np.zeros(2)], margin=1e-9)
    assert (found.p, found.interval, found.equivalent) == (0.0, (0.0, 0.0), True)
    assert lower_bound([np.full(9, 0.1)]) == pytest.approx(0.1)
    assert tost([np.full(9, 0.1)], margin=0.05).p == 1.0


def test_two_queries_that_both_fell_prove_no_collapse() -> None:
    assert local_p(np.full(2, -1.0)) == 0.25
    assert local_p(np.full(2, 1.0)) == 1.0
    assert local_p(np.zeros(50)) == 1.0
    assert local_p(np.full(50, -1e-17)) == 1.0, "rounding is no loss"


def test_one_query_is_no_sample() -> None:
    assert math.isnan(local_p(np.array([0.5])))
    assert math.isnan(lower_bound([np.zeros(1)]))
    assert math.isnan(noninferiority_p([], margin=0.01))
    assert not tost([np.zeros(1)], margin=0.5).equivalent
    assert math.isnan(tost([np.zeros(1)], margin=0.5).p)


def test_the_lower_bound_fails_as_seldom_as_it_says() -> None:
    """Unequal spreads and a small collection: a normal bound would fail more often."""
    generator = np.random.default_rng(3)
    drawn = [[generator.normal(0, 0.3, 6), generator.normal(0, 0.05, 40)] for _ in range(2000)]
    failed = np.mean([lower_bound(strata) > 0 for strata in drawn])
    assert failed == pytest.approx(0.05, abs=0.013)


def test_systems_worse_by_the_margin_pass_as_seldom_as_promised() -> None:
    generator = np.random.default_rng(4)
    drawn = [[generator.laplace(-0.01, 0.07, size) for size in (50, 200)] for _ in range(2000)]
    passed = np.mean([noninferiority_p(strata, margin=0.01) <= 0.05 for strata in drawn])
    assert passed == pytest.approx(0.05, abs=0.015)

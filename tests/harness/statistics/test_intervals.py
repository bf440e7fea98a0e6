"""An interval says how far the number can be trusted, and says the same every time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics import intervals as significance
from harness.statistics.intervals import bootstrap_interval, stratified_interval


def test_the_same_values_and_seed_give_the_same_interval() -> None:
    values = np.random.default_rng(0).random(50)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values)


def test_a_large_sample_gets_the_interval_of_the_normal_distribution() -> None:
    values = np.random.default_rng(1).random(2000)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=half / 20)
    assert high == pytest.approx(values.mean() + half, abs=half / 20)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    intervals = [bootstrap_interval(generator.random(40), resamples=500, level=0.9) for _ in range(300)]
    covered = np.mean([low <= 0.5 <= high for low, high in intervals])
    assert 0.84 <= covered <= 0.94


def test_a_higher_level_gives_a_wider_interval() -> None:
    values = np.random.default_rng(3).random(30)
    low, high = bootstrap_interval(values, level=0.99)
    inner_low, inner_high = bootstrap_interval(values, level=0.9)
    assert low < inner_low < inner_high < high


def test_equal_values_have_no_width() -> None:
    assert bootstrap_interval(np.full(10, 0.25)) == (0.25, 0.25)


@pytest.mark.parametrize("size", [0, 1])
def test_fewer_than_two_queries_have_no_interval(size: int) -> None:
    assert all(map(math.isnan, bootstrap_interval(np.ones(size))))
    assert all(map(math.isnan, stratified_interval([np.ones(5), np.ones(size)])))
    assert all(map(math.isnan, stratified_interval([])))


def test_one_stratum_is_the_plain_bootstrap() -> None:
    values = np.random.default_rng(4).random(25)
    assert stratified_interval([values], seed=9) == bootstrap_interval(values, seed=9)


def test_every_stratum_has_the_same_weight_however_many_queries_it_has() -> None:
    generator = np.random.default_rng(5)
    small, large = generator.normal(0.2, 0.05, 20), generator.normal(0.8, 0.05, 2000)
    low, high = stratified_interval([small, large])
    assert low < (small.mean() + large.mean()) / 2 < high
    assert high < 0.55


def test_a_stratum_counts_as_much_as_its_weight() -> None:
    generator = np.random.default_rng(5)
    strata = [generator.normal(mean, 0.01, 50) for mean in (0.0, 0.0, 0.9)]
    low, high = stratified_interval(strata, [0.25, 0.25, 0.5])
    assert low < sum(w * s.mean() for w, s in zip((0.25, 0.25, 0.5), strata, strict=True)) < high
    assert 0.44 < low < high < 0.46
    assert stratified_interval(strata, [1, 1, 2]) == pytest.approx((low, high))
    assert stratified_interval(strata, np.ones(3)) == stratified_interval(strata)


def test_queries_are_resampled_within_their_stratum() -> None:
    low, high = stratified_interval([np.zeros(10), np.ones(10)])
    assert (low, high) == (0.5, 0.5)


def test_strata_are_resampled_independently() -> None:
    values = np.random.default_rng(6).random(100)
    one, two = bootstrap_interval(values), stratified_interval([values, values])
    assert (two[1] - two[0]) == pytest.approx((one[1] - one[0]) / math.sqrt(2), rel=0.05)


def test_paired_differences_need_no_other_function() -> None:
    generator = np.random.default_rng(7)
    baseline = generator.random(200)
    low, high = bootstrap_interval(baseline + generator.normal(0.02, 0.01, 200) - baseline)
    assert 0 < low < 0.02 < high


def test_memory_is_bounded_by_blocks_of_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(significance, "_DRAWS", 1)
    values = np.random.default_rng(8).random(30)
    low, high = bootstrap_interval(values, resamples=2000)
    assert low < values.mean() < high

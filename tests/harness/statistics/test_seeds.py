"""One lucky training is not a better method: seeds vary, and the interval has to say so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics import seeds as module
from harness.statistics.intervals import bootstrap_interval
from harness.statistics.seeds import between_seed_sd, seed_effect, seed_means
from harness.statistics.strata import Floats64


def trained(generator: np.random.Generator, seeds: int, *, between: float, mean: float = 0.5) -> list[Floats64]:
    """Two collections; every seed has a quality of its own in both."""
    quality = generator.normal(mean, between, seeds)
    return [quality[:, None] + generator.normal(0, 0.1, (seeds, size)) for size in (60, 90)]


def test_the_spread_between_seeds_is_that_of_their_macro_values() -> None:
    strata = [np.array([[0.1, 0.3], [0.5, 0.5]]), np.array([[0.0], [0.2]])]
    assert between_seed_sd(strata, [0.75, 0.25]) == pytest.approx(np.std([0.15, 0.425], ddof=1))
    assert math.isnan(between_seed_sd([values[:1] for values in strata]))
    assert [list(means) for means in seed_means(strata)] == [pytest.approx([0.3, 0.4]), pytest.approx([0.1])]


def test_one_seed_each_is_the_paired_bootstrap() -> None:
    generator = np.random.default_rng(0)
    new, old = generator.random(80), generator.random(80)
    found = seed_effect([new[None]], [old[None]])
    assert found.delta == pytest.approx((new - old).mean())
    assert found.interval == pytest.approx(bootstrap_interval(new - old), abs=0.005)
    assert (found.candidate_seeds, found.baseline_seeds) == (1, 1)
    assert math.isnan(found.candidate_sd)


def test_queries_stay_paired_when_they_are_resampled() -> None:
    hard = np.random.default_rng(1).random((1, 100))
    assert seed_effect([hard + 0.1], [hard]).interval == pytest.approx((0.1, 0.1))


def test_seeds_that_lie_apart_make_the_interval_wider() -> None:
    together, apart = (trained(np.random.default_rng(2), 5, between=sd) for sd in (0.0, 0.05))
    baseline = [values[:1] for values in together]
    narrow, wide = (seed_effect(system, baseline, resamples=2000) for system in (together, apart))
    assert wide.interval[1] - wide.interval[0] > 1.5 * (narrow.interval[1] - narrow.interval[0])
    assert wide.candidate_sd > narrow.candidate_sd


def test_seeds_of_the_baseline_count_too() -> None:
    together, apart = (trained(np.random.default_rng(2), 5, between=sd) for sd in (0.0, 0.05))
    narrow, wide = (seed_effect(together, system, resamples=2000).interval for system in (together, apart))
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_the_spread_of_few_seeds_is_not_shrunk_by_resampling_them() -> None:
    """Three seeds without noise in the queries: the sd of a resampled mean is the textbook sd / sqrt(3)."""
    values = [np.repeat([[0.4], [0.5], [0.7]], 50, axis=1)]
    votes = module._seed_votes(3, 20_000, np.random.default_rng(3))
    means = module._resampled(values[0], votes, np.random.default_rng(4))
    assert means.std() == pytest.approx(between_seed_sd(values) / math.sqrt(3), rel=0.03)
    assert votes.sum(axis=1) == pytest.approx(np.ones(20_000))


def test_a_seed_is_the_same_checkpoint_in_every_collection() -> None:
    """Seeds drawn anew for every collection would average the luck away: the interval would be 1.4 times too short."""
    line = np.repeat([[0.3], [0.4], [0.5], [0.6], [0.7]], 50, axis=1)
    one, two = (seed_effect([line] * count, [np.full((1, 50), 0.5)] * count).interval for count in (1, 2))
    assert two == pytest.approx(one, abs=0.01)


def test_the_interval_over_seeds_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    held = 0
    for seed in range(200):
        pair = [trained(generator, 8, between=0.03) for _ in range(2)]
        low, high = seed_effect(pair[0], pair[1], resamples=300, seed=seed).interval
        held += low <= 0 <= high
    assert 0.88 <= held / 200 <= 0.985


def test_the_same_seed_gives_the_same_interval_whatever_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = [trained(np.random.default_rng(seed), 3, between=0.02) for seed in (6, 7)]
    whole = seed_effect(pair[0], pair[1], [0.3, 0.7], resamples=500)
    monkeypatch.setattr(module, "_CELLS", 1000)
    assert seed_effect(pair[0], pair[1], [0.3, 0.7], resamples=500).interval == pytest.approx(whole.interval)
    assert seed_effect(pair[0], pair[1], [0.3, 0.7], resamples=500, seed=1).interval != whole.interval


def test_seeds_measured_on_other_queries_are_refused() -> None:
    with pytest.raises(ValueError, match="same queries"):
        seed_effect([np.zeros((3, 5))], [np.zeros((3, 6))])
    with pytest.raises(ValueError, match="same queries"):
        seed_effect([np.zeros((3, 5))], [np.zeros((3, 5))] * 2)
    with pytest.raises(ValueError, match="same seeds"):
        seed_effect([np.zeros((3, 5)), np.zeros((2, 5))], [np.zeros((1, 5))] * 2)
    with pytest.raises(ValueError, match="seeds, queries"):
        between_seed_sd([np.zeros(5)])


def test_one_query_has_no_interval() -> None:
    assert all(map(math.isnan, seed_effect([np.zeros((3, 1))], [np.zeros((3, 1))]).interval))

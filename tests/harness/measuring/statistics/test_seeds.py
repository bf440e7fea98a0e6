"""One lucky training is not a better method: seeds vary, and the interval has to say so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.measuring.statistics import bootstrap
from harness.measuring.statistics import seeds as module
from harness.measuring.statistics.bootstrap import RESAMPLES, value_interval
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.seeds import between_seed_sd, seed_effect, seed_means
from tests.harness.measuring.statistics.designs import alone, ids, of, parallel


def trained(generator: np.random.Generator, seeds: int, *, between: float, mean: float = 0.5) -> list[Floats64]:
    """Two collections; every seed has a quality of its own in both."""
    quality = generator.normal(mean, between, seeds)
    return [quality[:, None] + generator.normal(0, 0.1, (seeds, size)) for size in (60, 90)]


def test_the_spread_between_seeds_is_that_of_their_macro_values() -> None:
    values = [np.array([[0.1, 0.3], [0.5, 0.5]]), np.array([[0.0], [0.2]])]
    design = alone(2, 1, weights=[0.75, 0.25])
    assert between_seed_sd(design, values) == pytest.approx(np.std([0.15, 0.425], ddof=1))
    assert math.isnan(between_seed_sd(design, [own[:1] for own in values]))
    assert math.isnan(between_seed_sd(alone(2, 0), [values[0], np.zeros((2, 0))])), "an average over a hole has none"
    assert [list(means) for means in seed_means(values)] == [pytest.approx([0.3, 0.4]), pytest.approx([0.1])]


def test_one_seed_each_is_the_paired_bootstrap() -> None:
    generator = np.random.default_rng(0)
    new, old = generator.random(80), generator.random(80)
    found = seed_effect(alone(80), [new[None]], [old[None]])
    assert found.delta == pytest.approx((new - old).mean())
    assert found.interval == pytest.approx(value_interval(alone(80), [new - old]), abs=0.005)
    assert (found.candidate_seeds, found.baseline_seeds) == (1, 1)
    assert math.isnan(found.candidate_sd)


def test_queries_stay_paired_when_they_are_resampled() -> None:
    hard = np.random.default_rng(1).random((1, 100))
    assert seed_effect(alone(100), [hard + 0.1], [hard]).interval == pytest.approx((0.1, 0.1))


def test_seeds_that_lie_apart_make_the_interval_wider() -> None:
    together, apart = (trained(np.random.default_rng(2), 5, between=sd) for sd in (0.0, 0.05))
    baseline = [values[:1] for values in together]
    narrow, wide = (seed_effect(of(*baseline), system, baseline) for system in (together, apart))
    assert wide.interval[1] - wide.interval[0] > 1.5 * (narrow.interval[1] - narrow.interval[0])
    assert wide.candidate_sd > narrow.candidate_sd


def test_seeds_of_the_baseline_count_too() -> None:
    together, apart = (trained(np.random.default_rng(2), 5, between=sd) for sd in (0.0, 0.05))
    narrow, wide = (seed_effect(of(*system), together, system).interval for system in (together, apart))
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_the_spread_of_few_seeds_is_not_shrunk_by_resampling_them() -> None:
    """Three seeds without noise in the queries: the sd of a resampled mean is the textbook sd / sqrt(3)."""
    values = [np.repeat([[0.4], [0.5], [0.7]], 50, axis=1)]
    votes = module._seed_votes(3, np.random.default_rng(3))
    assert (votes @ values[0][:, 0]).std() == pytest.approx(between_seed_sd(alone(50), values) / math.sqrt(3), rel=0.03)
    assert votes.sum(axis=1) == pytest.approx(np.ones(RESAMPLES))


def test_a_seed_is_the_same_checkpoint_in_every_collection() -> None:
    """Seeds drawn again for every collection would average out chance: the interval would be 1.4 times too short."""
    line = np.repeat([[0.3], [0.4], [0.5], [0.6], [0.7]], 50, axis=1)
    one, two = (
        seed_effect(alone(*[50] * count), [line] * count, [np.full((1, 50), 0.5)] * count).interval for count in (1, 2)
    )
    assert two == pytest.approx(one, abs=0.01)


def test_a_question_is_drawn_in_all_languages_at_once() -> None:
    """Ten copies of a language are no more certain than one."""
    pair = [np.random.default_rng(seed).normal(0.5, 0.1, (3, 60)) for seed in (8, 9)]
    one, ten = (seed_effect(parallel(count, 60), [pair[0]] * count, [pair[1]] * count).interval for count in (1, 10))
    assert ten == pytest.approx(one)


def test_the_order_of_the_collections_changes_nothing() -> None:
    pair = [trained(np.random.default_rng(seed), 3, between=0.02) for seed in (6, 7)]
    design = of(*pair[0], weights=[0.3, 0.7])
    turned = Design(design.collections[::-1], design.weights[::-1])
    found = seed_effect(turned, pair[0][::-1], pair[1][::-1]).interval
    assert found == pytest.approx(seed_effect(design, *pair).interval)


def test_the_interval_over_seeds_holds_the_truth_about_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 400)
    monkeypatch.setattr(module, "RESAMPLES", 400)
    generator = np.random.default_rng(5)
    held = 0
    for draw in range(200):
        pair = [trained(generator, 8, between=0.03) for _ in range(2)]
        design = Design((Questions(f"one {draw}", ids(60)), Questions(f"two {draw}", ids(90))))
        low, high = seed_effect(design, pair[0], pair[1]).interval
        held += low <= 0 <= high
    assert 0.88 <= held / 200 <= 0.985


def test_the_same_questions_have_the_same_interval_whatever_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = [trained(np.random.default_rng(seed), 3, between=0.02) for seed in (6, 7)]
    whole = seed_effect(of(*pair[0]), pair[0], pair[1]).interval
    monkeypatch.setattr(bootstrap, "_DRAWS", 1000)
    assert seed_effect(of(*pair[0]), pair[0], pair[1]).interval == pytest.approx(whole)


def test_seeds_measured_on_other_queries_are_refused() -> None:
    with pytest.raises(ValueError, match="same queries"):
        seed_effect(alone(5), [np.zeros((3, 5))], [np.zeros((3, 6))])
    with pytest.raises(ValueError, match="same queries"):
        seed_effect(alone(5), [np.zeros((3, 5))], [np.zeros((3, 5))] * 2)
    with pytest.raises(ValueError, match="same seeds"):
        seed_effect(alone(5, 5), [np.zeros((3, 5)), np.zeros((2, 5))], [np.zeros((1, 5))] * 2)
    with pytest.raises(ValueError, match="seeds, queries"):
        between_seed_sd(alone(5), [np.zeros(5)])


def test_one_query_has_no_interval() -> None:
    assert all(map(math.isnan, seed_effect(alone(1), [np.zeros((3, 1))], [np.zeros((3, 1))]).interval))

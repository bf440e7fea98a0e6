"""The interval of a value says how far it can be trusted, and says the same in every table."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.measuring.statistics import bootstrap as module
from harness.measuring.statistics.bootstrap import (
    RESAMPLES,
    draws,
    percentile_intervals,
    rank_intervals,
    resampled_macros,
    resampled_means,
    value_interval,
)
from harness.measuring.statistics.design import Design, Questions
from tests.harness.measuring.statistics.designs import alone, ids, of, parallel

GENERATOR = np.random.default_rng(5)
VALUES = [GENERATOR.random((3, size)) for size in (40, 7, 300)]
WEIGHTS = [0.5, 0.25, 0.25]


def test_the_same_questions_have_the_same_interval_and_other_sets_other_draws() -> None:
    values = np.random.default_rng(0).random(50)
    assert value_interval(alone(50), [values]) == value_interval(alone(50), [values])
    assert value_interval(Design((Questions("other", ids(50)),)), [values]) != value_interval(alone(50), [values])


def test_the_draws_are_the_same_on_every_machine() -> None:
    (_, times), *_ = draws("a set", 12)
    assert times[:2].tolist() == [[1, 1, 2, 1, 1, 2, 1, 1, 1, 0, 1, 0], [2, 1, 0, 0, 0, 2, 1, 0, 1, 3, 1, 1]]


def test_the_interval_is_that_of_scipys_percentile_bootstrap() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).random(60) ** 3
    referee = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=3).confidence_interval
    assert value_interval(alone(60), [values]) == pytest.approx((referee.low, referee.high), abs=0.006)


def test_a_large_sample_gets_the_interval_of_the_normal_distribution() -> None:
    values = np.random.default_rng(1).random(2000)
    low, high = value_interval(alone(2000), [values])
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=half / 20)
    assert high == pytest.approx(values.mean() + half, abs=half / 20)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    many = resampled_macros(alone(40), [generator.random((300, 40))])
    covered = np.mean([low <= 0.5 <= high for low, high in percentile_intervals(many, level=0.9)])
    assert 0.84 <= covered <= 0.94


def test_a_higher_level_gives_a_wider_interval() -> None:
    resampled = resampled_macros(alone(30), [np.random.default_rng(3).random((1, 30))])
    (low, high), (inner_low, inner_high) = (percentile_intervals(resampled, level)[0] for level in (0.99, 0.9))
    assert low < inner_low < inner_high < high


def test_equal_values_have_no_width() -> None:
    assert value_interval(alone(10), [np.full(10, 0.25)]) == pytest.approx((0.25, 0.25))
    assert value_interval(alone(10, 10), [np.zeros(10), np.ones(10)]) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("sizes", [(), (0,), (1,), (5, 1)])
def test_fewer_than_two_queries_have_no_interval(sizes: tuple[int, ...]) -> None:
    assert all(map(math.isnan, value_interval(alone(*sizes), [np.ones(size) for size in sizes])))


def test_every_collection_has_the_same_weight_however_many_queries_it_has() -> None:
    generator = np.random.default_rng(5)
    values = [generator.normal(0.2, 0.05, 20), generator.normal(0.8, 0.05, 2000)]
    low, high = value_interval(of(*values), values)
    assert low < (values[0].mean() + values[1].mean()) / 2 < high < 0.55


def test_a_collection_counts_as_much_as_its_weight() -> None:
    generator = np.random.default_rng(5)
    values = [generator.normal(mean, 0.01, 50) for mean in (0.0, 0.0, 0.9)]
    low, high = value_interval(of(*values, weights=[0.25, 0.25, 0.5]), values)
    assert low < sum(w * own.mean() for w, own in zip((0.25, 0.25, 0.5), values, strict=True)) < high
    assert 0.44 < low < high < 0.46
    assert value_interval(of(*values, weights=[1, 1, 2]), values) == pytest.approx((low, high))


def test_collections_of_their_own_are_drawn_independently_and_parallel_ones_together() -> None:
    """A second language that says the same brings no certainty; a second collection does."""
    values = np.random.default_rng(6).random(100)
    one, set_, two = (
        value_interval(design, [values] * len(design.collections))
        for design in (alone(100), parallel(2, 100), alone(100, 100))
    )
    assert value_interval(Design((Questions("set", ids(100)),)), [values]) == pytest.approx(set_)
    assert two[1] - two[0] == pytest.approx((one[1] - one[0]) / math.sqrt(2), rel=0.05)
    assert set_[1] - set_[0] == pytest.approx(one[1] - one[0], rel=0.05)


def test_a_parallel_set_is_its_questions_averaged_over_the_languages() -> None:
    values = [GENERATOR.random(40) for _ in range(10)]
    by_hand = value_interval(Design((Questions("set", ids(40)),)), [np.mean(values, axis=0)])
    assert value_interval(parallel(10, 40), values) == pytest.approx(by_hand)


def test_a_language_without_some_questions_is_averaged_over_those_that_were_drawn() -> None:
    design = Design((Questions("set", ids(9)), Questions("set", ids(9)[3:])))
    values = [GENERATOR.random((2, 9)), GENERATOR.random((2, 6))]
    (_, times), *_ = draws("set", 9)
    whole, part = resampled_means(design, values)
    assert whole[:, 0] == pytest.approx(values[0] @ times[0] / 9)
    assert part[:, 0] == pytest.approx(values[1] @ times[0, 3:] / times[0, 3:].sum())


def test_a_language_whose_questions_a_draw_can_miss_has_no_interval() -> None:
    design = Design((Questions("set", ids(40)), Questions("set", ids(2))))
    assert all(map(math.isnan, value_interval(design, [np.ones(40), np.ones(2)])))


@pytest.mark.parametrize("system", range(3))
def test_every_system_gets_the_interval_that_it_gets_alone(system: int) -> None:
    design = alone(40, 7, 300, weights=WEIGHTS)
    together = percentile_intervals(resampled_macros(design, VALUES))[system]
    assert together == pytest.approx(value_interval(design, [own[system] for own in VALUES]), abs=1e-12)


def test_a_difference_of_two_rows_is_the_paired_difference() -> None:
    design = alone(40, 7, 300, weights=WEIGHTS)
    resampled = resampled_macros(design, VALUES)
    paired = resampled_macros(design, [own[:1] - own[1:2] for own in VALUES])
    assert resampled[:1] - resampled[1:2] == pytest.approx(paired, abs=1e-12)


def test_the_order_of_collections_and_queries_changes_nothing() -> None:
    values = [own[0] for own in VALUES]
    design = alone(40, 7, 300, weights=WEIGHTS)
    found = value_interval(design, values)
    assert value_interval(Design(design.collections[::-1], WEIGHTS[::-1]), values[::-1]) == pytest.approx(found)
    turned = tuple(Questions(one.drawn_from, one.ids[::-1]) for one in design.collections)
    assert value_interval(Design(turned, WEIGHTS), [own[::-1] for own in values]) == pytest.approx(found)


def test_a_nan_has_no_interval() -> None:
    assert all(map(math.isnan, value_interval(alone(30), [np.array([np.nan, *np.ones(29)])])))


def test_memory_is_bounded_by_blocks_of_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(8).random(30)
    whole = value_interval(alone(30), [values])
    monkeypatch.setattr(module, "_DRAWS", 40)
    blocks = list(draws("collection 0", 30))
    assert len(blocks) == RESAMPLES and {times.shape for _, times in blocks} == {(1, 30)}
    assert value_interval(alone(30), [values]) == pytest.approx(whole)


def test_ranks_that_never_change_have_no_span_and_equal_systems_share_one() -> None:
    resampled = np.array([[0.9, 0.8, 0.9], [0.5, 0.6, 0.5], [0.5, 0.6, 0.5], [0.1, 0.1, 0.2]])
    assert rank_intervals(resampled) == [(1, 1), (2, 2), (2, 2), (4, 4)]


def test_two_systems_that_swap_have_both_ranks() -> None:
    assert rank_intervals(np.array([[0.1, 0.2] * 50, [0.2, 0.1] * 50])) == [(1, 2), (1, 2)]

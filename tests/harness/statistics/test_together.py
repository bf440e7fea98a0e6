"""Intervals of many systems at once: a user would lose that a board and a report say the same."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics.intervals import stratified_interval
from harness.statistics.together import percentile_intervals, rank_intervals, resampled_macros

GENERATOR = np.random.default_rng(5)
STRATA = [GENERATOR.random((3, size)) for size in (40, 7, 300)]
WEIGHTS = [0.5, 0.25, 0.25]


@pytest.mark.parametrize("system", range(3))
def test_every_system_gets_the_interval_that_it_gets_alone(system: int) -> None:
    together = percentile_intervals(resampled_macros(STRATA, WEIGHTS, seed=3))[system]
    alone = stratified_interval([values[system] for values in STRATA], WEIGHTS, seed=3)
    assert together == pytest.approx(alone, abs=1e-12)


def test_a_difference_of_two_rows_is_the_paired_difference() -> None:
    resampled = resampled_macros(STRATA, WEIGHTS)
    alone = stratified_interval([values[0] - values[1] for values in STRATA], WEIGHTS)
    assert percentile_intervals(resampled[:1] - resampled[1:2]) == [pytest.approx(alone, abs=1e-12)]


def test_a_collection_longer_than_one_block_of_draws_changes_nothing() -> None:
    values = np.random.default_rng(0).random((2, 1500))
    together = percentile_intervals(resampled_macros([values]))[0]
    assert together == pytest.approx(stratified_interval([values[0]]), abs=1e-12)


def test_ranks_that_never_change_have_no_span_and_equal_systems_share_one() -> None:
    resampled = np.array([[0.9, 0.8, 0.9], [0.5, 0.6, 0.5], [0.5, 0.6, 0.5], [0.1, 0.1, 0.2]])
    assert rank_intervals(resampled) == [(1, 1), (2, 2), (2, 2), (4, 4)]


def test_two_systems_that_swap_have_both_ranks() -> None:
    assert rank_intervals(np.array([[0.1, 0.2] * 50, [0.2, 0.1] * 50])) == [(1, 2), (1, 2)]

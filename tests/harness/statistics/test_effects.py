"""An effect tells the size, how sure it is, and how many queries it comes from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics.effects import effect
from harness.statistics.error import standard_error
from harness.statistics.intervals import stratified_interval
from harness.statistics.randomisation import randomisation_p

STRATA = [np.array([0.3, -0.1, 0.0, 0.2, 0.1]), np.array([0.0, 0.5, -0.25])]


def test_the_numbers_are_those_of_the_rooms_that_make_them() -> None:
    found = effect(STRATA, [0.25, 0.75], resamples=500, flips=500, seed=3)
    assert found.delta == pytest.approx(0.25 * 0.1 + 0.75 * 0.25 / 3)
    assert found.interval == stratified_interval(STRATA, [0.25, 0.75], resamples=500, seed=3)
    assert found.p == randomisation_p(STRATA, [0.25, 0.75], flips=500, seed=3)
    assert found.se == standard_error(STRATA, [0.25, 0.75])


def test_every_query_is_a_win_a_tie_or_a_loss() -> None:
    found = effect(STRATA, resamples=50, flips=50)
    assert (found.wins, found.ties, found.losses, found.queries) == (4, 2, 2, 8)


def test_rounding_is_a_tie() -> None:
    found = effect([np.array([0.1 + 0.2 - 0.3, 0.3 - 0.1 - 0.2, 0.1])], resamples=50, flips=50)
    assert (found.wins, found.ties, found.losses) == (1, 2, 0)


def test_only_queries_that_moved_by_more_than_a_fifth_moved_much() -> None:
    assert effect(STRATA, resamples=50, flips=50).large_share == 3 / 8, "0.2 itself is not more than 0.2"
    assert effect([np.array([0.5, 0.8 - 0.6])], resamples=50, flips=50).large_share == 0.5


def test_d_z_is_cohens_on_one_collection() -> None:
    deltas = STRATA[0]
    assert effect([deltas], resamples=50, flips=50).d_z == pytest.approx(deltas.mean() / deltas.std(ddof=1))


def test_d_z_of_several_collections_takes_their_mean_variance() -> None:
    variance = 0.25 * STRATA[0].var(ddof=1) + 0.75 * STRATA[1].var(ddof=1)
    found = effect(STRATA, [0.25, 0.75], resamples=50, flips=50)
    assert found.d_z == pytest.approx(found.delta / math.sqrt(variance))


def test_d_z_does_not_grow_with_the_number_of_queries() -> None:
    """p-values do; that is why a size stands beside them."""
    few, many = ([np.tile(STRATA[0], times)] for times in (4, 400))
    assert effect(many, resamples=50, flips=50).d_z == pytest.approx(effect(few, resamples=50, flips=50).d_z, rel=0.03)


def test_equal_systems_have_no_effect_and_no_d_z() -> None:
    found = effect([np.zeros(10)])
    assert (found.delta, found.interval, found.p, found.se) == (0.0, (0.0, 0.0), 1.0, 0.0)
    assert math.isnan(found.d_z)
    assert math.isnan(effect([np.full(10, 0.1)], resamples=50, flips=50).d_z), "0.1 ten times over is no spread"


def test_nothing_measured_is_nan_and_no_crash() -> None:
    for strata in ([], [np.zeros(0)], [np.zeros(4), np.zeros(0)]):
        found = effect(strata, resamples=50, flips=50)
        assert all(map(math.isnan, (found.delta, *found.interval, found.p, found.d_z, found.se)))
    assert effect([np.array([0.5])], resamples=50, flips=50).delta == 0.5

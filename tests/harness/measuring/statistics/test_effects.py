"""An effect says how large a difference is, and how many queries and questions it comes from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.measuring.statistics.effects import effect
from harness.measuring.statistics.error import standard_error
from tests.harness.measuring.statistics.designs import alone, of, parallel

DELTAS = [np.array([0.3, -0.1, 0.0, 0.2, 0.1]), np.array([0.0, 0.5, -0.25])]


def test_the_error_is_that_of_the_average() -> None:
    design = of(*DELTAS, weights=[0.25, 0.75])
    assert effect(design, DELTAS).se == standard_error(design, DELTAS)


def test_queries_are_counted_and_so_are_their_questions() -> None:
    found = effect(parallel(2, 5), [DELTAS[0]] * 2)
    assert (found.queries, found.questions) == (10, 5)
    assert found.se == effect(alone(5), DELTAS[:1]).se, "a copy brings no certainty"
    assert effect(of(*DELTAS), DELTAS).questions == 8


def test_every_query_is_a_win_a_tie_or_a_loss() -> None:
    found = effect(of(*DELTAS), DELTAS)
    assert (found.wins, found.ties, found.losses, found.queries) == (4, 2, 2, 8)


def test_rounding_is_a_tie() -> None:
    found = effect(alone(3), [np.array([0.1 + 0.2 - 0.3, 0.3 - 0.1 - 0.2, 0.1])])
    assert (found.wins, found.ties, found.losses) == (1, 2, 0)


def test_only_queries_that_moved_by_more_than_a_fifth_moved_much() -> None:
    assert effect(of(*DELTAS), DELTAS).large_share == 3 / 8, "0.2 itself is not more than 0.2"
    assert effect(alone(2), [np.array([0.5, 0.8 - 0.6])]).large_share == 0.5


def test_d_z_is_cohens_on_one_collection() -> None:
    deltas = DELTAS[0]
    assert effect(alone(5), [deltas]).d_z == pytest.approx(deltas.mean() / deltas.std(ddof=1))


def test_d_z_of_several_collections_takes_their_mean_variance() -> None:
    variance = 0.25 * DELTAS[0].var(ddof=1) + 0.75 * DELTAS[1].var(ddof=1)
    design = of(*DELTAS, weights=[0.25, 0.75])
    assert effect(design, DELTAS).d_z == pytest.approx(design.mean(DELTAS) / math.sqrt(variance))


def test_d_z_does_not_grow_with_the_number_of_queries() -> None:
    """p-values do; that is why a size is printed with them."""
    few, many = (np.tile(DELTAS[0], times) for times in (4, 400))
    assert effect(of(many), [many]).d_z == pytest.approx(effect(of(few), [few]).d_z, rel=0.03)


def test_equal_systems_have_no_effect_and_no_d_z() -> None:
    found = effect(alone(10), [np.zeros(10)])
    assert (found.wins, found.ties, found.losses, found.large_share, found.se) == (0, 10, 0, 0.0, 0.0)
    assert math.isnan(found.d_z)
    assert math.isnan(effect(alone(10), [np.full(10, 0.1)]).d_z), "0.1 ten times over is no spread"


def test_nothing_measured_is_nan_and_no_crash() -> None:
    for deltas in ([], [np.zeros(0)], [np.zeros(4), np.zeros(0)]):
        found = effect(of(*deltas), deltas)
        assert math.isnan(found.d_z) and math.isnan(found.se)
    assert effect(alone(1), [np.array([0.5])]).wins == 1

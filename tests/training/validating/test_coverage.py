"""Queries unlike real ones, and real ones without a counterpart. A user would lose a missing or an invented mode."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.validating.clouds import ENOUGH, cloud, sets
from training.validating.coverage import OUTSIDE, Neighbours, measure
from training.validating.distance import MMD, squared_distances
from training.validating.measured import ValidationRow
from training.validating.numbered import half_sample_interval, numbered


def both(found: list[ValidationRow]) -> tuple[ValidationRow, ValidationRow]:
    outside, unreached = found
    return outside, unreached


def test_a_ball_reaches_to_the_kth_nearest_neighbour_by_hand() -> None:
    """Balls at 0, 1, 3, 10: with k = 1 their radii are 1, 1, 2, 7; with k = 2 they are 3, 2, 3, 9."""
    places = np.array([[0.0], [1.0], [3.0], [10.0], [-1.5], [5.5], [18.0], [3.0]], np.float32)
    squares = squared_distances(places)
    balls, points = np.arange(4), np.arange(4, 8)
    # k = 1: -1.5 is outside all; 5.5 is inside 10's ball (4.5 <= 7); 18 is outside; 3 is inside its own
    assert Neighbours(squares, np.arange(8), 1).inside(points, balls) == 0.5
    # k = 2: -1.5 is inside 0's ball; 18 is inside 10's ball (8 <= 9)
    assert Neighbours(squares, np.arange(8), 2).inside(points, balls) == 1.0


def test_a_point_on_the_edge_is_inside() -> None:
    squares = squared_distances(np.array([[0.0], [2.0], [4.0]], np.float32))
    assert Neighbours(squares, np.arange(3), 1).inside(np.array([2]), np.array([0, 1])) == 1.0


def test_wordings_of_one_question_do_not_shrink_its_ball() -> None:
    """Two wordings each at 0 and at 5: the nearest question of another document is 4.9 away."""
    squares = squared_distances(np.array([[0.0], [0.1], [5.0], [5.1], [3.0]], np.float32))
    balls, point = np.arange(4), np.array([4])
    assert Neighbours(squares, np.arange(5), 1).inside(point, balls) == 0.0
    assert Neighbours(squares, np.array([0, 0, 1, 1, 2]), 1).inside(point, balls) == 1.0


def test_a_mode_that_is_missing_costs_recall_alone() -> None:
    half = np.concatenate([cloud(1, 100), cloud(2, 100, shift=40.0)])
    outside, unreached = both(measure(sets(cloud(3, 200), half), enough=ENOUGH))
    assert unreached.above_floor
    assert unreached.value == pytest.approx(0.5, abs=0.15)
    assert outside.value is not None
    assert outside.value < 0.25


def test_a_mode_that_is_made_up_costs_precision_alone() -> None:
    made_up = np.concatenate([cloud(1, 100), cloud(2, 100, shift=40.0)])
    outside, unreached = both(measure(sets(made_up, cloud(3, 200)), enough=ENOUGH))
    assert outside.above_floor
    assert outside.value == pytest.approx(0.5, abs=0.15)
    assert unreached.value is not None
    assert unreached.value < 0.3


def test_one_distribution_does_not_stand_out() -> None:
    for row in measure(sets(cloud(4, 240), cloud(5, 240)), enough=ENOUGH):
        assert row.above_floor is False


def test_precision_and_recall_themselves_are_in_the_parts() -> None:
    outside, unreached = both(measure(sets(cloud(4), cloud(5)), enough=ENOUGH))
    assert outside.value is not None
    assert unreached.value is not None
    assert outside.parts == unreached.parts
    assert outside.parts["precision"] == pytest.approx(1 - outside.value)
    assert outside.parts["recall"] == pytest.approx(1 - unreached.value)


def test_another_domain_is_the_scale() -> None:
    outside, _ = both(measure(sets(cloud(1), cloud(2), cloud(3, shift=50.0)), enough=ENOUGH))
    assert outside.scale == 1.0


def test_the_interval_of_a_share_stays_a_share() -> None:
    known = numbered(sets(cloud(1), cloud(2)))
    low, high = half_sample_interval(OUTSIDE, known, lambda first, _: float(first.sum() % 2), 0.9, 50)
    assert low == pytest.approx(0.9 - 0.5, abs=0.2)
    assert high == 1.0
    free = half_sample_interval(MMD, known, lambda first, _: float(first.sum() % 2), 0.9, 50)
    assert free[1] > 1


def test_too_few_real_queries_are_said() -> None:
    for row in measure(sets(cloud(1), cloud(2))):
        assert row.value is None
        assert "there are 120 real queries, but 200 are needed" in row.note

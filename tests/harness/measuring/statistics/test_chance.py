"""The chance that a bound excludes a loss if nothing differs: a wrong one promises verdicts that never come."""

from __future__ import annotations

import numpy as np
import pytest

from harness.measuring.statistics.chance import Size, chance, needed, size_of
from harness.measuring.statistics.equivalence import lower_bound
from tests.harness.measuring.statistics.designs import alone, of, parallel


@pytest.mark.parametrize("sd", [0.05, 0.11, 0.15, 0.2, 0.3])
@pytest.mark.parametrize("questions", [5, 30, 150, 2000])
@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.0025])
def test_the_chance_is_that_of_the_noncentral_t_distribution(sd: float, questions: int, alpha: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    freedom = questions - 1
    expected = stats.nct.sf(stats.t.ppf(1 - alpha, freedom), freedom, 0.05 * questions**0.5 / sd)
    assert chance(0.05, sd, Size(questions, freedom), alpha) == pytest.approx(expected, abs=1e-9)


def test_simulated_bounds_exclude_the_loss_as_often() -> None:
    generator, size = np.random.default_rng(0), 60
    values = generator.normal(0, 0.2, (2000, size))
    excluded = np.mean([lower_bound(alone(size), [row]) > -0.05 for row in values])
    assert excluded == pytest.approx(chance(0.05, 0.2, Size(size, size - 1), 0.05), abs=0.03)


def test_eleven_languages_of_150_queries_have_the_published_chances() -> None:
    together = [chance(0.05, sd, Size(150, 149), 0.05) ** 11 for sd in (0.11, 0.15, 0.2, 0.3)]
    assert together == pytest.approx([1.0, 0.92, 0.40, 0.01], abs=0.01)


def test_a_part_without_enough_queries_has_no_chance_and_one_without_spread_is_certain() -> None:
    assert chance(0.05, 0.2, size_of(alone(1)), 0.05) == 0
    assert chance(0.05, 0.0, size_of(alone(30)), 0.05) == 1


def test_needed_is_the_smallest_number_that_is_enough() -> None:
    found = needed(0.05, 0.3, 0.01, 0.98)
    assert chance(0.05, 0.3, Size(found, found - 1), 0.01) >= 0.98
    assert chance(0.05, 0.3, Size(found - 1, found - 2), 0.01) < 0.98


def test_the_size_of_an_average_is_what_its_standard_error_counts() -> None:
    """The same questions in four languages are no four times as many."""
    assert size_of(alone(150)) == Size(pytest.approx(150), pytest.approx(149))
    assert size_of(parallel(4, 150)) == Size(pytest.approx(150), pytest.approx(149))
    uneven = size_of(alone(50, 500))
    assert uneven.draws == pytest.approx(1 / (0.25 / 50 + 0.25 / 500))
    assert size_of(of(np.zeros(300), np.zeros(300))).draws == pytest.approx(600)

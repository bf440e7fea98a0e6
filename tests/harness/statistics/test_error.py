"""A verdict without the smallest difference that could have been seen says nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics.equivalence import lower_bound, upper_bound
from harness.statistics.error import detectable, estimate, more_queries, noninferiority_power, standard_error
from harness.statistics.strata import Floats64, contributions, macro, shares

BEIR = (50, 49, 323, 300, 648, 1000, 1406, 2000, 3452, 400, 6666, 500, 7405, 10000, 13145)


def spread(size: int, sd: float, mean: float = 0.0) -> Floats64:
    """So many values with exactly this mean and standard deviation."""
    values = np.random.default_rng(size).normal(size=size)
    values = values - values.mean()
    scaled: Floats64 = mean + values * (sd / float(values.std(ddof=1)))
    return scaled


def test_the_error_of_a_macro_mean_by_hand() -> None:
    strata = [spread(50, 0.2), spread(200, 0.1)]
    by_hand = math.sqrt(0.25**2 * 0.2**2 / 50 + 0.75**2 * 0.1**2 / 200)
    assert standard_error(strata, [0.25, 0.75]) == pytest.approx(by_hand)
    assert standard_error(strata, [1, 3]) == pytest.approx(by_hand)
    assert standard_error(strata) == standard_error(strata, [0.5, 0.5])


def test_the_error_is_how_far_means_of_new_queries_lie_apart() -> None:
    generator = np.random.default_rng(0)
    drawn = [[generator.normal(0, 0.2, 30), generator.normal(0.1, 0.1, 90)] for _ in range(2000)]
    observed = np.std([macro(strata, [0.4, 0.6]) for strata in drawn])
    assert np.mean([standard_error(strata, [0.4, 0.6]) for strata in drawn]) == pytest.approx(observed, rel=0.05)


def test_two_small_collections_carry_most_of_the_error_of_a_suite() -> None:
    strata = [spread(size, 0.15) for size in BEIR]
    without = [values for values in strata if len(values) > 50]
    share = 1 - (standard_error(without) * len(without) / len(BEIR)) ** 2 / standard_error(strata) ** 2
    assert 0.7 < share < 0.8


def test_a_collection_of_one_query_has_no_error() -> None:
    assert math.isnan(standard_error([np.zeros(5), np.zeros(1)]))
    assert math.isnan(standard_error([]))
    assert estimate([np.ones(1)]).mean == 1.0


def test_equal_differences_have_no_error_whatever_the_rounding() -> None:
    assert standard_error([np.full(7, 0.1)]) == 0.0
    assert estimate([np.full(7, 0.1)]).freedom == math.inf


def test_degrees_of_freedom_are_welchs() -> None:
    """scipy.stats.ttest_ind(a, -b, equal_var=False).df"""
    a, b = np.array([0.1, -0.2, 0.3, 0.05]), np.array([0.2, 0.1, 0.4, -0.1, 0.3, 0.05])
    assert estimate([a, b]).freedom == pytest.approx(5.921616820734285)
    assert estimate([a]).freedom == 3


def test_what_is_detectable_is_detected_with_the_power_named() -> None:
    se = 0.01
    means = np.random.default_rng(1).normal(detectable(se, 0.05, 0.8), se, 20_000)
    assert np.mean(means > 1.6449 * se) == pytest.approx(0.8, abs=0.01)
    assert detectable(1.0) == pytest.approx(2.4865, abs=1e-4)
    assert detectable(1.0, alpha=0.01) > detectable(1.0) > detectable(1.0, power=0.5)


@pytest.mark.parametrize(("se", "power"), [(0.0008, 1.0), (0.0018, 0.89), (0.0023, 0.69), (0.0039, 0.36)])
def test_power_of_the_half_point_margin(se: float, power: float) -> None:
    assert noninferiority_power(se, 0.005) == pytest.approx(power, abs=0.02)


def test_power_at_the_margin_is_the_false_pass_rate() -> None:
    assert noninferiority_power(0.002, 0.005, truth=-0.005) == pytest.approx(0.05)
    assert noninferiority_power(0.0, 0.005) == 1.0
    assert noninferiority_power(0.0, 0.005, truth=-0.005) == 0.0


def test_the_number_of_queries_asked_for_gives_the_power_asked_for() -> None:
    strata = [spread(100, 0.15), spread(300, 0.1)]
    needed = more_queries(strata, margin=0.005, truth=0.0)
    grown = standard_error(strata) / math.sqrt(needed.factor)
    assert noninferiority_power(grown, 0.005) == pytest.approx(0.8)
    assert needed.queries == math.ceil(400 * needed.factor)


def test_an_undecided_comparison_always_needs_more_than_it_has() -> None:
    undecided = 0
    for mean in np.linspace(-0.06, 0.02, 23):
        strata = [spread(100, 0.1, mean)]
        if lower_bound(strata) <= -0.03 <= upper_bound(strata):
            undecided += 1
            assert more_queries(strata, margin=0.03).factor > 1
    assert undecided > 5


def test_a_difference_at_the_margin_is_decided_by_no_number_of_queries() -> None:
    needed = more_queries([np.array([-0.25, 0.25, -0.25, 0.25])], margin=0.005, truth=-0.005)
    assert needed.factor == math.inf
    assert needed.queries is None
    assert more_queries([np.zeros(9)], margin=0.005).factor == 0
    assert more_queries([np.zeros(1)], margin=0.005).queries is None


def test_the_parts_of_the_queries_sum_to_the_macro_mean() -> None:
    strata = [np.array([0.5]), np.array([0.0, 1.0, 0.2])]
    assert contributions(strata, [3, 1]).sum() == pytest.approx(0.75 * 0.5 + 0.25 * 0.4)
    assert macro(strata, [3, 1]) == pytest.approx(0.475)
    assert math.isnan(macro([np.zeros(0)]))


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, math.nan]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights above 0"):
        shares([np.zeros(2), np.zeros(2)], weights)

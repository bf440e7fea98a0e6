"""A verdict without the smallest difference that could have been seen says nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.equivalence import lower_bound, upper_bound
from harness.measuring.statistics.error import detectable, estimate, more_queries, noninferiority_power, standard_error
from tests.harness.measuring.statistics.designs import alone, ids, of, parallel

BEIR = (50, 49, 323, 300, 648, 1000, 1406, 2000, 3452, 400, 6666, 500, 7405, 10000, 13145)


def spread(size: int, sd: float, mean: float = 0.0) -> Floats64:
    """Values with exactly this mean and standard deviation."""
    values = np.random.default_rng(size).normal(size=size)
    values = values - values.mean()
    scaled: Floats64 = mean + values * (sd / float(values.std(ddof=1)))
    return scaled


def test_the_error_of_a_macro_mean_by_hand() -> None:
    values = [spread(50, 0.2), spread(200, 0.1)]
    by_hand = math.sqrt(0.25**2 * 0.2**2 / 50 + 0.75**2 * 0.1**2 / 200)
    assert standard_error(of(*values, weights=[0.25, 0.75]), values) == pytest.approx(by_hand)
    assert standard_error(of(*values, weights=[1, 3]), values) == pytest.approx(by_hand)
    assert standard_error(of(*values), values) == standard_error(of(*values, weights=[0.5, 0.5]), values)


def test_the_error_is_how_far_means_of_new_queries_lie_apart() -> None:
    generator = np.random.default_rng(0)
    drawn = [[generator.normal(0, 0.2, 30), generator.normal(0.1, 0.1, 90)] for _ in range(2000)]
    design = alone(30, 90, weights=[0.4, 0.6])
    observed = np.std([design.mean(values) for values in drawn])
    assert np.mean([standard_error(design, values) for values in drawn]) == pytest.approx(observed, rel=0.05)


def test_the_error_of_a_parallel_set_is_that_of_its_questions_averaged_over_the_languages() -> None:
    """Closed form: sd of the averages / sqrt(questions). Languages that say the same bring no certainty."""
    question = spread(40, 0.2)
    values = [question + spread(40 + place, 0.1)[:40] for place in range(10)]
    averages = np.mean(values, axis=0)
    found = estimate(parallel(10, 40), values)
    assert found.mean == pytest.approx(averages.mean())
    assert found.se == pytest.approx(averages.std(ddof=1) / math.sqrt(40))
    assert found.freedom == pytest.approx(39)
    assert estimate(parallel(10, 40), [question] * 10).se == pytest.approx(standard_error(of(question), [question]))


def test_a_parallel_set_with_another_collection_by_hand() -> None:
    values = [spread(40, 0.2), spread(40, 0.2) + spread(41, 0.1)[:40], spread(25, 0.3)]
    design = Design((Questions("set", ids(40)), Questions("set", ids(40)), Questions("other", ids(25))), [1, 2, 3])
    averages = values[0] / 3 + values[1] * 2 / 3
    parts = np.array([0.25 * averages.var(ddof=1) / 40, 0.25 * 0.3**2 / 25])
    found = estimate(design, values)
    assert found.se == pytest.approx(math.sqrt(parts.sum()))
    assert found.freedom == pytest.approx(parts.sum() ** 2 / (parts[0] ** 2 / 39 + parts[1] ** 2 / 24))


def test_languages_that_share_no_question_are_as_independent_as_collections() -> None:
    """Otherwise a language in which the systems differ more would make the average look less certain than it is."""
    values = [spread(40, 0.2, mean=0.3), spread(60, 0.1, mean=-0.3)]
    names = tuple(f"q{number}" for number in range(100))
    one_set = Design((Questions("set", names[:40]), Questions("set", names[40:])))
    assert standard_error(one_set, values) == pytest.approx(standard_error(alone(40, 60), values))


def test_the_error_of_languages_that_share_some_questions_is_how_far_new_ones_lie_apart() -> None:
    generator = np.random.default_rng(1)
    names = tuple(f"q{number}" for number in range(60))
    design = Design((Questions("set", names), Questions("set", names[:20]), Questions("set", names[10:40])))
    drawn = []
    for _ in range(2000):
        question = generator.normal(0, 0.2, 60)
        own = (question, question[:20] + 0.3, question[10:40] - 0.3)
        drawn.append([values + generator.normal(0, 0.1, len(values)) for values in own])
    observed = np.std([design.mean(values) for values in drawn])
    assert np.mean([standard_error(design, values) for values in drawn]) == pytest.approx(observed, rel=0.05)


def test_two_small_collections_carry_most_of_the_error_of_a_suite() -> None:
    values = [spread(size, 0.15) for size in BEIR]
    large = [own for own in values if len(own) > 50]
    whole, without = (standard_error(of(*some), some) for some in (values, large))
    share = 1 - (without * len(large) / len(BEIR)) ** 2 / whole**2
    assert 0.7 < share < 0.8


def test_a_collection_of_one_query_has_no_error() -> None:
    assert math.isnan(standard_error(alone(5, 1), [np.zeros(5), np.zeros(1)]))
    assert math.isnan(standard_error(alone(), []))
    assert estimate(alone(1), [np.ones(1)]).mean == 1.0
    part = Design((Questions("set", ids(5)), Questions("set", ids(1))))
    assert math.isnan(standard_error(part, [np.arange(5.0), np.ones(1)])), "nor has a language of one"


def test_equal_differences_have_no_error_whatever_the_rounding() -> None:
    assert standard_error(alone(7), [np.full(7, 0.1)]) == 0.0
    assert estimate(alone(7), [np.full(7, 0.1)]).freedom == math.inf


def test_degrees_of_freedom_are_welchs() -> None:
    """scipy.stats.ttest_ind(a, -b, equal_var=False).df"""
    a, b = np.array([0.1, -0.2, 0.3, 0.05]), np.array([0.2, 0.1, 0.4, -0.1, 0.3, 0.05])
    assert estimate(of(a, b), [a, b]).freedom == pytest.approx(5.921616820734285)
    assert estimate(of(a), [a]).freedom == 3


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
    values = [spread(100, 0.15), spread(300, 0.1)]
    needed = more_queries(of(*values), values, margin=0.005, truth=0.0)
    grown = standard_error(of(*values), values) / math.sqrt(needed.factor)
    assert noninferiority_power(grown, 0.005) == pytest.approx(0.8)
    assert needed.questions == math.ceil(400 * needed.factor)


def test_questions_are_asked_for_and_not_their_translations() -> None:
    values = spread(100, 0.15)
    one, ten = (more_queries(parallel(count, 100), [values] * count, margin=0.005, truth=0.0) for count in (1, 10))
    assert ten.factor == pytest.approx(one.factor)
    assert ten.questions == one.questions


def test_an_undecided_comparison_always_needs_more_than_it_has() -> None:
    undecided = 0
    for mean in np.linspace(-0.06, 0.02, 23):
        values, design = [spread(100, 0.1, mean)], alone(100)
        if lower_bound(design, values) <= -0.03 <= upper_bound(design, values):
            undecided += 1
            assert more_queries(design, values, margin=0.03).factor > 1
    assert undecided > 5


def test_a_difference_at_the_margin_is_decided_by_no_number_of_queries() -> None:
    needed = more_queries(alone(4), [np.array([-0.25, 0.25, -0.25, 0.25])], margin=0.005, truth=-0.005)
    assert needed.factor == math.inf
    assert needed.questions is None
    assert more_queries(alone(9), [np.zeros(9)], margin=0.005).factor == 0
    assert more_queries(alone(1), [np.zeros(1)], margin=0.005).questions is None

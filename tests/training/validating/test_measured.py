"""Value, floor and scale: a user would lose the distinction of a difference from chance."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from training.validating.drawn import FULL, Effort, measured_differences, measured_features, measured_values, roles
from training.validating.measured import Distance, Name, ValidationRow, matched, measured
from training.validating.sets import QuerySet, Sets
from training.validating.two_samples import Values, wasserstein

NAME = Name("V1", "length", "Wasserstein-1", "letters")


def lengths(name: str, seed: int, mean: float, number: int = 200, each: int = 1) -> QuerySet:
    """Queries with these numbers of letters; those of one document have one length."""
    drawn = np.random.default_rng(seed).poisson(mean, number // each).repeat(each)
    return QuerySet(name, tuple("x" * one for one in drawn), groups=tuple(row // each for row in range(number)))


def letters(one: QuerySet) -> Values:
    return np.array([len(text) for text in one.texts], float)


DISTANCE: Distance = lambda a, b: wasserstein(letters(a), letters(b))  # noqa: E731


def fast(sets: Sets, effort: Effort = FULL) -> ValidationRow:
    return measured_values(
        NAME, sets, {role: letters(one) for role, one in roles(sets).items()}, wasserstein, effort=effort
    )


def mean(values: Values) -> float:
    return float(values.mean())


def number_of(sets: Sets) -> ValidationRow:
    """A level that is nothing but the number of queries."""
    values = {role: letters(one) for role, one in roles(sets).items()}
    return measured_differences(NAME, sets, values, lambda a: float(len(a)), lambda a, rows: a[rows])


LEVELS = {"synthetic": 15, "real": 10, "wrong": 30}
SAME = Sets(lengths("synthetic", 1, 10), lengths("real", 2, 10), lengths("wrong", 3, 30))
LONGER = Sets(lengths("synthetic", 1, 15), lengths("real", 2, 10), lengths("wrong", 3, 30))


@pytest.mark.parametrize("measure", [fast, lambda sets: measured(NAME, sets, DISTANCE)])
def test_a_planted_shift_is_above_the_floor_and_no_shift_is_not(measure: object) -> None:
    assert callable(measure)
    same, longer = measure(SAME), measure(LONGER)
    assert not same.above_floor
    assert longer.above_floor
    assert longer.value == pytest.approx(5, abs=0.7)
    assert longer.floor < longer.floor_high < 1.5
    assert longer.interval[0] > longer.floor_high
    assert longer.scale == pytest.approx(15, abs=1.5)  # the synthetic queries against the other domain


def test_counting_once_gives_what_counting_every_time_gives() -> None:
    quick, slow = fast(LONGER), measured(NAME, LONGER, DISTANCE)
    assert quick.value == pytest.approx(slow.value, rel=0.05)
    assert quick.floor == pytest.approx(slow.floor, rel=0.3)
    assert quick.interval == pytest.approx(slow.interval, rel=0.1)


def test_the_interval_is_wider_where_the_queries_of_a_document_are_alike() -> None:
    alone = fast(Sets(lengths("synthetic", 1, 15), lengths("real", 2, 10))).interval
    alike = fast(Sets(lengths("synthetic", 1, 15, each=10), lengths("real", 2, 10, each=10))).interval
    assert alone is not None and alike is not None
    assert alike[1] - alike[0] > 2 * (alone[1] - alone[0])


def test_every_comparison_is_of_as_many_queries_on_both_sides() -> None:
    sets = Sets(lengths("synthetic", 1, 10, 1000, each=5), lengths("real", 2, 10, 201), lengths("wrong", 3, 9, 400))
    seen: set[tuple[int, int]] = set()

    def distance(a: Values, b: Values) -> float:
        seen.add((len(a), len(b)))
        return 0.0

    for repeats in (True, False):
        measured_features(
            NAME,
            sets,
            {role: letters(one) for role, one in roles(sets).items()},
            distance,
            lambda a, rows: a[rows],
            repeats=repeats,
        )
    assert seen == {(100, 100)}


def test_without_repeats_no_query_is_drawn_twice() -> None:
    rows = {role: np.arange(float(len(one))) for role, one in roles(SAME).items()}

    def distance(a: Values, b: Values) -> float:
        assert len(set(a.tolist())) == len(a) and len(set(b.tolist())) == len(b)
        return 0.0

    assert measured_features(NAME, SAME, rows, distance, lambda a, b: a[b], repeats=False).interval == (0, 0)
    with pytest.raises(AssertionError):
        measured_features(NAME, SAME, rows, distance, lambda a, b: a[b], repeats=True)


def spread_of_means(sets: Sets, *, repeats: bool) -> float:
    values = {role: letters(one) for role, one in roles(sets).items()}
    interval = measured_features(
        NAME, sets, values, lambda a, b: mean(a) - mean(b), lambda a, b: a[b], effort=Effort(400), repeats=repeats
    ).interval
    assert interval is not None
    return interval[1] - interval[0]


def test_random_halves_vary_as_much_as_the_truth_and_less_than_the_bootstrap() -> None:
    sets = Sets(lengths("synthetic", 1, 15), lengths("real", 2, 10))
    assert spread_of_means(sets, repeats=False) == pytest.approx(2 * 1.96 * math.sqrt((15 + 10) / 200), rel=0.15)
    assert spread_of_means(sets, repeats=True) > spread_of_means(sets, repeats=False)


def test_a_small_synthetic_set_is_no_less_uncertain_because_all_of_it_is_compared() -> None:
    sets = Sets(lengths("synthetic", 1, 100, 40), lengths("real", 2, 10, 400))
    assert spread_of_means(sets, repeats=False) > 2 * 1.96 * math.sqrt(100 / 40) * 0.7


def test_without_real_queries_or_with_too_few_there_are_levels_only() -> None:
    few = lengths("real", 2, 10, 30)
    of_one = QuerySet("real", few.texts, groups=(7,) * 30)
    for real in (None, few, of_one, few.take(np.arange(1)), few.take(np.arange(0))):
        sets = Sets(lengths("synthetic", 1, 10), real)
        assert matched(sets) is None
        assert fast(sets).value is measured(NAME, sets, DISTANCE).value is None
        assert number_of(sets).levels["synthetic"] == 200
        assert number_of(sets).value is None


def test_levels_that_grow_with_the_number_are_of_equal_numbers() -> None:
    sets = Sets(lengths("synthetic", 1, 10, 400), lengths("real", 2, 10, 100), lengths("wrong", 3, 10, 300))
    assert number_of(sets).levels == {"synthetic": 50, "real": 50, "wrong": 50}


def test_a_difference_of_levels_is_the_distance_that_it_is() -> None:
    values = {role: letters(one) for role, one in roles(LONGER).items()}
    quick = measured_differences(NAME, LONGER, values, mean, lambda a, rows: a[rows])
    slow = measured_features(
        NAME, LONGER, values, lambda a, b: abs(mean(a) - mean(b)), lambda a, rows: a[rows], repeats=False
    )
    assert replace(quick, levels={}) == slow
    assert quick.levels == {name: pytest.approx(level, abs=0.7) for name, level in LEVELS.items()}


def test_a_distance_without_meaning_is_no_value() -> None:
    values = {role: letters(one) for role, one in roles(SAME).items()}
    found = measured_values(NAME, SAME, values, lambda *_: math.nan, {"synthetic": 1.0})
    assert (found.value, found.floor, found.interval) == (None, None, None)
    assert found.above_floor is None
    assert found.levels == {"synthetic": 1.0}


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    again = Sets(lengths("synthetic", 1, 15), lengths("real", 2, 10), lengths("wrong", 3, 30))
    assert fast(again) == fast(LONGER)
    assert fast(Sets(again.synthetic, again.real, again.wrong, seed=1)) != fast(LONGER)


def test_a_row_can_be_written_as_json() -> None:
    row = ValidationRow(
        "V1", "a", "b", "c", value=np.float64(0.5), levels={"real": math.nan}, parts={"x": [np.int64(3)]}
    )
    assert json.loads(json.dumps(row.as_dict(), allow_nan=False))["levels"] == {"real": None}

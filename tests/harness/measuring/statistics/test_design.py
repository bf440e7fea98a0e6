"""What is drawn are questions: a question in ten languages is one draw, not ten."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.measuring.statistics.design import Design, Questions
from tests.harness.measuring.statistics.designs import alone, of, parallel


def test_a_question_in_several_languages_is_counted_once() -> None:
    design = parallel(10, 30)
    assert (design.questions, design.queries) == (30, 300)


def test_equal_ids_of_different_collections_are_different_questions() -> None:
    assert alone(30, 30).questions == 60


def test_a_question_that_one_language_lacks_is_a_question_still() -> None:
    design = Design((Questions("set", ("a", "b", "c")), Questions("set", ("c", "d")), Questions("other", ("a",))))
    assert (design.questions, design.queries) == (5, 6)
    assert {name: list(ids) for name, ids in design.sets.items()} == {"set": ["a", "b", "c", "d"], "other": ["a"]}


def test_what_the_questions_add_sums_to_the_macro_mean() -> None:
    values = [np.array([0.5]), np.array([0.0, 1.0, 0.2])]
    design = of(*values, weights=[3, 1])
    assert design.sums(values).sum() == pytest.approx(0.75 * 0.5 + 0.25 * 0.4)
    assert design.mean(values) == pytest.approx(0.475)
    assert design.share.sum() == pytest.approx(1)


def test_a_collection_counts_as_much_as_its_weight_not_as_its_queries() -> None:
    assert alone(2, 8).share == pytest.approx([0.25] * 2 + [0.0625] * 8)
    assert alone(2, 8, weights=[1, 4]).share == pytest.approx([0.1] * 10)


def test_the_values_of_several_systems_are_summed_side_by_side() -> None:
    design, values = parallel(2, 3), [np.arange(6.0).reshape(2, 3), np.ones((2, 3))]
    assert design.sums(values)[1] == pytest.approx(design.sums([own[1] for own in values]))


@pytest.mark.parametrize("values", [[np.zeros(0)], [np.zeros(4), np.zeros(0)], []])
def test_an_average_over_a_collection_without_queries_is_not_made_up(values: list[np.ndarray]) -> None:  # type: ignore[type-arg]
    assert math.isnan(of(*values).mean(values))


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, math.nan]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights above 0"):
        _ = alone(2, 2, weights=weights).weights


@pytest.mark.parametrize("size", [1, 2, 4])
def test_values_of_other_queries_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} values of a collection that has 3 queries"):
        alone(3).sums([np.ones(size)])


def test_a_part_keeps_the_proportions_of_its_weights() -> None:
    part = alone(2, 3, 4, weights=[1, 2, 6]).part([0, 2])
    assert part.weights == pytest.approx([1 / 7, 6 / 7])
    assert [len(one.ids) for one in part.collections] == [2, 4]

"""What is drawn from a set of queries: a user would lose that documents, not queries, are the unit of chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from adapters.errors import DataError
from training.validating.sets import QuerySet, Sets


def three_each(documents: int = 20) -> QuerySet:
    groups = tuple(row // 3 for row in range(3 * documents))
    texts = tuple(f"query {row}" for row in range(3 * documents))
    vectors = np.arange(3 * documents, dtype=np.float32)[:, None]
    return QuerySet("some", texts, tuple(f"document {group}" for group in groups), groups, "en", vectors)


def test_queries_of_one_document_are_drawn_together() -> None:
    drawn = three_each().resample(np.random.default_rng(0))
    assert len(drawn) == 60
    assert len(set(drawn.groups)) < 20  # some document came twice
    assert all(number % 3 == 0 for number in Counter(drawn.groups).values())


def test_no_document_is_in_both_halves() -> None:
    first, second = three_each().halves(np.random.default_rng(0))
    assert not set(first.groups) & set(second.groups)
    assert len(first) + len(second) == 60


def test_a_sample_is_of_whole_documents_and_has_no_query_twice() -> None:
    drawn = three_each().sample(31, np.random.default_rng(0))
    assert len(drawn) == len(set(drawn.texts)) == 31
    assert sorted(Counter(drawn.groups).values()) == [1] + [3] * 10


def test_everything_of_a_query_is_taken_with_it() -> None:
    taken = three_each().take(np.array([7, 7, 2]))
    assert taken.texts == ("query 7", "query 7", "query 2")
    assert taken.documents == ("document 2", "document 2", "document 0")
    assert taken.groups == (2, 2, 0)
    assert taken.vectors is not None and taken.vectors[:, 0].tolist() == [7, 7, 2]


def test_queries_without_groups_stand_alone_and_stay_known_when_drawn_twice() -> None:
    taken = QuerySet("some", ("a", "b", "c")).take(np.array([2, 0, 2]))
    assert taken.groups == (2, 0, 2)
    assert [rows.tolist() for rows in taken.members] == [[0, 2], [1]]


@pytest.mark.parametrize("wrong", [{"documents": ("one",)}, {"groups": (1,)}, {"vectors": np.zeros((1, 2))}])
def test_columns_of_different_lengths_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DataError, match="2 queries and 1"):
        QuerySet("some", ("a", "b"), **wrong)  # type: ignore[arg-type]


def test_two_sets_of_one_name_are_refused_because_their_levels_would_overwrite_each_other() -> None:
    with pytest.raises(DataError, match="the same name"):
        Sets(QuerySet("queries", ("a",)), QuerySet("queries", ("b",)))

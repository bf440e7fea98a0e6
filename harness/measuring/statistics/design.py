"""The design of a statistic: the questions of collections, and the weight of each collection in an average.

In a parallel set a question is asked in several languages, so its queries are not independent. They are flipped and
drawn together: the statistics count questions, not queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats64 = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
TIE = 1e-12
"""Differences of fractions up to this are rounding, not wins or losses."""


@dataclass(frozen=True)
class Questions:
    """The questions of one collection, aligned with the values that are measured on it."""

    drawn_from: str
    """The fingerprint of the collection, or the name of its parallel set. Questions with the same id in a set are one
    question."""
    ids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Design:
    """The questions of collections that are averaged.

    Args:
        collections: one or more. If a collection has no question, the average is unknown (nan).
        given: the weight of each collection, above 0; they are scaled to sum to 1. Default: equal weights.

    Raises:
        ValueError: there is not one weight above 0 for every collection.
    """

    collections: tuple[Questions, ...]
    given: Sequence[float] | Floats64 | None = None

    def __post_init__(self) -> None:
        votes = self._votes
        if votes.shape != (len(self.collections),) or not bool((votes > 0).all()):
            raise ValueError(f"{len(self.collections)} collections need as many weights above 0, not {self.given!r}")

    @cached_property
    def weights(self) -> Floats64:
        """float64 [collections], summing to 1."""
        total = self._votes.sum()
        return self._votes / total if total else self._votes

    @property
    def _votes(self) -> Floats64:
        return np.ones(len(self.collections)) if self.given is None else np.asarray(self.given, np.float64)

    @cached_property
    def sets(self) -> dict[str, list[str]]:
        """The sorted ids of the questions of every set."""
        by_set: dict[str, dict[str, None]] = {}
        for each in self.collections:
            by_set.setdefault(each.drawn_from, {}).update(dict.fromkeys(each.ids))
        return {name: sorted(ids) for name, ids in by_set.items()}

    @cached_property
    def units(self) -> tuple[Rows, ...]:
        """For every collection the index of each of its questions among all questions, int64 [queries]."""
        places, start = {}, 0
        for name, ids in self.sets.items():
            places[name] = {id: start + place for place, id in enumerate(ids)}
            start += len(ids)
        return tuple(np.array([places[each.drawn_from][id] for id in each.ids], np.int64) for each in self.collections)

    @cached_property
    def set_of(self) -> Rows:
        """The number of the set of every question, int64 [questions]."""
        sizes = [len(ids) for ids in self.sets.values()]
        return np.repeat(np.arange(len(sizes)), sizes)

    @property
    def questions(self) -> int:
        """The number of different questions."""
        return len(self.set_of)

    @property
    def queries(self) -> int:
        """The number of queries in all collections."""
        return sum(len(each.ids) for each in self.collections)

    @cached_property
    def share(self) -> Floats64:
        """The weight of each question in the average, float64 [questions], summing to 1. It is the sum over its queries
        of weight / number of queries of the collection."""
        return self.sums([np.ones(len(each.ids)) for each in self.collections])

    def sums(self, values: Sequence[Floats64]) -> Floats64:
        """The contribution of each question to the average of the values, float64 [questions] or [systems, questions].

        Args:
            values: float64 [queries] or [systems, queries] for every collection.

        Raises:
            ValueError: a collection has another number of values than queries.
        """
        shape = np.shape(values[0])[:-1] if values else ()
        sums = np.zeros((*shape, self.questions))
        for of_collection, rows, weight in zip(values, self.units, self.weights, strict=True):
            if np.shape(of_collection)[-1] != len(rows):
                raise ValueError(f"{np.shape(of_collection)[-1]} values of a collection that has {len(rows)} queries")
            if len(rows):
                sums[..., rows] += np.asarray(of_collection, np.float64) * (weight / len(rows))
        return sums

    def mean(self, values: Sequence[Floats64]) -> float:
        """The average of the collections' means; nan if a collection has no query."""
        return float(self.sums(values).sum()) if self.holds(1) else float("nan")

    def holds(self, least: int) -> bool:
        """Whether there is a collection, and every collection has at least `least` queries."""
        return bool(self.collections) and min(len(each.ids) for each in self.collections) >= least

    def part(self, places: Sequence[int]) -> Design:
        """The design of some of the collections. Their weights keep their proportions."""
        return Design(tuple(self.collections[place] for place in places), self._votes[list(places)])

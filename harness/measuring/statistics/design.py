"""What is drawn: the questions of some collections, and what each collection weighs in an average.

In a parallel set a question is asked in several languages, so its queries are not independent: they are flipped and
drawn together. The statistics count questions, not queries.
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
"""Differences of fractions up to here are rounding, not wins or losses."""


@dataclass(frozen=True)
class Questions:
    """The questions of one collection, aligned with the values that are measured on it."""

    drawn_from: str
    """The fingerprint of the collection, or the name of the parallel set that it belongs to. Questions of one set with
    one id are one question."""
    ids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Design:
    """The questions of collections that are averaged.

    Args:
        collections: one or more; a collection may have no question, and then nothing can be said of the average.
        weights: what each collection weighs, above 0; None gives all the same. They are made to sum to 1.

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
        """The ids of the questions of every set that is drawn from, in the order of their names."""
        found: dict[str, dict[str, None]] = {}
        for one in self.collections:
            found.setdefault(one.drawn_from, {}).update(dict.fromkeys(one.ids))
        return {name: sorted(ids) for name, ids in found.items()}

    @cached_property
    def units(self) -> tuple[Rows, ...]:
        """For every collection the place of each of its questions among all questions, int64 [queries]."""
        places, start = {}, 0
        for name, ids in self.sets.items():
            places[name] = {id: start + place for place, id in enumerate(ids)}
            start += len(ids)
        return tuple(np.array([places[one.drawn_from][id] for id in one.ids], np.int64) for one in self.collections)

    @cached_property
    def set_of(self) -> Rows:
        """The number of the set of every question, int64 [questions]."""
        sizes = [len(ids) for ids in self.sets.values()]
        return np.repeat(np.arange(len(sizes)), sizes)

    @property
    def questions(self) -> int:
        """How many different questions there are."""
        return len(self.set_of)

    @property
    def queries(self) -> int:
        """How many queries there are in all collections."""
        return sum(len(one.ids) for one in self.collections)

    @cached_property
    def share(self) -> Floats64:
        """What each question weighs in the average, float64 [questions], summing to 1: the sum over its queries of the
        weight of the collection divided by the queries of the collection."""
        return self.sums([np.ones(len(one.ids)) for one in self.collections])

    def sums(self, values: Sequence[Floats64]) -> Floats64:
        """What each question adds to the average of the values, float64 [questions], or [systems, questions].

        Args:
            values: of every collection, float64 [queries] or [systems, queries].

        Raises:
            ValueError: a collection has another number of values than queries.
        """
        shape = np.shape(values[0])[:-1] if values else ()
        found = np.zeros((*shape, self.questions))
        for own, rows, weight in zip(values, self.units, self.weights, strict=True):
            if np.shape(own)[-1] != len(rows):
                raise ValueError(f"{np.shape(own)[-1]} values of a collection that has {len(rows)} queries")
            if len(rows):
                found[..., rows] += np.asarray(own, np.float64) * (weight / len(rows))
        return found

    def mean(self, values: Sequence[Floats64]) -> float:
        """The average of the collections' means; nan where a collection has no query."""
        return float(self.sums(values).sum()) if self.holds(1) else float("nan")

    def holds(self, least: int) -> bool:
        """Whether there is a collection, and each has at least this many queries."""
        return bool(self.collections) and min(len(one.ids) for one in self.collections) >= least

    def part(self, places: Sequence[int]) -> Design:
        """Only some collections; their weights keep their proportions."""
        return Design(tuple(self.collections[place] for place in places), self._votes[list(places)])

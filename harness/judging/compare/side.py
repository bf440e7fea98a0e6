"""The values of one system on one collection: a result, or the results of several seeds of a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from adapters.errors import DataError
from harness.measuring.statistics.design import Floats64, Questions
from harness.result.facts import CollectionFacts
from harness.result.result import Result
from harness.result.store import Results
from harness.result.stored import Stored


@dataclass(frozen=True)
class ComparedSide:
    """One side of a comparison."""

    system: str
    results: tuple[Result, ...]
    """One measure on the same queries and candidates: one result, or one for each seed."""
    noise: float | None = None
    """How much the mean changed when the system was scored again; None if not measured."""

    @property
    def collection(self) -> CollectionFacts:
        """The collection."""
        return self.stored.collection

    @property
    def stored(self) -> Stored:
        """The evaluation; for several seeds, the first one."""
        return self.results[0].stored

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of the evaluation, or of the evaluation of each seed."""
        return tuple(one.id for one in self.results)

    @property
    def evaluator(self) -> object:
        """The version of the evaluator."""
        return self.stored.identity.get("evaluator")

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The number formats of the system, or of its seeds; empty for systems without one."""
        return tuple(sorted({one.stored.dtype for one in self.results if one.stored.dtype is not None}))

    @property
    def questions(self) -> Questions:
        """The questions of the queries, in the same order; for p-MRR, the questions with two queries."""
        return self.results[0].questions

    @cached_property
    def rows(self) -> Floats64:
        """float64 [seeds, queries], fractions; one row for a system that is not a group."""
        return np.stack([one.values for one in self.results])

    @property
    def values(self) -> Floats64:
        """The mean over seeds, float64 [queries]."""
        mean: Floats64 = self.rows[0] if len(self.rows) == 1 else self.rows.mean(axis=0)
        return mean


def side_of(result: Result, noise: float | None = None) -> ComparedSide:
    """Return the side of one result."""
    return ComparedSide(result.stored.system, (result,), noise)


def stored_side(results: Results, stored: Stored, measure: str) -> ComparedSide:
    """Return the side of a stored evaluation. Its noise is that of a check or the floor of half precision, whichever is
    larger.

    Raises:
        UsageError: the evaluation does not have the measure.
    """
    floor = stored.audit.noise.effects.get(measure) if stored.audit.noise else None
    known = [one for one in (results.noise(stored.id, measure), floor) if one is not None]
    return side_of(results.result(stored.id, measure), max(known, default=None))


def together(name: str, sides: Sequence[ComparedSide]) -> ComparedSide:
    """Join several seeds or folds of a method on one collection into one side.

    Raises:
        DataError: the queries, candidates or evaluators differ.
    """
    first = sides[0]
    for other in sides[1:]:
        if _ground(other) != _ground(first):
            raise DataError(
                f"{first.collection.name}: {first.ids[0]} and {other.ids[0]} of '{name}' have different queries, "
                "candidates or evaluators; all members of a group need the same"
            )
    noise = [side.noise for side in sides if side.noise is not None]
    results = tuple(one for side in sides for one in side.results)
    return replace(first, system=name, results=results, noise=max(noise, default=None))


def _ground(side: ComparedSide) -> tuple[object, ...]:
    return side.collection.fingerprint, side.stored.candidates, side.questions, side.evaluator

"""V8: the diversity of a set of queries."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from adapters.protocols import Floats
from harness.checks.near_duplicates import Index, normalised
from training.validating.drawn import FULL, Effort, F, Features, measured_differences, roles
from training.validating.measured import Name, ValidationRow
from training.validating.self_bleu import Grams, NGrams, distinct, self_bleu
from training.validating.sets import QuerySet, Rows, Sets
from training.validating.words import units

ALIKE = 0.8
"""Jaccard coefficient of character trigrams above which two queries are near-duplicates."""
Marks = npt.NDArray[np.bool_]
_NOTE = "levels at equal numbers of queries"


def measure(sets: Sets, effort: Effort = FULL) -> list[ValidationRow]:
    """distinct-1, distinct-2 and self-BLEU; the share of queries with a near-duplicate, in the set and among the
    queries of their document; with vectors the mean cosine of two queries, in the set and within a document.

    All of them depend on the number of queries, so levels are for equal numbers too. Figures within a document use
    documents with two or more queries, and are None for a set without such documents.
    """
    grams = {role: Grams.of([units(text, one.language) for text in one.texts]) for role, one in roles(sets).items()}
    alike = {role: Alike.of(one) for role, one in roles(sets).items()}
    rows = [
        *(
            _row(
                f"distinct-{n}",
                unit,
                sets,
                {role: one.orders[n - 1] for role, one in grams.items()},
                distinct,
                NGrams.take,
                effort,
            )
            for n, unit in ((1, "share of the words"), (2, "share of the pairs"))
        ),
        _row("self-BLEU", "0 to 1", sets, grams, self_bleu, Grams.take, effort),
        _row("near-duplicates", "share", sets, alike, Alike.rate, Alike.take, effort),
        _row("near-duplicates within a document", "share", sets, alike, Alike.rate_within, Alike.take, effort),
    ]
    return [*rows, *_cosines(sets, effort)]


@dataclass(frozen=True)
class Alike:
    """Pairs of near-duplicates in a set, and the rows in use. Rows must not repeat."""

    first: Rows
    second: Rows
    """Aligned with `first`: rows of the whole set."""
    groups: Rows
    """The document of each query of the whole set."""
    rows: Rows

    @classmethod
    def of(cls, one: QuerySet) -> Alike:
        """All pairs of a set, each once. MinHash finds candidates, and the exact coefficient decides."""
        texts = [normalised(text) for text in one.texts]
        found = list(Index(texts).search(texts, ALIKE)) if texts else []
        pairs = [
            np.stack([part.known, part.asked])[:, (part.known < part.asked) & (part.similarity > ALIKE)]
            for part in found
        ]
        # A pair can be found in several bands.
        first, second = np.unique(np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1), axis=1)
        groups = np.array(one.groups or range(len(one)), np.int64)
        return cls(first, second, groups, np.arange(len(one)))

    def take(self, rows: Rows) -> Alike:
        """The same pairs, restricted to some of the rows."""
        return replace(self, rows=self.rows[rows])

    def rate(self) -> float:
        """The share of queries with a near-duplicate; nan without queries."""
        return float(self._marked(np.ones(len(self.first), bool))[self.rows].mean()) if len(self.rows) else math.nan

    def rate_within(self) -> float:
        """The share of queries with a near-duplicate within their document, over documents with several queries; nan
        without such documents."""
        _, owner, sizes = np.unique(self.groups[self.rows], return_inverse=True, return_counts=True)
        several = self.rows[sizes[owner] > 1]
        same = self.groups[self.first] == self.groups[self.second]
        return float(self._marked(same)[several].mean()) if len(several) else math.nan

    def _marked(self, chosen: Marks) -> Marks:
        present = np.zeros(len(self.groups), bool)
        present[self.rows] = True
        both = chosen & present[self.first] & present[self.second]
        marked = np.zeros(len(self.groups), bool)
        marked[self.first[both]] = marked[self.second[both]] = True
        return marked


@dataclass(frozen=True)
class Directions:
    """Vectors of unit length, float32 [queries, dim], and the documents of the queries."""

    vectors: Floats
    groups: Rows

    @classmethod
    def of(cls, one: QuerySet) -> Directions:
        """The vectors of a set, which must have some."""
        assert one.vectors is not None
        return cls(one.vectors, np.array(one.groups or range(len(one)), np.int64))

    def take(self, rows: Rows) -> Directions:
        """The vectors of some queries."""
        return Directions(self.vectors[rows], self.groups[rows])

    def cosine(self) -> float:
        """The mean cosine over all pairs of queries; nan for fewer than two."""
        number = len(self.vectors)
        return _mean_cosine(self.vectors.sum(0, np.float64), number) if number > 1 else math.nan

    def cosine_within(self) -> float:
        """The mean cosine over all pairs of queries of one document; nan if no document has two."""
        _, owner, sizes = np.unique(self.groups, return_inverse=True, return_counts=True)
        sums = np.zeros((len(sizes), self.vectors.shape[1]))
        np.add.at(sums, owner, self.vectors)
        pairs = (sizes * (sizes - 1)).sum()
        return float(((sums**2).sum() - len(owner)) / pairs) if pairs else math.nan


def _mean_cosine(total: Floats, number: int) -> float:
    return float((total @ total - number) / (number * (number - 1)))


def _row(  # noqa: PLR0917
    name: str, unit: str, sets: Sets, found: Features[F], level: Callable[[F], float],
    take: Callable[[F, Rows], F], effort: Effort,
) -> ValidationRow:  # fmt: skip
    return measured_differences(Name("V8", name, "difference", unit), sets, found, level, take, _NOTE, effort=effort)


def _cosines(sets: Sets, effort: Effort) -> list[ValidationRow]:
    if sets.wrong is not None and sets.wrong.vectors is None:
        sets = replace(sets, wrong=None)
    found = {role: Directions.of(one) for role, one in roles(sets).items() if one.vectors is not None}
    if len(found) < len(roles(sets)):
        return []
    rows = (
        ("mean cosine of two queries", Directions.cosine),
        ("mean cosine within a document", Directions.cosine_within),
    )
    return [_row(name, "cosine", sets, found, level, Directions.take, effort) for name, level in rows]

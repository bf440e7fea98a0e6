"""Where the difference of a query comes from: what each relevant document contributes in both rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.judging.why.facing import ComparedSystem, Floats64, Indices, PairedTexts
from harness.measuring.measures import DEFINITIONS, Hits, Measure, evaluate
from harness.measuring.ranking import lookup


@dataclass(frozen=True, eq=False)
class Placed:
    """The relevant documents of all queries (grade >= 1, full qrels, ordered by query) in one ranking."""

    rows: Indices
    """Rows of the run; -1 for a document that is not a candidate."""
    ranks: Indices
    """From 1; 0 for a document that is not a candidate."""
    gains: Floats64
    """What each document adds to the value of its query. The gains sum to the value, because every measure here is a
    sum of gains of relevant documents over a divisor that does not depend on the ranking."""
    values: Floats64
    """float64 [queries], as in trec_eval."""


@dataclass(frozen=True, eq=False)
class QueryDifference:
    """A and B per query and per relevant document. Values are fractions; deltas are B minus A."""

    queries: Indices
    """The query of every relevant document, ascending."""
    documents: Indices
    grades: Indices
    a: Placed
    b: Placed

    @property
    def deltas(self) -> Floats64:
        """float64 [queries]."""
        return self.b.values - self.a.values

    @property
    def contributions(self) -> Floats64:
        """What each relevant document adds to the delta of its query; they sum to the delta. For AP and RR, the gain of
        a document also depends on the relevant documents above it."""
        return self.b.gains - self.a.gains

    def of(self, query: int) -> slice:
        """Return the rows of one query."""
        first, last = np.searchsorted(self.queries, (query, query + 1))
        return slice(int(first), int(last))


def difference(facing: PairedTexts) -> QueryDifference:
    """Compare both rankings document by document."""
    qrels = facing.collection.qrels
    relevant = qrels.grades >= 1
    columns = (qrels.queries, qrels.documents, qrels.grades)
    queries, documents, grades = asked = [part[relevant].astype(np.int64) for part in columns]
    ideal = facing.judged[0].ideal
    a, b = (_placed(side, asked, ideal, facing.measure) for side in facing.sides)
    return QueryDifference(queries, documents, grades, a, b)


def divisors(measure: Measure, ideal: Hits) -> Floats64:
    """Return the divisors of the gains of each query, float64 [queries]; 0 if there is nothing to gain."""
    return DEFINITIONS[measure.name].divisor(ideal, measure.cutoff)


def _placed(side: ComparedSystem, asked: Sequence[Indices], ideal: Hits, measure: Measure) -> Placed:
    """`asked` is (queries, documents, grades)."""
    queries, documents, grades = asked
    rows = lookup(side.run, queries, documents)
    ranks = np.where(rows >= 0, side.ranks[rows], 0) if len(side.run) else np.zeros(len(rows), np.int64)
    found = np.flatnonzero(rows >= 0)
    found = found[np.lexsort((ranks[found], queries[found]))]
    hits = Hits(queries[found], ranks[found], grades[found], ideal.size)
    gained = np.where(hits.ranks <= (measure.cutoff or np.inf), DEFINITIONS[measure.name].gain(hits), 0.0)
    divisor = divisors(measure, ideal)[hits.queries]
    gains = np.zeros(len(rows))
    gains[found] = np.divide(gained, divisor, out=np.zeros_like(gained), where=divisor > 0)
    return Placed(rows, ranks, gains, evaluate(measure, hits, ideal))

"""The candidates of a run joined with their judgments, once for all systems, measures and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.measuring.chance import Floats64, JudgedPool
from harness.measuring.measures import Hits, Indices, Measure, evaluate, nth
from harness.measuring.ranking import Scores, checked_scores, lookup, places, rank_keys, score_words


@dataclass(frozen=True, eq=False)
class Judged:
    """Candidates and judgments, joined. Every `scores` argument is aligned with `run.documents`; None means the scores
    of the run. Methods raise a DataError if a score is not finite.

    Values follow trec_eval: linear gains, the ideal ranking from the full qrels, equal float32 scores ordered by
    document id descending. A query without relevant documents or without candidates has the value 0.

    Raises:
        DataError: the run or the qrels do not fit the number of queries.
    """

    run: Run
    qrels: Qrels
    queries: int
    """The number of queries of the split: the denominator."""

    def __post_init__(self) -> None:
        if len(self.run.offsets) != self.queries + 1:
            raise DataError(f"the run has {len(self.run.offsets) - 1} queries, the split {self.queries}")
        last = int(self.qrels.all_queries.max(initial=-1))
        if last >= self.queries:
            raise DataError(f"the qrels judge query {last}, the split has {self.queries} queries")

    def values(self, measures: Sequence[Measure], scores: npt.ArrayLike | None = None) -> Floats64:
        """Values per measure and query, float64 [len(measures), queries]."""
        checked = checked_scores(self.run, scores)
        rows, queries, grades = self._relevant
        keys = rank_keys(checked[rows], self.run.tiebreaks[rows])
        (before,) = places(self.run, checked, queries, (keys,))
        return self._evaluate(measures, _by_rank(queries, before + 1, grades, self.queries))

    def bounds(self, measures: Sequence[Measure], scores: npt.ArrayLike | None = None) -> tuple[Floats64, Floats64]:
        """The (worst, best) values over all orders of equally scored candidates; their difference is the tie span."""
        checked = checked_scores(self.run, scores)
        rows, queries, grades = self._relevant
        words = score_words(checked[rows])
        above, least = places(self.run, checked, queries, (words << np.uint64(32), (words + 1) << np.uint64(32)))
        place = _place_among_equals(queries, words, grades)
        worst = _by_rank(queries, least + 1 - place, grades, self.queries)
        best = _by_rank(queries, above + place, grades, self.queries)
        return self._evaluate(measures, worst), self._evaluate(measures, best)

    def judged_at(self, cutoff: int, scores: npt.ArrayLike | None = None) -> Floats64:
        """The judged share of the first `cutoff` candidates (or of all, if there are fewer), float64 [queries]."""
        checked = checked_scores(self.run, scores)
        rows, queries, _ = self._candidates
        (before,) = places(self.run, checked, queries, (rank_keys(checked[rows], self.run.tiebreaks[rows]),))
        found = np.bincount(queries[before < cutoff], minlength=self.queries)
        shares: Floats64 = found / np.clip(np.diff(self.run.offsets), 1, cutoff)
        return shares

    def oracle(self) -> Scores:
        """Scores of a perfect reranker of these candidates: the grades; 0 for unjudged candidates."""
        return np.maximum(self.grades, 0).astype(np.float32)

    @cached_property
    def grades(self) -> npt.NDArray[np.int32]:
        """The grade of every row of the run; -1 for unjudged candidates."""
        rows, _, grades = self._candidates
        result = np.full(len(self.run.documents), -1, dtype=np.int32)
        result[rows] = grades
        return result

    @cached_property
    def ideal(self) -> Hits:
        """The relevant documents of the full qrels, including those that the corpus lacks, best grade first."""
        return _best_first(self.qrels.all_queries, self.qrels.all_grades, self.queries)

    @cached_property
    def reachable(self) -> Hits:
        """The relevant documents in the corpus, best grade first: the ranking of a perfect first stage."""
        return _best_first(self.qrels.queries, self.qrels.grades, self.queries)

    @property
    def relevant(self) -> Indices:
        """The number of relevant documents (grade >= 1) in the full qrels, int64 [queries]."""
        return np.bincount(self.ideal.queries, minlength=self.queries)

    @property
    def pool(self) -> JudgedPool:
        """The candidate lists without their order."""
        _, queries, grades = self._relevant
        return JudgedPool(np.diff(self.run.offsets), queries, grades)

    @cached_property
    def _candidates(self) -> tuple[Indices, Indices, Indices]:
        """(row of the run, query, grade) of every judged candidate, by query."""
        queries, documents, grades = (
            part.astype(np.int64) for part in (self.qrels.queries, self.qrels.documents, self.qrels.grades)
        )
        rows = lookup(self.run, queries, documents)
        found = rows >= 0
        return rows[found], queries[found], grades[found]

    @cached_property
    def _relevant(self) -> tuple[Indices, Indices, Indices]:
        rows, queries, grades = self._candidates
        kept = grades >= 1
        return rows[kept], queries[kept], grades[kept]

    def _evaluate(self, measures: Sequence[Measure], hits: Hits) -> Floats64:
        values = np.empty((len(measures), self.queries))
        for row, measure in zip(values, measures, strict=True):
            row[:] = evaluate(measure, hits, self.ideal)
        return values


def _best_first(queries: npt.NDArray[np.int32], grades: npt.NDArray[np.int32], size: int) -> Hits:
    order = np.lexsort((-grades, queries))
    order = order[grades[order] >= 1]
    by_grade = queries[order].astype(np.int64)
    return Hits(by_grade, nth(by_grade), grades[order].astype(np.int64), size)


def _by_rank(queries: Indices, ranks: Indices, grades: Indices, size: int) -> Hits:
    order = np.argsort(queries << 32 | ranks)
    return Hits(queries[order], ranks[order], grades[order], size)


def _place_among_equals(queries: Indices, words: npt.NDArray[np.uint64], grades: Indices) -> Indices:
    """The position, from 1, of each relevant candidate among those of its query with the same score, by grade."""
    order = np.lexsort((-grades, words, queries))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = nth((queries[order] << 32) | words[order].astype(np.int64))
    return place

"""The top ranks of two rankings of the same queries, joined with the judgments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.measuring.judged import Judged
from harness.measuring.unjudged import Floats64, OpenLabels

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TopRanks:
    """The documents in the first k ranks of A or of B. Arrays have a row for each query and document, by query."""

    queries: Rows
    documents: Rows
    """Rows of the corpus."""
    grades: Rows
    """-1 for an unjudged document."""
    steps: Floats64
    """The discount in B minus the discount in A; a document outside the first k ranks of a list has the discount 0."""
    in_a: npt.NDArray[np.bool_]
    in_b: npt.NDArray[np.bool_]
    qrels: Qrels
    size: int
    """The number of queries."""
    cutoff: int

    @property
    def unjudged(self) -> npt.NDArray[np.bool_]:
        """Which rows have no judgment."""
        return self.grades < 0

    def shares(self) -> tuple[float, float]:
        """The share of unjudged documents in the first k ranks of A, and of B; nan for an empty list."""
        of = [self.unjudged[side] for side in (self.in_a, self.in_b)]
        return tuple(float(one.mean()) if len(one) else float("nan") for one in of)  # type: ignore[return-value]

    def open_labels(self) -> OpenLabels:
        """The part of these ranks that the difference in nDCG@k depends on."""
        levels = np.unique(self.qrels.all_grades[self.qrels.all_grades > 0]).astype(np.int64)[::-1]
        known = ~self.unjudged
        gains = np.where(known, self.grades * self.steps, 0.0)
        counts = np.bincount(self.queries[self.unjudged], minlength=self.size).astype(np.int64)
        return OpenLabels(
            np.bincount(self.queries, gains, self.size).astype(np.float64), _by_grade(self.qrels, levels, self.size),
            self._steps(counts), counts, levels, self.cutoff,
        )  # fmt: skip

    def _steps(self, counts: Rows) -> Floats64:
        rows = np.flatnonzero(self.unjudged)
        rows = rows[np.lexsort((-self.steps[rows], self.queries[rows]))]
        table = np.zeros((self.size, int(counts.max(initial=0))))
        table[np.arange(table.shape[1]) < counts[:, None]] = self.steps[rows]
        return table


def top_ranks(a: Run, b: Run, qrels: Qrels, cutoff: int) -> TopRanks:
    """Join the first `cutoff` ranks of two rankings. Equal scores are ordered by the one tie rule.

    Args:
        a, b: rankings of the same queries.
        qrels: the judgments of these queries.
    """
    size = len(a.offsets) - 1
    tops = [_top(run, qrels, cutoff) for run in (a, b)]
    keys, places = np.unique(np.concatenate([keys for keys, _, _ in tops]), return_inverse=True)
    split = len(tops[0][0])
    discounts, present = np.zeros((2, len(keys))), np.zeros((2, len(keys)), bool)
    grades = np.empty(len(keys), np.int64)
    for side, (own, (_, of, ranks)) in enumerate(zip((places[:split], places[split:]), tops, strict=True)):
        discounts[side, own], present[side, own], grades[own] = 1 / np.log2(ranks + 1), True, of
    return TopRanks(
        keys >> 32, keys & 0xFFFFFFFF, grades, discounts[1] - discounts[0], present[0], present[1], qrels, size, cutoff
    )


def _top(run: Run, qrels: Qrels, cutoff: int) -> tuple[Rows, Rows, Rows]:
    """(query << 32 | document, grade, rank) of each row in the first ranks."""
    rows = run.order()
    queries = run.queries[rows]
    ranks = np.arange(len(rows)) - run.offsets[:-1][queries] + 1
    rows, kept = rows[ranks <= cutoff], ranks <= cutoff
    grades = Judged(run, qrels, len(run.offsets) - 1).grades[rows].astype(np.int64)
    return queries[kept] << 32 | run.documents[rows].astype(np.int64), grades, ranks[kept]


def _by_grade(qrels: Qrels, levels: Rows, size: int) -> Rows:
    counts = [np.bincount(qrels.all_queries[qrels.all_grades == level], minlength=size) for level in levels.tolist()]
    return np.stack(counts, axis=1).astype(np.int64) if counts else np.zeros((size, 0), np.int64)

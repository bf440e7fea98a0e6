"""Chance level: expected sums of gains over uniformly random permutations of a candidate list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats64 = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class JudgedPool:
    """The candidate list of every query, without its order."""

    candidates: Counts
    """The number of candidates, int64 [queries]."""
    queries: Counts
    """The query of each candidate with a grade of at least 1, ascending, int64 [hits]."""
    grades: Counts
    """The grades of these candidates, int64 [hits]."""

    @property
    def relevant(self) -> Counts:
        """The number of candidates with a grade of at least 1, int64 [queries]."""
        return np.bincount(self.queries, minlength=len(self.candidates))

    def seen(self, cutoff: int | None) -> Counts:
        """The number of candidates within the cutoff, int64 [queries]."""
        return self.candidates if cutoff is None else np.minimum(self.candidates, cutoff)

    def share(self, amount: npt.NDArray[np.int64 | np.float64]) -> Floats64:
        """The amount per candidate; 0 for an empty list. float64 [queries]."""
        return amount / np.maximum(self.candidates, 1)

    def total(self, worth: Floats64) -> Floats64:
        """The sum over the relevant candidates of each query of what they are worth, float64 [queries]."""
        return np.bincount(self.queries, worth, len(self.candidates)).astype(np.float64, copy=False)


def expected_sum(
    worth: Callable[[Counts], Floats64], discount: Callable[[Counts], Floats64]
) -> Callable[[JudgedPool, int | None], Floats64]:
    """The expected sum of gains that are what a grade is worth times the discount of the rank. Every rank has the mean
    worth.

    Args:
        worth: of grades of at least 1.
        discount: of ranks, from 1.
    """

    def expected(pool: JudgedPool, cutoff: int | None) -> Floats64:
        seen = pool.seen(cutoff)
        discounts = discount(np.arange(1, seen.max(initial=0) + 1))
        return pool.share(pool.total(worth(pool.grades))) * _summed(discounts)[seen]

    return expected


def expected_dcg(pool: JudgedPool, cutoff: int | None) -> Floats64:
    """The expected DCG: the worth of a grade is the grade, and the discount 1 / log2(rank + 1)."""
    expected = expected_sum(lambda grades: grades.astype(np.float64), lambda ranks: 1 / np.log2(ranks + 1))
    return expected(pool, cutoff)


def expected_hits(pool: JudgedPool, cutoff: int | None) -> Floats64:
    """The expected number of relevant documents: every rank is relevant with the same probability."""
    return pool.share(pool.relevant * pool.seen(cutoff))


def expected_precision_sum(pool: JudgedPool, cutoff: int | None) -> Floats64:
    """Sum over ranks r of P(relevant at r) * (1 + expected relevant documents before r) / r."""
    seen = pool.seen(cutoff)
    harmonic = _summed(1 / np.arange(1, seen.max(initial=0) + 1))[seen]
    others = (pool.relevant - 1) / np.maximum(pool.candidates - 1, 1)
    return pool.share(pool.relevant) * (harmonic + others * (seen - harmonic))


def expected_success(pool: JudgedPool, cutoff: int | None) -> Floats64:
    """The probability of a relevant document within the cutoff."""
    return _first_hit(pool, cutoff, lambda _rank: 1.0)


def expected_reciprocal(pool: JudgedPool, cutoff: int | None) -> Floats64:
    """Sum over ranks r of P(the first relevant document is at r) / r."""
    return _first_hit(pool, cutoff, lambda rank: 1 / rank)


def _first_hit(pool: JudgedPool, cutoff: int | None, worth: Callable[[int], float]) -> Floats64:
    seen = pool.seen(cutoff)
    missed = np.ones(len(seen))
    total = np.zeros(len(seen))
    for rank in range(1, int(seen.max(initial=0)) + 1):
        left = np.maximum(pool.candidates - rank + 1, 1)
        hit = np.where(rank <= seen, np.minimum(pool.relevant / left, 1.0), 0.0)
        total += missed * hit * worth(rank)
        missed *= 1 - hit
    return total


def _summed(terms: Floats64) -> Floats64:
    return np.concatenate([[0.0], np.cumsum(terms)])

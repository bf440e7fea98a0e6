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
    """The candidate list of every query, without its order. All arrays have shape [queries]."""

    candidates: Counts
    relevant: Counts
    """Candidates with a grade of at least 1."""
    grades: Counts
    """Sum of the grades of the candidates."""

    def seen(self, cutoff: int | None) -> Counts:
        """The number of candidates within the cutoff."""
        return self.candidates if cutoff is None else np.minimum(self.candidates, cutoff)

    def share(self, amount: Counts) -> Floats64:
        """The amount per candidate; 0 for an empty list."""
        return amount / np.maximum(self.candidates, 1)


def expected_dcg(pool: JudgedPool, cutoff: int | None) -> Floats64:
    """The expected DCG: every rank has the mean grade."""
    seen = pool.seen(cutoff)
    return pool.share(pool.grades) * _summed(1 / np.log2(np.arange(seen.max(initial=0)) + 2))[seen]


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

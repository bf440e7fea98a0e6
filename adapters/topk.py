"""The best rows of many queries from blocks of inexact scores, in bounded memory.

A matrix product may round a score differently in another block, with other threads or on another machine. So it only
finds the candidates: all rows whose score, at the bound of the error, could be among the best. These get their exact
scores, which depend on nothing but the two vectors, and equal exact scores are ordered by row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from adapters.protocols import Floats, Integers

Exact = Callable[[Integers, Integers], Floats]
"""(queries, rows) to exact float32 scores, all of shape [n]."""
Doubles = npt.NDArray[np.float64]
_Found = tuple[Integers, Integers, Floats]
_NONE = np.uint64(0x0101010101010101)
"""Eight scores that are all too small."""
_CROWD = 4
_SMALL = 1 << 16


class TopK:
    """Collects the `depth` best rows for each query.

    Args:
        queries: number of queries.
        depth: at most the number of rows that will be added.
        exact: gives the exact scores of some candidates.
    """

    def __init__(self, queries: int, depth: int, exact: Exact) -> None:
        self._shape, self._exact = (queries, depth), exact
        self._error = np.zeros(queries)
        self._least = np.full(queries, -np.inf, dtype=np.float32)
        """What an inexact score has to reach: the worst of a full list, less the errors of both."""
        self._found: list[_Found] = []
        self._kept = self._pending = 0

    def add(self, rows: Integers, scores: Floats, error: Doubles) -> None:
        """Offer one block.

        Args:
            rows: [b], each offered once.
            scores: inexact, [queries, b].
            error: the largest difference of a score from the exact one, [queries].
        """
        queries, depth = self._shape
        if not depth:
            return
        if (error > self._error).any():
            self._least = _lowered(self._least, 2 * np.maximum(error - self._error, 0))
            self._error = np.maximum(self._error, error)
        if len(rows) > depth and np.isneginf(self._least).any():
            cut = np.partition(scores, len(rows) - depth, axis=1)[:, len(rows) - depth]
            self._least = np.fmax(self._least, _lowered(cut, 2 * self._error))
        query, column = _reaching(scores, self._least)
        self._found.append((query, rows[column], scores[query, column]))
        self._pending += len(query)
        if self._pending > self._kept + queries * depth:
            self._merge()

    def result(self) -> tuple[Integers, Floats]:
        """Rows and exact scores, both [queries, depth], best first, equal scores by row."""
        if not self._found:
            return np.empty(self._shape, np.int64), np.empty(self._shape, np.float32)
        self._merge()
        query, rows, _ = self._found[0]
        _, rows, scores = best_first(query, rows, self._exact(query, rows), self._shape[1])
        return rows.reshape(self._shape), scores.reshape(self._shape)

    def _merge(self) -> None:
        """Raise what has to be reached, and drop what is below it. If too many scores are closer than the error, they
        get their exact scores now, so that only the best need be kept."""
        queries, depth = self._shape
        query, rows, scores = (np.concatenate(column) for column in zip(*self._found, strict=True))
        order = np.argsort(_descending(query, scores))
        query, rows, scores = query[order], rows[order], scores[order]
        starts = np.searchsorted(query, np.arange(queries + 1))
        full = np.flatnonzero(np.diff(starts) >= depth)
        worst = scores[starts[full] + depth - 1]
        self._least[full] = np.fmax(self._least[full], _lowered(worst, 2 * self._error[full]))
        kept = ~(scores < self._least[query])
        found = query[kept], rows[kept], scores[kept]
        if len(found[0]) > _CROWD * queries * depth + _SMALL:
            found = best_first(*found[:2], self._exact(*found[:2]), depth)
        self._found, self._kept, self._pending = [found], len(found[0]), 0


def best_first(query: Integers, rows: Integers, scores: Floats, depth: int) -> _Found:
    """Sort candidates by query, then score (best first), then row, and keep the first `depth` of each query."""
    order = np.lexsort((rows, -scores, query))
    query, rows, scores = query[order], rows[order], scores[order]
    rank = np.arange(len(query)) - np.searchsorted(query, query, side="left")
    kept = rank < depth
    return query[kept], rows[kept], scores[kept]


def _reaching(scores: Floats, least: Floats) -> tuple[Integers, Integers]:
    """(query, column) of the scores that are not below the least of their query. Few are, so eight are looked at as
    one."""
    below = np.ones(-(-scores.size // 8) * 8, bool)
    np.less(scores, least[:, None], out=below[: scores.size].reshape(scores.shape))
    eights = np.flatnonzero(below.view(np.uint64) != _NONE)
    at = (eights[:, None] * 8 + np.arange(8)).reshape(-1)
    return np.divmod(at[~below[at]], scores.shape[1])


def _lowered(scores: Floats, by: Doubles) -> Floats:
    """The scores less something, rounded down; minus infinity where that is no number."""
    found = np.nextafter((scores.astype(np.float64) - by).astype(np.float32), np.float32(-np.inf))
    return np.where(np.isnan(found), np.float32(-np.inf), found)


def _descending(query: Integers, scores: Floats) -> npt.NDArray[np.uint64]:
    """Numbers that sort by query, then by score, best first. What is not a number counts as best."""
    bits = np.where(np.isnan(scores), np.float32(np.inf), scores).view(np.uint32)
    rising = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return query.astype(np.uint64) << np.uint64(32) | (~rising).astype(np.uint64)

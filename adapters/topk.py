"""The best rows of many queries from blocks of scores, in bounded memory and with a fixed order of equal scores."""

from __future__ import annotations

import numpy as np

from adapters.protocols import Floats, Integers

_CROWD = 4


class TopK:
    """Collects the `depth` best rows for each query. Blocks come in ascending order of rows.

    Args:
        queries: number of queries.
        depth: at most the number of rows that will be added.
    """

    def __init__(self, queries: int, depth: int) -> None:
        self._shape = (queries, depth)
        self._floor = np.full(queries, -np.inf, dtype=np.float32)
        self._found: list[tuple[Integers, Integers, Floats]] = []
        self._pending = 0

    def add(self, rows: Integers, scores: Floats) -> None:
        """Offer one block: `rows` [b] ascending and higher than those before, `scores` [queries, b]."""
        queries, depth = self._shape
        # a row that only equals the worst of a full list comes after it
        better = scores > self._floor[:, None]
        if len(rows) > depth > 0 and np.count_nonzero(better) > _CROWD * queries * depth:
            cut = np.partition(scores, len(rows) - depth, axis=1)[:, len(rows) - depth]
            better &= scores >= cut[:, None]
        query, column = np.nonzero(better)
        self._found.append((query, rows[column], scores[query, column]))
        self._pending += len(query)
        if self._pending > queries * depth:
            self._merge()

    def result(self) -> tuple[Integers, Floats]:
        """Rows and scores, both [queries, depth], best first, equal scores by row."""
        if self._found:
            self._merge()
            _, rows, scores = self._found[0]
            return rows.reshape(self._shape), scores.reshape(self._shape)
        return np.empty(self._shape, np.int64), np.empty(self._shape, np.float32)

    def _merge(self) -> None:
        queries, depth = self._shape
        query, rows, scores = (np.concatenate(column) for column in zip(*self._found, strict=True))
        query, rows, scores = best_first(query, rows, scores, depth)
        full = np.bincount(query, minlength=queries) >= depth
        last = np.searchsorted(query, np.arange(queries), side="right") - 1
        if depth:
            self._floor[full] = scores[last[full]]
        self._found, self._pending = [(query, rows, scores)], 0


def best_first(query: Integers, rows: Integers, scores: Floats, depth: int) -> tuple[Integers, Integers, Floats]:
    """Sort candidates by query, then score (best first), then row, and keep the first `depth` of each query."""
    order = np.lexsort((rows, -scores, query))
    query, rows, scores = query[order], rows[order], scores[order]
    rank = np.arange(len(query)) - np.searchsorted(query, query, side="left")
    kept = rank < depth
    return query[kept], rows[kept], scores[kept]

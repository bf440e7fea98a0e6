"""The pool of real queries with the documents that people judged, so that no human label is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from training.mining.mine import Asked
from training.mining.pool import ABSENT, Pool
from training.teaching.teach import TeachingSet
from training.utility.sets import CorpusQueries, Query


def with_judged(lesson: TeachingSet, asked: Asked, found: CorpusQueries, per_query: int) -> TeachingSet:
    """The pool with every judged document. Relevant ones stand where a synthetic query has its source document: an
    example has them whatever the draw. They are at most half of it, the highest grades first; the others are drawn."""
    grades = {one.id: one for one in found.queries}
    queries = [grades[name] for name in asked.ids]
    pool = _extended(lesson.pool, queries, len(lesson.collection.corpus), max(1, per_query // 2))
    return replace(lesson, pool=pool, mined={**lesson.mined, "digest": pool.digest})


def _extended(pool: Pool, queries: list[Query], size: int, most: int) -> Pool:
    keys = pool.queries * size + pool.documents
    judged = _keys([list(one.grades) for one in queries], size)
    every = np.unique(np.concatenate([keys, judged]))
    ranks = np.full((len(every), pool.ranks.shape[1]), ABSENT, np.int32)
    ranks[np.searchsorted(every, keys)] = pool.ranks
    offsets = np.searchsorted(every, np.arange(len(queries) + 1) * size).astype(np.int64)
    forced = _keys([_relevant(one)[:most] for one in queries], size)
    return Pool(offsets, (every % size).astype(np.int32), ranks, np.isin(every, forced))


def _relevant(query: Query) -> list[int]:
    return sorted((row for row, grade in query.grades.items() if grade > 0), key=lambda row: (-query.grades[row], row))


def _keys(rows: list[list[int]], size: int) -> npt.NDArray[np.int64]:
    return np.array([query * size + row for query, own in enumerate(rows) for row in own], np.int64)

"""The pool of real queries, extended by their judged documents, so that no human label is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from training.mining.mine import SourcedQueries
from training.mining.pool import ABSENT, Pool
from training.teaching.lesson import TeachingSet
from training.utility.sets import CorpusQueries, Query


def with_judged(
    teaching_set: TeachingSet, sourced: SourcedQueries, real_queries: CorpusQueries, per_query: int
) -> TeachingSet:
    """Add every judged document to the pool. Relevant documents take the role of a synthetic query's source document:
    an example always includes them, up to half of its documents, highest grades first. The rest is drawn."""
    grades = {one.id: one for one in real_queries.queries}
    queries = [grades[name] for name in sourced.ids]
    pool = _extended(teaching_set.pool, queries, len(teaching_set.collection.corpus), max(1, per_query // 2))
    return replace(teaching_set, pool=pool, mined={**teaching_set.mined, "digest": pool.digest})


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

"""The sample of the pool as training examples."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from adapters.errors import ModelError
from adapters.protocols import Integers
from training.examples import Example
from training.mining.pool import ABSENT, Pool
from training.mining.sampling import DrawKeys, draw_keys
from training.teaching.blend import Scores
from training.teaching.lesson import TeachingSet

_SMOOTHED = 60
"""The constant of reciprocal rank fusion (Cormack et al. 2009)."""
UNLABELLED = "comparisons that do not connect the documents"


def keys_of(teaching_set: TeachingSet, seed: int) -> DrawKeys:
    """The keys that decide draws, one for each row of the pool; see `draw_keys`."""
    pool, collection = teaching_set.pool, teaching_set.collection
    return draw_keys(collection.queries.digests[pool.queries], collection.corpus.digests[pool.documents], seed)


def fused(pool: Pool) -> Scores:
    """The candidates' scores by reciprocal rank fusion of the retrievers, float64 [pool]: a substitute where no teacher
    scores the pool."""
    found = pool.ranks != ABSENT
    return np.asarray(np.where(found, 1 / (_SMOOTHED + 1.0 + pool.ranks), 0.0).sum(axis=1))


def drawn_rows(teaching_set: TeachingSet, taken: Integers) -> list[Integers]:
    """The rows of the sample by query, ascending. Of documents with equal texts one is kept.

    Args:
        taken: rows of the pool, ascending.
    """
    cuts = np.searchsorted(taken, teaching_set.pool.offsets)
    return [_one_of_each_text(teaching_set, taken[start:end]) for start, end in itertools.pairwise(cuts.tolist())]


def examples_of(
    teaching_set: TeachingSet, drawn: Sequence[Integers], labels: Scores, task: str
) -> tuple[list[Example], dict[str, int]]:
    """Examples of the queries that have documents with different labels, and the numbers of the others by reason.

    Args:
        drawn: the rows of every query; see `drawn_rows`.
        labels: float64 [pool]; NaN for documents of queries whose comparisons give none.

    Raises:
        ModelError: no query is left.
    """
    found, left_out = [], {"fewer than two documents": 0, "all scores equal": 0, UNLABELLED: 0}
    for query, rows in enumerate(drawn):
        if len(rows) < 2:
            left_out["fewer than two documents"] += 1
        elif np.isnan(labels[rows]).any():
            left_out[UNLABELLED] += 1
        elif len(np.unique(labels[rows])) < 2:
            left_out["all scores equal"] += 1
        else:
            found.append(_example(teaching_set, query, rows, labels, task))
    if not found:
        raise ModelError("no query has two documents with different scores, so a student could learn nothing")
    return found, {reason: number for reason, number in left_out.items() if number or reason != UNLABELLED}


def _one_of_each_text(teaching_set: TeachingSet, rows: Integers) -> Integers:
    """One row for each text. The row of the source document is preferred."""
    pool = teaching_set.pool
    order = rows[np.argsort(~pool.is_source[rows], kind="stable")]
    words = np.ascontiguousarray(teaching_set.collection.corpus.digests[pool.documents[order]])
    _, first = np.unique(words.view("V16").ravel(), return_index=True)
    return np.sort(order[first])


def _example(teaching_set: TeachingSet, query: int, rows: Integers, scores: Scores, task: str) -> Example:
    collection, pool = teaching_set.collection, teaching_set.pool
    documents = pool.documents[rows]
    own = pool.documents[rows[pool.is_source[rows]]]
    return Example(
        query=collection.queries[query],
        documents=tuple(collection.corpus.take(documents)),
        scores=tuple(scores[rows].tolist()),
        ids=tuple(collection.corpus.ids(documents)),
        task=task,
        language=teaching_set.language_of(query),
        source=collection.corpus.ids(own)[0] if len(own) else None,
    )


def source_is_best(pool: Pool, labels: Scores) -> float | None:
    """The share of queries whose source document has the teacher's highest label; None without labelled sources."""
    wins = [
        bool(labels[row] >= np.nanmax(labels[start:end]))
        for row, start, end in _sources(pool)
        if not np.isnan(labels[row])
    ]
    return sum(wins) / len(wins) if wins else None


def _sources(pool: Pool) -> Iterator[tuple[int, int, int]]:
    queries = pool.queries
    for row in np.flatnonzero(pool.is_source).tolist():
        yield row, int(pool.offsets[queries[row]]), int(pool.offsets[queries[row] + 1])

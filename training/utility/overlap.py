"""How near the queries of each set are to the test queries, and how many of the documents they share.

A student that was trained on a test query in other words, or on a test query's document, has an easier test. Synthetic
and real queries have the same figures, so that readers see which of them had the advantage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.checks.near_duplicates import trigrams
from harness.data.collection import Collection
from training.utility.sets import ALIKE, CorpusQueries
from training.validating.confusables import plain
from training.validating.embedder import KeptVectors

_ROWS = 512


@dataclass(frozen=True)
class Nearness:
    """The similarity of each query to the most similar test query, as quantiles over the queries."""

    median: float
    p95: float
    highest: float


@dataclass(frozen=True)
class TestOverlap:
    """The overlap of the queries that are trained on with the test queries."""

    removed: Mapping[str, int]
    """Queries that resembled a test query and are not trained on, by reason."""
    letters: Nearness
    """By the Jaccard coefficient of character trigrams."""
    vectors: Nearness | None
    """By the cosine of an embedder; None without one."""
    same_document: float
    """The share of the test queries of which a relevant document is also the source document, or a relevant document,
    of a query that is trained on."""

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def overlap_of(query_set: CorpusQueries, test: Collection, embedder: KeptVectors | None = None) -> TestOverlap:
    """The overlap of a set with the test collection.

    Args:
        query_set: the queries that are trained on, with what was removed from the set.
        embedder: makes vectors of unit length.
    """
    texts, known = [one.text for one in query_set.queries], list(test.queries)
    removed = {reason: count for reason in ALIKE.values() if (count := query_set.removed.get(reason))}
    letters = _nearness(_jaccard(texts, known))
    vectors = None if embedder is None else _nearness(_cosines(embedder, texts, known))
    return TestOverlap(removed, letters, vectors, _same_document(query_set, test))


def _nearness(highest: npt.NDArray[np.float64]) -> Nearness:
    median, p95, most = np.quantile(highest, (0.5, 0.95, 1.0)).tolist()
    return Nearness(median, p95, most)


def _jaccard(texts: Sequence[str], known: Sequence[str]) -> npt.NDArray[np.float64]:
    """The highest Jaccard coefficient of each text with a known text."""
    own, other = (trigrams(list(map(plain, each))) for each in (texts, known))
    order = np.argsort(other.values, kind="stable")
    values, owners = other.values[order], other.owners[order]
    highest = np.zeros(len(texts))
    for row, grams in enumerate(np.split(own.values, own.offsets[1:-1])):
        low, high = (np.searchsorted(values, grams, side) for side in ("left", "right"))
        met = [owners[start:end] for start, end in zip(low.tolist(), high.tolist(), strict=True)]
        common = np.bincount(np.concatenate([owners[:0], *met]), minlength=len(known))
        highest[row] = (common / np.maximum(len(grams) + other.sizes - common, 1)).max()
    return highest


def _cosines(embedder: KeptVectors, texts: Sequence[str], known: Sequence[str]) -> npt.NDArray[np.float64]:
    """The highest cosine of each text with a known text."""
    own, other = embedder.encode(texts, "query"), embedder.encode(known, "query")
    parts = [(own[start : start + _ROWS] @ other.T).max(axis=1) for start in range(0, len(own), _ROWS)]
    return np.concatenate(parts).astype(np.float64)


def _same_document(query_set: CorpusQueries, test: Collection) -> float:
    """Documents are compared by their texts, because two corpora can have other ids for one document."""
    rows = [row for one in query_set.queries for row, grade in one.grades.items() if grade > 0]
    sources = {one.document for one in query_set.queries} - {None}
    rows += [row for row, id_ in enumerate(query_set.corpus.corpus.ids()) if id_ in sources] if sources else []
    trained = set(query_set.corpus.corpus.take(np.array(sorted(set(rows)), np.int64)))
    qrels, relevant = test.qrels, test.qrels.grades > 0
    texts = test.corpus.take(qrels.documents[relevant].astype(np.int64))
    met = {query for query, text in zip(qrels.queries[relevant].tolist(), texts, strict=True) if text in trained}
    return len(met) / len(test.queries)

"""Dense retrieval: exact search over the vectors of a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from adapters.embedding import EmbedderPart
from adapters.filling import fill
from adapters.identity import Digests, text_digests
from adapters.protocols import Floats, Identity, Integers, Progress
from adapters.similarity import Similarity, error_of_all, longest, of_all, of_rows
from adapters.topk import TopK, best_first
from adapters.vectors import DamagedVectors, VectorStore

_DOCUMENTS, _QUERIES, _PAIRS, _ROWS = 4096, 1024, 4096, 64
"""Vectors, queries and pairs that are compared at a time, which bounds memory and changes no result."""


class DenseRetriever(EmbedderPart):
    """Exact search by the embedder's similarity. Equal scores are ordered by corpus row, also at the cut.

    If it is bound to a collection, it keeps the vectors in the collection's cache folder; a second or resumed search
    embeds only the missing texts.
    """

    @property
    def identity(self) -> Identity:
        return {"adapter": "dense", "version": 1, "embedder": dict(self.embedder.identity), "metric": self.similarity}

    def search(
        self, queries: Sequence[str], corpus: Sequence[str], depth: int, progress: Progress | None = None
    ) -> tuple[Integers, Integers, Floats]:
        """Return (offsets [q + 1], documents [n], scores [n]), min(depth, len(corpus)) documents for every query.

        `progress` is called with the number of documents that now have a vector; the numbers add up to len(corpus).

        Raises:
            ModelError: the model cannot be loaded, or a vector is not finite.
        """
        try:
            return self._search(queries, corpus, depth, progress)
        except DamagedVectors:  # they have been set aside
            return self._search(queries, corpus, depth, None)

    def _search(
        self, queries: Sequence[str], corpus: Sequence[str], depth: int, progress: Progress | None
    ) -> tuple[Integers, Integers, Floats]:
        query_digests, document_digests = _digests(queries), _digests(corpus)
        fill(self.store("document"), self.embedder, corpus, document_digests, "document", progress=progress)
        fill(self.store("query"), self.embedder, queries, query_digests, "query")
        documents, scores = nearest(
            self.store("query").gather(query_digests), self.store("document"), document_digests, depth, self.similarity
        )
        offsets = np.arange(len(queries) + 1, dtype=np.int64) * documents.shape[1]
        return offsets, documents.reshape(-1), scores.reshape(-1)


def nearest(
    queries: Floats, store: VectorStore, digests: Digests, depth: int, similarity: Similarity = "cosine"
) -> tuple[Integers, Floats]:
    """The `depth` best rows of a corpus for each query, best first, equal scores by row.

    Args:
        queries: float32 [q, dim].
        store: holds the vectors of the corpus.
        digests: of the corpus, uint64 [n, 2].

    Returns:
        rows int64 and scores float32, both [q, min(depth, n)].
    """
    corpus = _Distinct(store.locate(digests))
    parts = [queries[start : start + _QUERIES] for start in range(0, len(queries), _QUERIES)]
    best = [
        TopK(len(part), min(depth, len(corpus.rows)), _Exact(part, store, corpus.places, similarity)) for part in parts
    ]
    for places, vectors, length in _ahead(store, corpus.places[corpus.rows]) if parts else ():
        for part, top in zip(parts, best, strict=True):
            error = error_of_all(similarity, part, length)
            top.add(corpus.rows[places], of_all(similarity, part, vectors), error)
    shape = (0, min(depth, len(digests)))
    found = [(np.empty(shape, np.int64), np.empty(shape, np.float32))]
    found += [corpus.expand(*top.result(), depth) for top in best]
    return np.concatenate([rows for rows, _ in found]), np.concatenate([scores for _, scores in found])


def _ahead(store: VectorStore, places: Integers) -> Iterator[tuple[Integers, Floats, float]]:
    """The blocks of a store, each with the length of its longest vector. While one is multiplied, a second thread reads
    and verifies the next."""
    blocks = ((rows, vectors, longest(vectors)) for rows, vectors in store.blocks(places, _DOCUMENTS))
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = thread.submit(next, blocks, None)
            yield block


@dataclass(frozen=True)
class _Exact:
    """Scores that depend on nothing but the two vectors."""

    queries: Floats
    store: VectorStore
    places: Integers
    similarity: Similarity

    def __call__(self, queries: Integers, rows: Integers) -> Floats:
        scores = np.empty(len(rows), np.float32)
        order = np.argsort(self.places[rows], kind="stable")
        for start in range(0, len(order), _PAIRS):
            some = order[start : start + _PAIRS]
            places, which = np.unique(self.places[rows[some]], return_inverse=True)
            vectors = self.store.take(places)
            for first in range(0, len(some), _ROWS):  # so few stay in the cache of a core
                pairs = some[first : first + _ROWS]
                left, right = self.queries[queries[pairs]], vectors[which[first : first + _ROWS]]
                scores[pairs] = of_rows(self.similarity, left, right)
        return scores


class _Distinct:
    """A corpus without repeated texts: each text is scored once."""

    def __init__(self, places: Integers) -> None:
        every = np.arange(len(places))
        first = np.empty(int(places.max(initial=-1)) + 1, np.int64)
        first[places[::-1]] = every[::-1]  # the last assignment counts: that of the first row
        self.places = places
        self.rows = np.flatnonzero(first[places] == every)
        """The first row of each text, ascending."""
        repeats = np.flatnonzero(first[places] != every)
        original = first[places[repeats]]
        order = np.argsort(original, kind="stable")
        self._repeats, self._original = repeats[order], original[order]

    def expand(self, rows: Integers, scores: Floats, depth: int) -> tuple[Integers, Floats]:
        """Put the repeated texts back: [q, k] -> [q, min(depth, n)]."""
        if not len(self._repeats):
            return rows, scores
        start = np.searchsorted(self._original, rows.reshape(-1), side="left")
        stop = np.minimum(np.searchsorted(self._original, rows.reshape(-1), side="right"), start + depth)
        source = np.repeat(np.arange(rows.size), stop - start)
        within = np.arange(len(source)) - np.repeat(np.cumsum(stop - start) - (stop - start), stop - start)
        query = np.repeat(np.arange(len(rows)), rows.shape[1])
        more = self._repeats[start[source] + within]
        _, rows, scores = best_first(
            np.concatenate([query, query[source]]),
            np.concatenate([rows.reshape(-1), more]),
            np.concatenate([scores.reshape(-1), scores.reshape(-1)[source]]),
            depth,
        )
        shape = (len(rows) // max(1, min(depth, len(self.places))), min(depth, len(self.places)))
        return rows.reshape(shape), scores.reshape(shape)


def _digests(texts: Sequence[str]) -> Digests:
    known = getattr(texts, "digests", None)
    return text_digests(texts) if known is None else np.asarray(known, dtype="<u8")

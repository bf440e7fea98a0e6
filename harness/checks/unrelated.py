"""The queries on which robustness is measured, and the unrelated document of each. They depend on no system."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from harness.data.collection import Collection, sampled_rows, with_queries
from harness.data.runs import Run
from harness.measuring.judged import Judged

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ChosenQueries:
    """The sampled queries."""

    rows: Rows
    """Rows of the queries, ascending, int64."""
    unrelated: Rows
    """The row of the unrelated document of each."""
    eligible: int
    """The number of queries that could have been sampled."""


def chosen_queries(collection: Collection, judged: Judged, queries: int) -> ChosenQueries:
    """Return a sample of the queries with a candidate that is judged relevant and an unrelated document.

    Args:
        judged: the candidates with their judgments.
        queries: the size of the sample, if there are enough.
    """
    search = _Search(collection, judged.run)
    found = {row: document for row in _with_relevant(judged) if (document := search.unrelated(row)) >= 0}
    rows = np.array(list(found), np.int64)
    if len(rows) > queries:
        rows = np.sort(rows[sampled_rows(with_queries(collection, rows), queries)])
    return ChosenQueries(rows, np.array([found[row] for row in rows.tolist()], np.int64), len(found))


def _with_relevant(judged: Judged) -> list[int]:
    """Return the rows of the queries with a relevant candidate, ascending."""
    return [int(row) for row in np.unique(judged.run.queries[judged.grades >= 1])]


class _Search:
    """Finds the unrelated document of each query of a collection.

    It is relevant for another query, and neither a candidate of this query nor judged for it, nor equal to such a text.
    """

    def __init__(self, collection: Collection, run: Run) -> None:
        qrels = collection.qrels
        self._collection, self._run = collection, run
        self._pool = np.unique(qrels.documents[qrels.grades >= 1]).astype(np.int64)
        self._ids = collection.queries.ids()

    def unrelated(self, query: int) -> int:
        """Return the row of the document; -1 if there is none."""
        digests, own = self._collection.corpus.digests, self._own(query)
        texts, known = {bytes(one) for one in digests[own]}, set(own.tolist())
        hashed = blake2b(self._ids[query].encode(), digest_size=8).digest()
        start = int.from_bytes(hashed) % max(1, len(self._pool))
        for step in range(len(self._pool)):
            row = int(self._pool[(start + step) % len(self._pool)])
            if row not in known and bytes(digests[row]) not in texts:
                return row
        return -1

    def _own(self, query: int) -> Rows:
        """Return the rows of the candidates and of the judged documents of a query."""
        run, qrels = self._run, self._collection.qrels
        first, last = np.searchsorted(qrels.queries, [query, query + 1])
        candidates = run.documents[run.offsets[query] : run.offsets[query + 1]]
        return np.unique(np.concatenate([candidates, qrels.documents[first:last]])).astype(np.int64)

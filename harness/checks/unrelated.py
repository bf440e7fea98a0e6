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
class Chosen:
    """The sampled queries."""

    rows: Rows
    """Rows of the queries, ascending, int64."""
    unrelated: Rows
    """The row of the unrelated document of each."""
    eligible: int
    """The number of queries that could have been sampled."""


def chosen_queries(collection: Collection, judged: Judged, queries: int) -> Chosen:
    """Return a sample of the queries with a candidate that is judged relevant and an unrelated document.

    Args:
        judged: the candidates with their judgments.
        queries: the size of the sample, if there are enough.
    """
    found = {
        row: document for row in _with_relevant(judged) if (document := _unrelated(collection, judged.run, row)) >= 0
    }
    rows = np.array(list(found), np.int64)
    if len(rows) > queries:
        rows = np.sort(rows[sampled_rows(with_queries(collection, rows), queries)])
    return Chosen(rows, np.array([found[row] for row in rows.tolist()], np.int64), len(found))


def _with_relevant(judged: Judged) -> list[int]:
    """Return the rows of the queries with a relevant candidate, ascending."""
    return [int(row) for row in np.unique(judged.run.queries[judged.grades >= 1])]


def _unrelated(collection: Collection, run: Run, query: int) -> int:
    """Return the row of the unrelated document of a query; -1 if there is none.

    It is relevant for another query, and neither a candidate of this query nor judged for it, nor equal to such a text.
    """
    qrels, digests = collection.qrels, collection.corpus.digests
    pool = np.unique(qrels.documents[(qrels.grades >= 1) & (qrels.queries != query)]).astype(np.int64)
    candidates = run.documents[run.offsets[query] : run.offsets[query + 1]]
    own = np.unique(np.concatenate([candidates, qrels.documents[qrels.queries == query]])).astype(np.int64)
    texts = {bytes(one) for one in digests[own]}
    ids = collection.queries.ids(np.array([query]))
    start = int.from_bytes(blake2b(ids[0].encode(), digest_size=8).digest()) % max(1, len(pool))
    known = set(own.tolist())
    for row in np.roll(pool, -start).tolist():
        if row not in known and bytes(digests[row]) not in texts:
            return int(row)
    return -1

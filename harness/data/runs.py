"""A run: for every query a list of (document, score), as ragged columns. This module defines how ties are ordered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from adapters.identity import array_digest

Offsets = npt.NDArray[np.int64]
Ids = Callable[[npt.NDArray[np.integer]], list[str]]
"""Maps rows of a column of texts to their ids."""


SHOWN_UNKNOWN = 3


@dataclass(frozen=True)
class UnknownQueries:
    """Lines of a run file that were left out because the collection does not have their query."""

    lines: int = 0
    examples: tuple[str, ...] = ()
    """The first different query ids of these lines, at most `SHOWN_UNKNOWN`."""

    def and_more(self, lines: int, examples: Sequence[str]) -> UnknownQueries:
        """These lines and others further down in the file."""
        shown = tuple(dict.fromkeys((*self.examples, *examples)))
        return UnknownQueries(self.lines + lines, shown[:SHOWN_UNKNOWN])

    def remark(self, file: Path, collection: str) -> str | None:
        """One line with the number and the examples; None if there are no such lines."""
        if not self.lines:
            return None
        lines = "1 line is" if self.lines == 1 else f"{self.lines:,} lines are"
        named = ", ".join(f"'{name}'" for name in self.examples)
        return f"{file}: {lines} left out because {collection} has no such query: {named}"


@dataclass(frozen=True)
class Run:
    """The rows of query q are documents[offsets[q]:offsets[q + 1]]. Scores and tie-breaks decide their rank; the order
    in memory does not matter."""

    offsets: Offsets
    """int64 [queries + 1]."""
    documents: npt.NDArray[np.int32]
    """Rows of the corpus."""
    scores: npt.NDArray[np.float32]
    tiebreaks: npt.NDArray[np.int32]
    """Position of the row's document id among the ids of this run in byte order. Among equal scores the larger position
    comes first, as in trec_eval."""
    outside: tuple[int, int] = (0, 0)
    """For a run from a file: lines left out because the corpus lacks their document, and all lines of its queries."""
    unknown_queries: UnknownQueries = UnknownQueries()
    """For a run that was just read from a file: the lines of other queries. They are not stored with the run."""

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def queries(self) -> npt.NDArray[np.int64]:
        """The query index of every row."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @cached_property
    def candidates(self) -> str:
        """Identity of the candidate lists: the documents of each query, without scores and order."""
        order = np.lexsort((self.documents, self.queries))
        return array_digest(self.offsets, self.documents[order])

    @cached_property
    def digest(self) -> str:
        """Identity of the run: candidates, scores and tie order."""
        order = np.lexsort((self.documents, self.queries))
        return array_digest(self.offsets, self.documents[order], self.scores[order], self.tiebreaks[order])

    def rescored(self, scores: npt.NDArray[np.float32]) -> Run:
        """Return the same candidates with other scores.

        Raises:
            DataError: the number of scores is not the number of candidates.
        """
        if scores.shape != self.scores.shape:
            raise DataError(f"a reranker gave {scores.shape[0]} scores for {len(self)} candidates")
        return replace(self, scores=scores.astype(np.float32, copy=False))

    def order(self) -> npt.NDArray[np.int64]:
        """Rows by query, then rank: higher scores first; among equal scores larger document ids first (trec_eval)."""
        return np.lexsort((-self.tiebreaks, -(self.scores + np.float32(0)), self.queries))


def build(offsets: Offsets, documents: npt.NDArray[np.integer], scores: npt.NDArray[np.floating], ids: Ids) -> Run:
    """Make a run from arrays.

    Raises:
        DataError: a score is not finite in float32, or a query lists a document twice.
    """
    with np.errstate(over="ignore"):
        kept = scores.astype(np.float32)
    if not np.isfinite(kept).all():
        raise DataError(
            f"{int((~np.isfinite(kept)).sum())} scores are not finite as float32, so they do not define a ranking; "
            "write finite scores"
        )
    rows = documents.astype(np.int32)
    unique, inverse = np.unique(rows, return_inverse=True)
    by_bytes = np.argsort(np.array([name.encode() for name in ids(unique)], dtype=object), kind="stable")
    position = np.empty(len(unique), np.int32)
    position[by_bytes] = np.arange(len(unique), dtype=np.int32)
    run = Run(offsets.astype(np.int64), rows, kept, position[inverse])
    _refuse_repeats(run, ids)
    return run


def without_identical_ids(run: Run, query_ids: list[str], document_ids: list[str]) -> Run:
    """Leave out the candidates whose document id is the query's id. `document_ids` is aligned with the rows."""
    identical = np.array([query_ids[q] == name for q, name in zip(run.queries, document_ids, strict=True)], bool)
    return only(run, ~identical)


def cut(run: Run, depth: int) -> Run:
    """Return the best `depth` candidates of every query."""
    order = run.order()
    rank = np.arange(len(order)) - run.offsets[:-1].repeat(np.diff(run.offsets))
    keep = np.zeros(len(order), bool)
    keep[order[rank < depth]] = True
    return only(run, keep)


def only(run: Run, keep: npt.NDArray[np.bool_]) -> Run:
    """Return the rows with `keep`. Queries without rows stay in the run, with empty lists."""
    counts = np.bincount(run.queries[keep], minlength=len(run.offsets) - 1)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Run(offsets, run.documents[keep], run.scores[keep], run.tiebreaks[keep], run.outside, run.unknown_queries)


def _refuse_repeats(run: Run, ids: Ids) -> None:
    order = np.lexsort((run.documents, run.queries))
    same = (np.diff(run.documents[order]) == 0) & (np.diff(run.queries[order]) == 0)
    if same.any():
        name = ids(run.documents[order[:-1][same][:1]])[0]
        raise DataError(
            f"the document '{name}' is listed twice among the candidates of one query; list each document once"
        )

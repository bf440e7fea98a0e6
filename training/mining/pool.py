"""The pool: for every query the union of what several retrievers found, with the document that it was written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from adapters.identity import array_digest
from adapters.protocols import Integers
from harness.data.runs import Ids, Run, build
from harness.workspace import write_atomically

FILE = "pool.npz"
ABSENT = -1


@dataclass(frozen=True)
class Pool:
    """The candidates of query q are rows offsets[q]:offsets[q + 1], in the order of the corpus."""

    offsets: Integers
    """int64 [queries + 1]."""
    documents: npt.NDArray[np.int32]
    """Rows of the corpus, int32 [n]."""
    ranks: npt.NDArray[np.int32]
    """int32 [n, retrievers]: the rank from 0 that each retriever gave it, -1 where it did not find it."""
    is_source: npt.NDArray[np.bool_]
    """bool [n]: the query was written from this document."""

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def queries(self) -> Integers:
        """The query index of every row."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @property
    def digest(self) -> str:
        """Identity of the pool's content."""
        return array_digest(self.offsets, self.documents, self.ranks, self.is_source)

    def run(self, ids: Ids) -> Run:
        """As candidates without an order, for a reranker to score."""
        return build(self.offsets, self.documents, np.zeros(len(self), np.float32), ids)


def union(runs: Sequence[Run], sources: Integers, size: int) -> Pool:
    """The union of candidate lists.

    Args:
        runs: one for each retriever, over the same queries.
        sources: int64 [queries], the corpus row of the document that a query was written from, -1 for none. It is in
            the pool whether a retriever found it or not; nothing else is different for it.
        size: documents of the corpus.
    """
    asked = np.flatnonzero(sources != ABSENT)
    own = asked * size + sources[asked]
    keys = [run.queries * size + run.documents for run in runs]
    every = np.unique(np.concatenate([*keys, own]))
    ranks = np.full((len(every), len(runs)), ABSENT, np.int32)
    for column, (run, found) in enumerate(zip(runs, keys, strict=True)):
        order = run.order()
        rank = np.arange(len(order)) - np.repeat(run.offsets[:-1], np.diff(run.offsets))
        ranks[np.searchsorted(every, found[order]), column] = rank
    offsets = np.searchsorted(every, np.arange(len(sources) + 1) * size).astype(np.int64)
    return Pool(offsets, (every % size).astype(np.int32), ranks, np.isin(every, own))


def save(pool: Pool, folder: Path) -> None:
    """Write the pool in one step."""
    with write_atomically(folder / FILE) as temporary, temporary.open("wb") as file:
        columns = {
            "offsets": pool.offsets,
            "documents": pool.documents,
            "ranks": pool.ranks,
            "is_source": pool.is_source,
        }
        np.savez_compressed(file, **columns)  # type: ignore[arg-type]


def load(folder: Path) -> Pool:
    """A pool that was written.

    Raises:
        DataError: it is missing or damaged.
    """
    try:
        with np.load(folder / FILE, allow_pickle=False) as columns:
            return Pool(**{name: columns[name] for name in columns.files})
    except (OSError, ValueError, TypeError, EOFError, BadZipFile) as error:
        raise DataError(f"{folder / FILE}: damaged ({error}); mine the pool again into an empty folder") from None


def contributions(pool: Pool, names: Sequence[str]) -> list[dict[str, object]]:
    """What each retriever brought: pairs, pairs that no other found, and at which rank it found the source document.
    The shares are over the queries with a source: the round-trip rate of the queries."""
    found = pool.ranks != ABSENT
    sources = pool.ranks[pool.is_source]
    queries = max(1, len(sources))
    rows: list[dict[str, object]] = []
    for column, name in enumerate(names):
        rank = sources[:, column]
        rows.append({
            "retriever": name,
            "pairs": int(found[:, column].sum()),
            "only_here": int((found[:, column] & (found.sum(axis=1) == 1)).sum()),
            "source_found": float((rank >= 0).sum() / queries),
            "source_first": float((rank == 0).sum() / queries),
            "source_in_10": float(((rank >= 0) & (rank < 10)).sum() / queries),
        })  # fmt: skip
    return rows

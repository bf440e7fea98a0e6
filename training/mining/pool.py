"""The pool: for each query the candidates of several retrievers, with the document that the query was written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from adapters.identity import array_digest
from adapters.protocols import Integers
from adapters.sums import DamagedFile, load_unproven
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
    """int32 [n, retrievers]: the rank from 0 in each retriever's list, -1 if the retriever did not find the
    document."""
    is_source: npt.NDArray[np.bool_]
    """bool [n]: whether the query was written from this document."""

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def queries(self) -> Integers:
        """The query index of each row."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @property
    def digest(self) -> str:
        """The digest of the pool's content."""
        return array_digest(self.offsets, self.documents, self.ranks, self.is_source)

    def run(self, ids: Ids) -> Run:
        """The pool as candidates without an order, for a reranker to score."""
        return build(self.offsets, self.documents, np.zeros(len(self), np.float32), ids)


def union(runs: Sequence[Run], sources: Integers, size: int) -> Pool:
    """The union of candidate lists.

    Args:
        runs: one run per retriever, over the same queries.
        sources: int64 [queries], the corpus row of the document that a query was written from, -1 for none. This
            document is in the pool even if no retriever found it.
        size: the number of documents of the corpus.
    """
    with_source = np.flatnonzero(sources != ABSENT)
    source_keys = with_source * size + sources[with_source]
    keys = [run.queries * size + run.documents for run in runs]
    every = np.unique(np.concatenate([*keys, source_keys]))
    ranks = np.full((len(every), len(runs)), ABSENT, np.int32)
    for column, (run, found) in enumerate(zip(runs, keys, strict=True)):
        order = run.order()
        rank = np.arange(len(order)) - np.repeat(run.offsets[:-1], np.diff(run.offsets))
        ranks[np.searchsorted(every, found[order]), column] = rank
    offsets = np.searchsorted(every, np.arange(len(sources) + 1) * size).astype(np.int64)
    return Pool(offsets, (every % size).astype(np.int32), ranks, np.isin(every, source_keys))


def save(pool: Pool, folder: Path) -> None:
    """Write the pool atomically."""
    with write_atomically(folder / FILE) as temporary, temporary.open("wb") as file:
        columns = {
            "offsets": pool.offsets,
            "documents": pool.documents,
            "ranks": pool.ranks,
            "is_source": pool.is_source,
        }
        np.savez_compressed(file, **columns)  # type: ignore[arg-type]


def load(folder: Path) -> Pool:
    """Read a pool.

    Raises:
        DataError: the file is missing or damaged.
    """
    advice = "mine the pool again into an empty folder"
    try:
        return Pool(**load_unproven(folder / FILE))  # the manifest has the digest of its content
    except DamagedFile as damage:
        raise DamagedFile(f"{damage}; {advice}") from None
    except TypeError:
        raise DataError(f"{folder / FILE}: it does not hold the arrays of a pool; {advice}") from None


def contributions(pool: Pool, names: Sequence[str]) -> list[dict[str, object]]:
    """The contribution of each retriever: its pairs, the pairs that only it found, and how often it found the source
    document at all, first, and in its first 10. The shares are over the queries with a source: the round-trip rate."""
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

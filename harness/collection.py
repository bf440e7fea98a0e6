"""A collection: what is searched, what is asked, and what was judged, as columns that never become dicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from adapters.identity import Digests

Rows = npt.NDArray[np.int32]


class Texts(Sequence[str]):
    """Identified texts in Arrow columns (`id`, `text`, `digest`), memory-mapped for a corpus. Indexing gives texts."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table.combine_chunks() if table.num_rows < 1_000_000 else table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return list(self.table["text"].slice(start, max(stop - start, 0)).to_pylist())
            return self.take(np.arange(start, stop, step))
        return str(self.table["text"][int(index)].as_py())

    def __iter__(self) -> Iterator[str]:
        for chunk in self.table["text"].chunks:
            for start in range(0, len(chunk), 1024):
                yield from chunk.slice(start, 1024).to_pylist()

    def take(self, rows: npt.NDArray[np.integer]) -> list[str]:
        """The texts of some rows."""
        return list(self.table["text"].take(pa.array(rows)).to_pylist())

    def ids(self, rows: npt.NDArray[np.integer] | None = None) -> list[str]:
        """The ids of some rows, or of all."""
        column = self.table["id"] if rows is None else self.table["id"].take(pa.array(rows))
        return list(column.to_pylist())

    @property
    def digests(self) -> Digests:
        """128-bit digests of the texts, shape [n, 2]."""
        parts = [
            np.frombuffer(chunk.buffers()[1], dtype="<u8").reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]
            for chunk in self.table["digest"].chunks
        ]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, 2), "<u8"), *parts])


@dataclass(frozen=True)
class Qrels:
    """Judgments as rows sorted by (query, document). A document that no row names is unjudged."""

    queries: Rows
    documents: Rows
    grades: Rows
    """0 (judged, not relevant) or higher."""

    def __len__(self) -> int:
        return len(self.grades)


@dataclass(frozen=True)
class Given:
    """The candidate lists that a reranking set brings with it: documents[offsets[q]:offsets[q + 1]] for query q."""

    offsets: npt.NDArray[np.int64]
    documents: Rows


@dataclass(frozen=True)
class Rules:
    """What is declared for a collection rather than read from it."""

    instruction: str | None = None
    main_measure: str = "nDCG@10"
    drop_identical_ids: bool = False
    """Remove the document that has the query's own id from its candidates (ArguAna, Quora)."""
    allow: tuple[str, ...] = ()
    """Names of known dirt that is let through, counted and shown; see `harness.sources.dirt`."""


@dataclass(frozen=True)
class Counts:
    """What was found while reading; every number is shown to the user."""

    documents: int
    queries: int
    """Queries with at least one judgment: the denominator."""
    judgments: int
    judged_zero: int
    empty_documents: int
    duplicate_texts: int
    """Documents whose text another document already has."""
    queries_without_relevant: int
    """Judged queries of which no judgment is above zero; they count, with the value 0, as in trec_eval."""
    queries_without_judgments: int
    """Queries of the file that the split does not judge; they do not count."""
    let_through: dict[str, int] = field(default_factory=dict)
    """Known dirt that a declared rule let through, by name."""


@dataclass(frozen=True)
class Collection:
    """One collection, one split, one language."""

    name: str
    split: str
    language: str | None
    corpus: Texts
    queries: Texts
    qrels: Qrels
    given: Given | None
    rules: Rules
    counts: Counts
    fingerprint: str
    """Digest of the content: ids, texts, judgments, candidate lists, rules that change a number. Not of the name."""
    sampled_from: int | None = None
    """The number of queries before `--sample-queries` took some."""

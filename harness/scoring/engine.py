"""An engine runs models on chunks of work: in this process, or in several. A cluster backend implements `Engine`.

A chunk is a request that is complete in itself. Chunks are cut from the whole work, not from what is missing, and the
number of processes does not matter. So every model call has the same rows, and every score the same bits, whoever runs
the chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self, TypeVar, cast

import numpy as np

from adapters.batching import shortened
from adapters.embedding import EmbedderPart
from adapters.errors import ModelError, WorkerError
from adapters.filling import batches_of
from adapters.identity import digest
from adapters.protocols import (
    Bindable,
    Floats,
    IndexPairs,
    Integers,
    Reranker,
    Role,
    Scored,
    Setting,
    StreamingReranker,
)
from adapters.spec import identity_of, open_ranker, open_retriever

Adapter = TypeVar("Adapter")
Key = tuple[str, str, str]
"""The part, the spec and the digest of the identity of an adapter."""

_PARTS, _SMALLEST, _LARGEST = 64, 256, 4096
"""How pairs are divided: into about this number of chunks, none of much fewer or more than these numbers of pairs."""
_PLAIN = 256


@dataclass(frozen=True)
class AdapterSource:
    """What another process opens the same adapter from."""

    spec: str
    part: Literal["retriever", "reranker"]
    setting: Setting = field(repr=False)
    identity: str
    """The digest of the adapter's identity, after it was bound."""

    @property
    def key(self) -> Key:
        """Equal for sources that open the same adapter."""
        return self.part, self.spec, self.identity

    def open(self) -> object:
        """Open the adapter without binding it."""
        return open_retriever(self.spec) if self.part == "retriever" else open_ranker(self.spec)

    def bound(self, opened: object) -> object:
        """Bind what `open` returned.

        Raises:
            WorkerError: it is another adapter now.
        """
        adapter = opened.bind(self.setting) if isinstance(opened, Bindable) else opened
        if digest(identity_of(adapter)) != self.identity:
            raise WorkerError(
                f"'{self.spec}' is not the model that this run began with: its files, its code or its variables have "
                "changed since; run again"
            )
        return adapter


@dataclass(frozen=True)
class PairChunk:
    """Pairs to score, with their texts."""

    queries: Sequence[str] = field(repr=False)
    documents: Sequence[str] = field(repr=False)
    pairs: IndexPairs = field(repr=False)
    """Indices into `queries` and `documents`."""
    rows: Integers = field(repr=False)
    """The caller's number of each pair."""

    @classmethod
    def whole(cls, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Self:
        """A request that is not divided; its rows are those of `pairs`."""
        return cls(queries, documents, pairs, np.arange(len(pairs)))

    def __len__(self) -> int:
        return len(self.pairs)

    def __str__(self) -> str:
        query, document = self.pairs[0]
        return (
            f"{len(self):,} pairs, the first of query {shortened(self.queries[query])} and document "
            f"{shortened(self.documents[document])}"
        )

    def some(self, rows: Integers) -> Self:
        """Some of the pairs, in their order."""
        return type(self)(self.queries, self.documents, self.pairs[rows], self.rows[rows])

    def run(self, adapter: object) -> Iterator[Scored]:
        """Score the pairs. The rows of the results are those of `pairs`.

        Raises:
            ModelError: the adapter returns scores of the wrong shape.
        """
        reranker = cast(Reranker, adapter)
        if isinstance(reranker, StreamingReranker):
            yield from reranker.stream(self.queries, self.documents, self.pairs)
            return
        for start in range(0, len(self.pairs), _PLAIN):
            rows = np.arange(start, min(start + _PLAIN, len(self.pairs)))
            scores = np.asarray(reranker.score(self.queries, self.documents, self.pairs[rows]), dtype=np.float32)
            if scores.shape != rows.shape:
                name = getattr(reranker, "name", type(reranker).__name__)
                raise ModelError(f"{name} returned scores of shape {scores.shape} for {len(rows)} pairs")
            unknown = np.full(len(rows), -1, np.int32)
            yield Scored(rows, scores, unknown, unknown, np.zeros(len(rows), np.uint64))


@dataclass(frozen=True)
class Embedded:
    """Vectors of some texts."""

    rows: Integers
    vectors: Floats
    """float32 [len(rows), dim]."""


@dataclass(frozen=True)
class TextChunk:
    """Texts to embed."""

    texts: Sequence[str] = field(repr=False)
    role: Role
    rows: Integers = field(repr=False)
    """The caller's number of each text."""

    def __len__(self) -> int:
        return len(self.texts)

    def __str__(self) -> str:
        return f"{len(self):,} texts, the first {shortened(self.texts[0])}"

    def some(self, rows: Integers) -> Self:
        """Some of the texts, in their order."""
        return type(self)([self.texts[row] for row in rows.tolist()], self.role, self.rows[rows])

    def run(self, adapter: object) -> Iterator[Embedded]:
        """Embed the texts. The rows of the results are those of `texts`."""
        for rows, vectors in batches_of(cast(EmbedderPart, adapter).embedder, self.texts, self.role):
            yield Embedded(rows, vectors)


class Engine(Protocol):
    """Runs models on chunks. Results of one chunk come in the order of its batches; chunks may come in any order."""

    @property
    def in_process(self) -> bool:
        """Whether every model runs in this process, so that its memory is that of this process."""
        ...

    def score(
        self, reranker: Reranker, source: AdapterSource | None, chunks: Iterable[PairChunk]
    ) -> Iterator[tuple[PairChunk, Scored]]:
        """Score the pairs of all chunks.

        Args:
            reranker: the adapter in this process.
            source: where another process opens it from; None if it can only be called here.

        Raises:
            HarnessError: as the adapter raises it. Results that were yielded before are complete.
            WorkerError: two processes ended unexpectedly at the same chunk.
        """
        ...

    def spread(self, adapter: Adapter, source: AdapterSource) -> Adapter:
        """The same adapter, whose texts this engine embeds if it is based on an embedder."""
        ...

    def devices(self, reranker: Reranker, source: AdapterSource | None) -> int:
        """The number of GPUs that score at the same time; 1 without a GPU. Times are multiplied by it, so that a speed
        is that of one GPU, or of all cores."""
        ...

    def close(self) -> None:
        """End all processes."""
        ...


class InProcess:
    """Calls the adapter in this process, chunk by chunk."""

    in_process = True

    def score(
        self,
        reranker: Reranker,
        source: AdapterSource | None,
        chunks: Iterable[PairChunk],
    ) -> Iterator[tuple[PairChunk, Scored]]:
        """Score the chunks in their order."""
        for chunk in chunks:
            for scored in chunk.run(reranker):
                yield chunk, scored

    def spread(self, adapter: Adapter, source: AdapterSource) -> Adapter:
        """Return the adapter."""
        return adapter

    def devices(self, reranker: Reranker, source: AdapterSource | None) -> int:
        """Return 1."""
        return 1

    def close(self) -> None:
        """Do nothing."""


IN_PROCESS = InProcess()


def stays_in_process(reranker: Reranker) -> bool:
    """Whether an adapter asks, with an attribute `in_process`, for whole requests in this process."""
    return bool(getattr(reranker, "in_process", False))


def chunk_numbers(queries: Integers) -> Integers:
    """The number of each pair's chunk. A query is never divided.

    Args:
        queries: the query of each pair, ascending.
    """
    size = min(max(len(queries) // _PARTS, _SMALLEST), _LARGEST)
    return np.searchsorted(queries, queries, side="left").astype(np.int64) // size

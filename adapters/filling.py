"""Embeds the texts that a store lacks, in parts, which bounds memory and what a killed run loses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, cast

import numpy as np

from adapters.identity import Digests
from adapters.protocols import Embedder, Floats, Integers, Progress, Role
from adapters.vectors import DamagedVectors, VectorStore

_PARTS, _SMALLEST_PART, _LARGEST_PART = 64, 256, 8192
"""How texts are divided: into this number of parts, none smaller or larger than these numbers of texts."""
_SHARD_TEXTS = 20_000
_SHARD_SECONDS = 30.0
_SLICE = 256


class BatchEmbedder(Embedder, Protocol):
    """An embedder that yields vectors as it computes them."""

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[tuple[Integers, Floats]]:
        """Yield (rows, vectors)."""
        ...


class SpreadEmbedder(Embedder, Protocol):
    """An embedder that embeds several parts at a time."""

    def spread(self, parts: Iterable[tuple[Integers, list[str]]], role: Role) -> Iterator[tuple[Integers, Floats]]:
        """Yield (rows, vectors) of all parts, in any order of the parts. A part is (rows, texts)."""
        ...


def fill(
    store: VectorStore,
    embedder: Embedder,
    texts: Sequence[str],
    digests: Digests,
    role: Role,
    *,
    progress: Progress | None = None,
) -> None:
    """Embed the texts that the store lacks, and save them about every 30 seconds or 20,000 texts.

    The parts that are embedded are cut from all texts, not from the missing ones. So a vector has the same bits in a
    resumed run, and whoever embeds its part.

    Args:
        digests: of the texts, shape [n, 2].
        progress: called with numbers of texts that add up to len(texts).
    """
    report: Progress = progress or (lambda _: None)
    missing = store.missing(digests)
    report(len(texts) - len(missing))
    parts = ((rows, _take(texts, rows)) for rows in _parts(missing, len(texts)))
    for rows, vectors in _shards(_embedded(embedder, parts, role)):
        store.append(digests[rows], vectors)
        report(len(rows))


def _parts(missing: Integers, count: int) -> Iterator[Integers]:
    size = min(max(count // _PARTS, _SMALLEST_PART), _LARGEST_PART)
    bounds = np.searchsorted(missing, np.arange(size, count, size))
    return (rows for rows in np.split(missing, bounds) if len(rows))


def _embedded(
    embedder: Embedder, parts: Iterable[tuple[Integers, list[str]]], role: Role
) -> Iterator[tuple[Integers, Floats]]:
    if hasattr(embedder, "spread"):
        yield from cast(SpreadEmbedder, embedder).spread(parts, role)
        return
    for part, texts in parts:
        for rows, vectors in batches_of(embedder, texts, role):
            yield part[rows], vectors


def filled(
    store: VectorStore,
    embedder: Embedder,
    texts: Sequence[str],
    digests: Digests,
    role: Role,
    *,
    progress: Progress | None = None,
) -> Floats:
    """The vectors of the texts, float32 [n, dim]: as `fill`, then read. Damaged vectors are made again."""
    fill(store, embedder, texts, digests, role, progress=progress)
    try:
        return store.gather(digests)
    except DamagedVectors:  # they have been set aside
        fill(store, embedder, texts, digests, role)
        return store.gather(digests)


def _shards(batches: Iterator[tuple[Integers, Floats]]) -> Iterator[tuple[Integers, Floats]]:
    pending: list[tuple[Integers, Floats]] = []
    since = time.monotonic()
    for batch in batches:
        pending.append(batch)
        if sum(len(rows) for rows, _ in pending) >= _SHARD_TEXTS or time.monotonic() - since >= _SHARD_SECONDS:
            yield _joined(pending)
            pending, since = [], time.monotonic()
    if pending:
        yield _joined(pending)


def _joined(batches: list[tuple[Integers, Floats]]) -> tuple[Integers, Floats]:
    return np.concatenate([rows for rows, _ in batches]), np.concatenate([vectors for _, vectors in batches])


def batches_of(embedder: Embedder, texts: Sequence[str], role: Role) -> Iterator[tuple[Integers, Floats]]:
    """Yield (rows, vectors) as the embedder computes them. One without `batches` is called with 256 texts at a time."""
    if hasattr(embedder, "batches"):
        yield from cast(BatchEmbedder, embedder).batches(texts, role)
        return
    for start in range(0, len(texts), _SLICE):
        some = texts[start : start + _SLICE]
        yield np.arange(start, start + len(some)), embedder.encode(some, role)


def _take(texts: Sequence[str], rows: Integers) -> list[str]:
    take = getattr(texts, "take", None)
    return list(take(rows)) if take is not None else [texts[int(row)] for row in rows]

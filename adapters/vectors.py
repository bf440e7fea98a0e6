"""A store of vectors: append-only shards, looked up by the digest of the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, ModelError
from adapters.identity import Digests
from adapters.protocols import Floats, Integers
from adapters.sums import DamagedFile, seed, set_aside
from adapters.vector_shard import VectorShard, new_shard, read_shard, shard_files

_AGAIN = "its texts are embedded again"
_ROWS = 4096
"""Vectors that are read at a time."""


class DamagedVectors(DataError):
    """Vectors were not what was stored. They have been set aside; fill the store and read it again."""


class VectorStore:
    """Vectors of one embedder identity by text digest. Only digests and checksums are in memory, 48 bytes per vector.

    A shard is `NAME.digests.npy` (uint64 [n, 2]), `NAME.sums.npy` (uint64 [n]) and `NAME.npy` (float32 [n, dim]), where
    NAME is the digest of the digests. The vectors are written last and under a temporary name, so a file that exists is
    complete. Files of other names are not read.

    A vector is verified when it is read. Its checksum covers the identity and the text's digest too. A shard that fails
    is set aside with a warning, and its texts count as missing.

    Args:
        folder: the folder of all stores, one subfolder per identity; None keeps the vectors in memory.
        identity: the digest of the embedder's identity, 32 hex digits.
    """

    def __init__(self, folder: Path | None, identity: str) -> None:
        self.folder = None if folder is None else folder / identity
        self._start = seed(identity)
        self._shards: list[VectorShard] = []
        self._dim: int | None = None
        if self.folder is not None and self.folder.is_dir():
            self._open(self.folder)

    def __len__(self) -> int:
        """The number of stored vectors; a text that two processes embedded counts twice."""
        return sum(len(shard.digests) for shard in self._shards)

    def locate(self, digests: Digests) -> Integers:
        """The place of each text's vector, or -1. Equal texts have equal places."""
        return self._index.find(digests)

    def missing(self, digests: Digests) -> Integers:
        """Rows of the texts without a vector, ascending; only the first row of equal texts."""
        rows = np.flatnonzero(self.locate(digests) < 0)
        return rows[_first_rows(digests[rows])]

    def append(self, digests: Digests, vectors: Floats) -> None:
        """Add one shard, durably.

        Raises:
            DataError: the vectors do not fit the digests, or the vectors of the store.
            ModelError: a number of a vector is not finite.
        """
        dim = vectors.shape[-1] if self._dim is None else self._dim
        if vectors.shape != (len(digests), dim):
            raise DataError(
                f"{self.folder}: vectors of shape {vectors.shape} for {len(digests)} texts of {dim} numbers"
            )
        if not len(digests):
            return
        if not np.isfinite(vectors).all():
            raise ModelError(f"{self.folder or 'memory'}: the embedder gave vectors with numbers that are not finite")
        self._dim = dim
        digests = np.ascontiguousarray(digests, dtype="<u8")
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self._replace([*self._shards, new_shard(self.folder, digests, vectors, self._start)])

    def gather(self, digests: Digests) -> Floats:
        """The vectors of some texts, float32 [n, dim].

        Raises:
            DataError: a text has no vector in the store.
            DamagedVectors: as `take`.
        """
        return self.take(self.locate(digests))

    def take(self, places: Integers) -> Floats:
        """The vectors at some places, float32 [n, dim].

        Raises:
            DamagedVectors: a vector is not what was stored. Then the whole store is verified, all damaged shards are
                set aside, and places are no longer valid.
        """
        taken = np.empty((len(places), self._dim or 0), dtype=np.float32)
        for rows, vectors in self.blocks(places, _ROWS):
            taken[rows] = vectors
        return taken

    def blocks(self, places: Integers, size: int) -> Iterator[tuple[Integers, Floats]]:
        """The vectors at some places in the order in which they are stored, without copying where they follow one
        another: yields (rows of `places`, float32 [b, dim]) with at most `size` vectors.

        Raises:
            DataError: a place is -1.
            DamagedVectors: as `take`.
        """
        if len(places) and places.min() < 0:
            raise DataError(f"{self.folder or 'memory'}: {int((places < 0).sum())} texts have no vector here")
        order = np.arange(len(places)) if (np.diff(places) >= 0).all() else np.argsort(places, kind="stable")
        start = first = 0
        for shard in self._shards:
            stop = int(np.searchsorted(places, first + len(shard.digests), sorter=order))
            for begin in range(start, stop, size):
                rows = order[begin : min(begin + size, stop)]
                yield rows, self._sound(shard, places[rows] - first)
            start, first = stop, first + len(shard.digests)

    def _sound(self, shard: VectorShard, rows: Integers) -> Floats:
        try:
            return shard.take(rows)
        except DamagedFile as damage:
            self._discard()
            raise DamagedVectors(f"{damage}; run again: its texts are embedded again") from None

    @staticmethod
    def damaged(folder: Path) -> list[str]:
        """Verify every vector in the folder of one identity, and return a line for each damaged shard. Nothing is set
        aside."""
        lines = []
        for file in shard_files(folder):
            try:
                lines.append(read_shard(file, seed(folder.name)).damage())
            except DamagedFile as damage:
                lines.append(str(damage))
        return [line for line in lines if line]

    def _discard(self) -> None:
        sound = []
        for shard in self._shards:
            if (why := shard.damage()) and isinstance(shard.vectors, Path):
                set_aside(shard.vectors, DamagedFile(why), _AGAIN)
            else:
                sound.append(shard)
        self._replace(sound)

    def _replace(self, shards: list[VectorShard]) -> None:
        self._shards = shards
        self.__dict__.pop("_index", None)

    @cached_property
    def _index(self) -> _Index:
        empty = np.empty((0, 2), dtype="<u8")
        return _Index.of(np.concatenate([empty, *(shard.digests for shard in self._shards)]))

    def _open(self, folder: Path) -> None:
        for file in shard_files(folder):
            try:
                self._shards.append(read_shard(file, self._start))
            except DamagedFile as damage:
                set_aside(file, damage, _AGAIN)
        sizes = Counter(shard.dim for shard in self._shards for _ in range(len(shard.digests)))
        self._dim = sizes.most_common(1)[0][0] if sizes else None
        for shard in self._shards:
            if shard.dim != self._dim and isinstance(shard.vectors, Path):
                set_aside(shard.vectors, f"its vectors have {shard.dim} numbers, the others {self._dim}", _AGAIN)
        self._shards = [shard for shard in self._shards if shard.dim == self._dim]


@dataclass(frozen=True)
class _Index:
    """Digests in order of their first word."""

    first: npt.NDArray[np.uint64]
    second: npt.NDArray[np.uint64]
    places: Integers

    @classmethod
    def of(cls, digests: Digests) -> _Index:
        order = np.argsort(digests[:, 0], kind="stable")
        return cls(digests[order, 0], digests[order, 1], order.astype(np.int64))

    def find(self, digests: Digests) -> Integers:
        """Place of each digest, or -1."""
        found = np.full(len(digests), -1, dtype=np.int64)
        open_rows = np.arange(len(digests))
        spots = np.searchsorted(self.first, digests[:, 0], side="left")
        while len(open_rows):
            inside = spots < len(self.first)
            open_rows, spots = open_rows[inside], spots[inside]
            alike = self.first[spots] == digests[open_rows, 0]
            open_rows, spots = open_rows[alike], spots[alike]
            same = self.second[spots] == digests[open_rows, 1]
            found[open_rows[same]] = self.places[spots[same]]
            # two texts may share the first 64 bits: look at the next one
            open_rows, spots = open_rows[~same], spots[~same] + 1
        return found


def _first_rows(digests: Digests) -> Integers:
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return np.sort(order[new]).astype(np.int64)

"""A store of vectors: append-only shards, looked up by the digest of the text."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.atomic import write_atomically
from adapters.errors import DataError, ModelError
from adapters.identity import Digests, array_digest
from adapters.protocols import Floats, Integers
from adapters.sums import DamagedFile, Sums, row_sums, seed, set_aside

_AGAIN = "its texts are embedded again"
_NAME = re.compile(r"[0-9a-f]{32}\.npy")
_ROWS = 20_000
"""Vectors that are verified at a time."""


class DamagedVectors(DataError):
    """Vectors were not what was stored. They have been set aside; fill the store and read it again."""


@dataclass(frozen=True)
class _Shard:
    digests: Digests
    vectors: Floats | Path
    dim: int
    sums: Sums
    """The checksum of each vector."""
    start: int
    """What the checksums start with: the seed of the store's identity."""

    def take(self, rows: Integers) -> Floats:
        """Some vectors, verified. The file is mapped for each use, because a large store has more shards than a
        process may map.

        Raises:
            DamagedFile: the file cannot be read, or a vector is not what was stored.
        """
        if not isinstance(self.vectors, Path):
            return self.vectors[rows]
        found = np.asarray(_mapped(self.vectors, len(self.digests), self.dim)[rows])
        if not np.array_equal(row_sums(self.digests[rows], found, self.start), self.sums[rows]):
            raise DamagedFile(f"{self.vectors}: a vector is not what was stored")
        return found


class VectorStore:
    """Vectors of one embedder identity by text digest. Only digests and checksums are in memory, 44 bytes per vector.

    A shard is `NAME.digests.npy` (uint64 [n, 2]), `NAME.sums.npy` (uint32 [n]) and `NAME.npy` (float32 [n, dim]), where
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
        self._shards: list[_Shard] = []
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
        rows = _first_rows(digests)
        return rows[self.locate(digests[rows]) < 0]

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
        sums = row_sums(digests, vectors, self._start)
        kept = vectors if self.folder is None else _write_shard(self.folder, digests, sums, vectors)
        self._replace([*self._shards, _Shard(digests, kept, dim, sums, self._start)])

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
        if len(places) and places.min() < 0:
            raise DataError(f"{self.folder or 'memory'}: {int((places < 0).sum())} texts have no vector here")
        taken = np.empty((len(places), self._dim or 0), dtype=np.float32)
        starts = np.cumsum([0, *(len(shard.digests) for shard in self._shards)])
        shard_of = np.searchsorted(starts, places, side="right") - 1
        order = np.argsort(shard_of, kind="stable")
        bounds = np.flatnonzero(np.diff(shard_of[order], prepend=-1, append=-1))
        for start, stop in itertools.pairwise(bounds):
            rows, number = order[start:stop], shard_of[order[start]]
            try:
                taken[rows] = self._shards[number].take(places[rows] - starts[number])
            except DamagedFile as damage:
                self._discard()
                raise DamagedVectors(f"{damage}; run again: its texts are embedded again") from None
        return taken

    @staticmethod
    def damaged(folder: Path) -> list[str]:
        """Verify every vector in the folder of one identity, and return a line for each damaged shard. Nothing is set
        aside."""
        lines = []
        for file in shard_files(folder):
            try:
                lines.append(_damage(_read_shard(file, seed(folder.name))))
            except DamagedFile as damage:
                lines.append(str(damage))
        return [line for line in lines if line]

    def _discard(self) -> None:
        sound = []
        for shard in self._shards:
            if (why := _damage(shard)) and isinstance(shard.vectors, Path):
                set_aside(shard.vectors, DamagedFile(why), _AGAIN)
            else:
                sound.append(shard)
        self._replace(sound)

    def _replace(self, shards: list[_Shard]) -> None:
        self._shards = shards
        self.__dict__.pop("_index", None)

    @cached_property
    def _index(self) -> _Index:
        empty = np.empty((0, 2), dtype="<u8")
        return _Index.of(np.concatenate([empty, *(shard.digests for shard in self._shards)]))

    def _open(self, folder: Path) -> None:
        for file in shard_files(folder):
            try:
                self._shards.append(_read_shard(file, self._start))
            except DamagedFile as damage:
                set_aside(file, damage, _AGAIN)
        sizes = Counter(shard.dim for shard in self._shards for _ in range(len(shard.digests)))
        self._dim = sizes.most_common(1)[0][0] if sizes else None
        for shard in self._shards:
            if shard.dim != self._dim and isinstance(shard.vectors, Path):
                set_aside(shard.vectors, f"its vectors have {shard.dim} numbers, the others {self._dim}", _AGAIN)
        self._shards = [shard for shard in self._shards if shard.dim == self._dim]


def shard_files(folder: Path) -> Iterator[Path]:
    """The files with vectors in the folder of a store. Files of other names are not read."""
    return (file for file in sorted(folder.glob("*.npy")) if _NAME.fullmatch(file.name))


@dataclass(frozen=True)
class _Index:
    """Digests in order of their first word."""

    first: npt.NDArray[np.uint64]
    second: npt.NDArray[np.uint64]
    places: Integers

    @classmethod
    def of(cls, digests: Digests) -> _Index:
        order = np.lexsort((digests[:, 1], digests[:, 0]))
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


def _write_shard(folder: Path, digests: Digests, sums: Sums, vectors: Floats) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = array_digest(digests)
    _write(folder / f"{name}.digests.npy", digests)
    _write(folder / f"{name}.sums.npy", sums)
    _write(folder / f"{name}.npy", vectors)
    return folder / f"{name}.npy"


def _write(file: Path, array: npt.NDArray[np.generic]) -> None:
    with write_atomically(file) as unfinished, unfinished.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)


def _read_shard(file: Path, start: int) -> _Shard:
    digests, sums, vectors = (_loaded(file.with_suffix(end)) for end in (".digests.npy", ".sums.npy", ".npy"))
    if digests.dtype != np.dtype("<u8") or array_digest(digests) != file.stem:
        raise DamagedFile(f"{file}: its digests are not those that its name says")
    if vectors.dtype != np.dtype("<f4") or vectors.ndim != 2 or len(vectors) != len(digests):
        raise DamagedFile(f"{file}: it holds {vectors.dtype} {vectors.shape} for {len(digests)} texts")
    if sums.dtype != np.dtype("<u4") or sums.shape != (len(digests),):
        raise DamagedFile(f"{file}: its checksums are of {sums.dtype} {sums.shape} for {len(digests)} texts")
    return _Shard(np.array(digests), file, vectors.shape[1], np.array(sums), start)


def _loaded(file: Path) -> npt.NDArray[Any]:
    try:
        return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
    except FileNotFoundError:
        raise DamagedFile(f"{file}: it is missing; an earlier version wrote no checksums") from None
    except Exception as error:  # a damaged header raises anything from SyntaxError to MemoryError
        raise DamagedFile(f"{file}: it cannot be read ({str(error).partition(chr(10))[0]})") from None


def _mapped(file: Path, rows: int, dim: int) -> Floats:
    """The vectors at the end of a file, whatever its header says."""
    try:
        offset = file.stat().st_size - rows * dim * 4
        return np.memmap(file, np.dtype("<f4"), "r", max(offset, 0), (rows, dim))
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{file}: it cannot be read ({error})") from None


def _damage(shard: _Shard) -> str:
    """What is wrong with a shard; empty if every vector is what was stored."""
    try:
        for start in range(0, len(shard.digests), _ROWS):
            shard.take(np.arange(start, min(start + _ROWS, len(shard.digests))))
    except DamagedFile as damage:
        return str(damage)
    return ""

"""A store of vectors: append-only shards, looked up by the digest of the text."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.atomic import write_atomically
from adapters.errors import DataError
from adapters.identity import Digests, array_digest
from adapters.protocols import Floats, Integers


@dataclass(frozen=True)
class _Shard:
    digests: Digests
    vectors: Floats | Path

    def read(self) -> Floats:
        """The vectors, memory-mapped if they are in a file. The file is opened for each use, because a large store has
        more shards than a process may map."""
        return np.load(self.vectors, mmap_mode="r") if isinstance(self.vectors, Path) else self.vectors


class VectorStore:
    """Vectors of one embedder identity by text digest. Only the digests are in memory, 40 bytes per vector.

    A shard is `NAME.digests.npy` (uint64 [n, 2]) and `NAME.npy` (float32 [n, dim]), where NAME is the digest of the
    digests. The vectors are written last and under a temporary name, so a file that exists is complete. Other files are
    ignored with a warning.

    Args:
        folder: the folder of all stores, one subfolder per identity; None keeps the vectors in memory.
        identity: the digest of the embedder's identity, 32 hex digits.
    """

    def __init__(self, folder: Path | None, identity: str) -> None:
        self.folder = None if folder is None else folder / identity
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
        """
        dim = vectors.shape[-1] if self._dim is None else self._dim
        if vectors.shape != (len(digests), dim):
            raise DataError(
                f"{self.folder}: vectors of shape {vectors.shape} for {len(digests)} texts of {dim} numbers"
            )
        if not len(digests):
            return
        self._dim = dim
        digests = np.ascontiguousarray(digests, dtype="<u8")
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        kept = vectors if self.folder is None else _write_shard(self.folder, digests, vectors)
        self._shards.append(_Shard(digests, kept))
        self.__dict__.pop("_index", None)

    def gather(self, digests: Digests) -> Floats:
        """The vectors of some texts, float32 [n, dim].

        Raises:
            DataError: a text has no vector in the store.
        """
        return self.take(self.locate(digests))

    def take(self, places: Integers) -> Floats:
        """The vectors at some places, float32 [n, dim]."""
        if len(places) and places.min() < 0:
            raise DataError(f"{self.folder or 'memory'}: {int((places < 0).sum())} texts have no vector here")
        taken = np.empty((len(places), self._dim or 0), dtype=np.float32)
        starts = np.cumsum([0, *(len(shard.digests) for shard in self._shards)])
        shard_of = np.searchsorted(starts, places, side="right") - 1
        order = np.argsort(shard_of, kind="stable")
        bounds = np.flatnonzero(np.diff(shard_of[order], prepend=-1, append=-1))
        for start, stop in itertools.pairwise(bounds):
            rows, number = order[start:stop], shard_of[order[start]]
            taken[rows] = self._shards[number].read()[places[rows] - starts[number]]
        return taken

    @cached_property
    def _index(self) -> _Index:
        empty = np.empty((0, 2), dtype="<u8")
        return _Index.of(np.concatenate([empty, *(shard.digests for shard in self._shards)]))

    def _open(self, folder: Path) -> None:
        names = sorted(file.name for file in folder.glob("*.npy") if not file.name.startswith("."))
        files = [folder / name for name in names if not name.endswith(".digests.npy")]
        shards = [(shard, dim) for file in files for shard, dim in _read_shard(file)]
        if not shards:
            return
        self._dim = Counter(dim for shard, dim in shards for _ in range(len(shard.digests))).most_common(1)[0][0]
        for shard, dim in shards:
            if dim == self._dim:
                self._shards.append(shard)
            else:
                _ignore(shard.vectors, f"its vectors have {dim} numbers, the others {self._dim}")


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


def _write_shard(folder: Path, digests: Digests, vectors: Floats) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = array_digest(digests)
    _write(folder / f"{name}.digests.npy", digests)
    _write(folder / f"{name}.npy", vectors)
    return folder / f"{name}.npy"


def _write(file: Path, array: npt.NDArray[np.generic]) -> None:
    with write_atomically(file) as unfinished, unfinished.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)


def _read_shard(file: Path) -> list[tuple[_Shard, int]]:
    try:
        digests = np.load(file.with_suffix(".digests.npy"), allow_pickle=False)
        vectors = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        return _ignore(file, f"it cannot be read ({str(error).splitlines()[0]})")
    if digests.dtype != np.dtype("<u8") or array_digest(digests) != file.stem:
        return _ignore(file, "its digests are not those that its name says")
    if vectors.dtype != np.dtype("<f4") or vectors.ndim != 2 or len(vectors) != len(digests):
        return _ignore(file, f"it holds {vectors.dtype} {vectors.shape} for {len(digests)} texts")
    return [(_Shard(digests, file), vectors.shape[1])]


def _ignore(file: object, reason: str) -> list[tuple[_Shard, int]]:
    warnings.warn(f"{file} is ignored: {reason}; its texts will be embedded again", stacklevel=4)
    return []

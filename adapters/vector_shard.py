"""A shard of a vector store: three files, of which the vectors are mapped and verified when they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.atomic import write_atomically
from adapters.identity import Digests, array_digest
from adapters.protocols import Floats, Integers
from adapters.sums import DamagedFile
from adapters.vector_sums import Sums, are_sound, vector_sums

_NAME = re.compile(r"[0-9a-f]{32}\.npy")
_ROWS = 4096
"""Vectors that are verified at a time."""


@dataclass(frozen=True)
class VectorShard:
    """Some vectors of a store, in a file or in memory."""

    digests: Digests
    vectors: Floats | Path
    dim: int
    sums: Sums
    """The checksum of each vector."""
    start: int
    """What the checksums start with: the seed of the store's identity."""

    def take(self, rows: Integers) -> Floats:
        """Some vectors, verified; a view of the mapped file if the rows follow one another. The file is mapped for each
        use, because a large store has more shards than a process may map.

        Raises:
            DamagedFile: the file cannot be read, or a vector is not what was stored.
        """
        some = _as_slice(rows)
        if not isinstance(self.vectors, Path):
            return self.vectors[some]
        found = np.asarray(_mapped(self.vectors, len(self.digests), self.dim)[some])
        if not are_sound(self.digests[some], found, self.start, self.sums[some]):
            raise DamagedFile(f"{self.vectors}: a vector is not what was stored")
        return found

    def damage(self) -> str:
        """What is wrong with the file; empty if every vector is what was stored."""
        try:
            for start in range(0, len(self.digests), _ROWS):
                self.take(np.arange(start, min(start + _ROWS, len(self.digests))))
        except DamagedFile as damage:
            return str(damage)
        return ""


def shard_files(folder: Path) -> Iterator[Path]:
    """The files with vectors in the folder of a store. Files of other names are not read."""
    return (file for file in sorted(folder.glob("*.npy")) if _NAME.fullmatch(file.name))


def new_shard(folder: Path | None, digests: Digests, vectors: Floats, start: int) -> VectorShard:
    """Write a shard, durably, or keep it in memory if there is no folder."""
    sums = vector_sums(digests, vectors, start)
    kept = vectors if folder is None else _write_shard(folder, digests, sums, vectors)
    return VectorShard(digests, kept, vectors.shape[1], sums, start)


def read_shard(file: Path, start: int) -> VectorShard:
    """Open a shard. Its vectors are not read.

    Raises:
        DamagedFile: a file is missing or cannot be read, or the three do not belong together.
    """
    digests, sums, vectors = (_loaded(file.with_suffix(end)) for end in (".digests.npy", ".sums.npy", ".npy"))
    if digests.dtype != np.dtype("<u8") or array_digest(digests) != file.stem:
        raise DamagedFile(f"{file}: its digests are not those that its name says")
    if vectors.dtype != np.dtype("<f4") or vectors.ndim != 2 or len(vectors) != len(digests):
        raise DamagedFile(f"{file}: it holds {vectors.dtype} {vectors.shape} for {len(digests)} texts")
    if sums.dtype not in (np.dtype("<u8"), np.dtype("<u4")) or sums.shape != (len(digests),):
        raise DamagedFile(f"{file}: its checksums are of {sums.dtype} {sums.shape} for {len(digests)} texts")
    return VectorShard(np.array(digests), file, vectors.shape[1], np.array(sums), start)


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


def _as_slice(rows: Integers) -> Integers | slice:
    """Rows that follow one another as a slice, which copies nothing."""
    follow = len(rows) > 0 and rows[-1] - rows[0] == len(rows) - 1 and bool((np.diff(rows) == 1).all())
    return slice(int(rows[0]), int(rows[-1]) + 1) if follow else rows

"""Texts with ids, as Arrow columns. Nothing is handed on before it has been verified: a text is compared with its
digest, and the ids and digests of a block of the file with a checksum."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from adapters.identity import Digests, text_digest
from adapters.sums import DamagedFile, Sums, seed
from harness.data.arrow import strings

DIGEST_BYTES = 16
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("digest", pa.binary(DIGEST_BYTES))])
_READ = 1024
"""Texts that are read at a time when all are read."""
T = TypeVar("T")


@dataclass(frozen=True)
class Guard:
    """What a file of texts is verified against.

    Args:
        file: the file, for messages.
        key: what the file belongs to; see `adapters.sums`.
        sums: the checksum of each block, in the order of the file.
        renew: makes the texts again from their source if they are damaged. Default: they cannot be made again.
    """

    file: Path
    key: str
    sums: Sums
    renew: Callable[[DamagedFile], Texts] | None = None


class Texts(Sequence[str]):
    """Texts with ids, as Arrow columns (`id`, `text`, `digest`); memory-mapped for a corpus. Indexing returns texts.

    Args:
        table: one chunk for each block of the file.
        guard: what the ids and digests are verified against, each block when it is first used. Default: nothing. A text
            is always compared with its digest.
        file: the file that the table maps. Pickled texts with a file are only its path. Default: none.

    Raises:
        DamagedFile: what is read is not what was written, and cannot be made again.
    """

    def __init__(self, table: pa.Table, guard: Guard | None = None, file: Path | None = None) -> None:
        self.table = table
        self._guard, self._file = guard, file
        self._starts = np.cumsum([0, *map(len, table["digest"].chunks)], dtype=np.int64)
        self._blocks: list[Block | None] = [None] * (len(self._starts) - 1)
        if guard is not None and len(guard.sums) != len(self._blocks):
            raise DamagedFile(f"{guard.file}: it holds {len(self._blocks)} blocks of {len(guard.sums)}")

    def __reduce__(self) -> tuple[object, ...]:
        if self._file is None:
            return Texts, (self.table,)
        from harness.data.columns import open_texts

        return open_texts, (self._file, self._guard and replace(self._guard, renew=None))

    @classmethod
    def of(cls, ids: Sequence[str], texts: Sequence[str]) -> Texts:
        """Texts in memory."""
        words = pa.py_buffer(b"".join(map(text_digest, texts)))
        columns = [
            strings(ids),
            strings(texts, pa.large_string()),
            pa.FixedSizeBinaryArray.from_buffers(pa.binary(DIGEST_BYTES), len(texts), [None, words]),
        ]
        return cls(pa.Table.from_batches([pa.record_batch(columns, schema=SCHEMA)]))

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        return self.take(np.array([index + len(self) if index < 0 else index]))[0]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _READ):
            yield from self.take(np.arange(start, min(start + _READ, len(self))))

    def take(self, rows: npt.NDArray[np.integer]) -> list[str]:
        """The texts of some rows."""
        return self._renewed(lambda: self._read(rows, Block.texts))

    def ids(self, rows: npt.NDArray[np.integer] | None = None) -> list[str]:
        """The ids of some rows. Default: of all."""
        if rows is None:
            return list(self.id_column.to_pylist())
        return self._renewed(lambda: self._read(rows, Block.ids))

    @property
    def id_column(self) -> pa.ChunkedArray:
        """The ids of all rows, for Arrow's functions."""
        for _ in self.blocks():
            pass
        return self.table["id"]

    @cached_property
    def digests(self) -> Digests:
        """128-bit digests of the texts, shape [n, 2]."""
        parts = [block.digests for block in self.blocks()]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, 2), "<u8"), *parts])

    def blocks(self) -> Iterator[Block]:
        """The blocks of the file in their order, each verified."""
        for number in range(len(self._blocks)):
            yield self._renewed(lambda number=number: self._block(number))  # type: ignore[misc]

    def _renewed(self, read: Callable[[], T]) -> T:
        """What is read; if it is damaged, what is read after the texts were made again."""
        try:
            return read()
        except DamagedFile as damage:
            if self._guard is None or self._guard.renew is None:
                raise
            self._become(self._guard.renew(damage))
            return read()

    def _become(self, other: Texts) -> None:
        self.table, self._guard, self._file = other.table, other._guard, other._file
        self._starts, self._blocks = other._starts, other._blocks

    def _read(self, rows: npt.NDArray[np.integer], read: _Read) -> list[str]:
        wanted = np.asarray(rows, np.int64)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"rows from {wanted.min()} to {wanted.max()} of {len(self)} texts")
        numbers = np.searchsorted(self._starts, wanted, side="right") - 1
        order = np.argsort(numbers, kind="stable")
        found = [""] * len(wanted)
        for places in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(order) else ():
            number = int(numbers[places[0]])
            texts = read(self._block(number), wanted[places] - self._starts[number])
            for place, text in zip(places.tolist(), texts, strict=True):
                found[place] = text
        return found

    def _block(self, number: int) -> Block:
        block = self._blocks[number]
        if block is None:
            guard = self._guard
            where = "texts" if guard is None else str(guard.file)
            block = Block.of(where, *(self.table[name].chunk(number) for name in SCHEMA.names))
            if guard is not None and block.sum(seed(guard.key, str(number))) != guard.sums[number]:
                raise DamagedFile(f"{where}: the ids and digests of block {number} are not what was written")
            self._blocks[number] = block
        return block


@dataclass(frozen=True)
class Block:
    """A batch of a file of texts, as arrays. Its ids are data[offsets[row]:offsets[row + 1]]; so are its texts."""

    file: str
    id_offsets: npt.NDArray[np.int32]
    id_data: memoryview
    text_offsets: npt.NDArray[np.int64]
    text_data: memoryview
    digests: Digests

    @classmethod
    def of(cls, file: str, ids: pa.Array, texts: pa.Array, digests: pa.Array) -> Block:
        """The block of three Arrow arrays.

        Raises:
            DamagedFile: the arrays do not fit each other or their buffers.
        """
        rows = len(digests)
        try:
            if ids.null_count or not len(ids) == len(texts) == rows:
                raise ValueError
            words = _numbers(digests.buffers()[1], "<u8", 2 * rows, 2 * digests.offset)
            (id_offsets, id_data), (text_offsets, text_data) = _strings(ids, "<i4"), _strings(texts, "<i8")
            return cls(file, id_offsets, id_data, text_offsets, text_data, words.reshape(-1, 2))
        except (ValueError, TypeError):
            raise DamagedFile(f"{file}: its columns do not fit each other") from None

    def sum(self, start: int) -> int:
        """The checksum of ids and digests.

        Args:
            start: the seed of the block.
        """
        lengths = zlib.crc32(np.diff(self.id_offsets).astype("<i4").tobytes(), start)
        return zlib.crc32(np.ascontiguousarray(self.digests).data, zlib.crc32(self.id_bytes, lengths))

    @property
    def id_bytes(self) -> memoryview:
        """All ids of the block, without anything between them."""
        return self.id_data[self.id_offsets[0] : self.id_offsets[-1]]

    def ids(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """The ids of some rows."""
        try:
            return [str(each, "utf-8") for each in _slices(self.id_data, self.id_offsets, rows)]
        except UnicodeDecodeError:
            raise DamagedFile(f"{self.file}: an id is not a text") from None

    def texts(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """The texts of some rows, each compared with its digest.

        Raises:
            DamagedFile: a text has another digest.
        """
        found = _slices(self.text_data, self.text_offsets, rows)
        digests = b"".join(blake2b(each, digest_size=DIGEST_BYTES).digest() for each in found)
        if digests != self.digests[rows].tobytes():
            other = np.frombuffer(digests, "<u8").reshape(-1, 2) != self.digests[rows]
            name = self.ids(rows[other.any(axis=1)][:1])[0]
            raise DamagedFile(f"{self.file}: the text of '{name}' is not what was written")
        return [str(each, "utf-8") for each in found]


_Read = Callable[[Block, npt.NDArray[np.int64]], list[str]]


def block_sums(texts: Texts, key: str) -> Sums:
    """The checksums of the blocks, for a `Guard`."""
    return np.array([block.sum(seed(key, str(number))) for number, block in enumerate(texts.blocks())], np.uint32)


def _strings(array: pa.Array, kind: str) -> tuple[npt.NDArray[Any], memoryview]:
    """Offsets and bytes of an array of strings."""
    _, starts, data = array.buffers()
    if not len(array):
        return np.zeros(1, kind), memoryview(b"")
    offsets = _numbers(starts, kind, len(array) + 1, array.offset)
    held = memoryview(data if data is not None else b"")
    if offsets[0] < 0 or offsets[-1] > len(held) or (np.diff(offsets) < 0).any():
        raise ValueError
    return offsets, held


def _numbers(buffer: pa.Buffer, kind: str, count: int, start: int) -> npt.NDArray[Any]:
    """Numbers of a buffer without a copy. If the buffer is too short, it is a ValueError."""
    return np.frombuffer(buffer, kind, count, start * np.dtype(kind).itemsize) if count else np.empty(0, kind)


def _slices(data: memoryview, offsets: npt.NDArray[np.integer], rows: npt.NDArray[np.int64]) -> list[memoryview]:
    bounds = zip(offsets[rows].tolist(), offsets[rows + 1].tolist(), strict=True)
    return [data[start:stop] for start, stop in bounds]

"""Pairs of the same query, brought together. They wait in a file, so memory does not grow with their texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from adapters.array_file import ArrayFile
from adapters.identity import text_digest

_AT_ONCE = 4096


@dataclass(frozen=True)
class RowPart:
    """The content of a row."""

    query: str
    instruction: str | None
    scored: tuple[tuple[str, float], ...]
    """Texts with their scores or grades."""
    where: str
    """`file:line`."""


class Groups:
    """Rows by query and instruction, in the order of the first row of each group."""

    def __init__(self) -> None:
        self._rows, self._keys = ArrayFile.temporary(np.uint8), ArrayFile.temporary(np.dtype("V16"))
        self._ends = ArrayFile.temporary(np.int64)
        self._size = 0

    def add(self, part: RowPart) -> None:
        """Add a row."""
        content = msgspec.msgpack.encode(part)
        self._size += len(content)
        self._rows.append(np.frombuffer(content, np.uint8))
        self._ends.append(np.array([self._size]))
        key = text_digest(part.query if part.instruction is None else f"{part.query}\0{part.instruction}")
        self._keys.append(np.frombuffer(key, "V16"))

    def __iter__(self) -> Iterator[list[RowPart]]:
        keys, ends = self._keys[:], self._ends[:]
        _, first, group = np.unique(keys.view("<u8").reshape(-1, 2), axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first[group.reshape(-1)], kind="stable")
        bounds = np.flatnonzero(np.diff(first[group.reshape(-1)][order])) + 1
        for rows in np.split(order, bounds) if len(order) else ():
            yield [self._part(int(row), ends) for row in rows]

    def _part(self, row: int, ends: np.ndarray) -> RowPart:
        begin = int(ends[row - 1]) if row else 0
        return msgspec.msgpack.decode(self._rows[begin : int(ends[row])].tobytes(), type=RowPart)

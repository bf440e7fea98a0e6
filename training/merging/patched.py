"""Tensors with some other rows, or with more rows than their file has, read piece by piece like all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from training.merging.tensors import FLOATS, PIECE, Raw, Tensor, decode, encode

Row = npt.NDArray[Any]
"""The elements of one row as they are stored."""


@dataclass(frozen=True)
class PatchedTensor(Tensor):
    """A tensor with rows that are not those of its file. Only these rows are in memory."""

    stored: int = 0
    """The rows that the file has."""
    rows: Mapping[int, Row] = field(default_factory=dict, compare=False)
    """The other rows by their number; all numbers from `stored` on are among them."""

    @classmethod
    def of(cls, tensor: Tensor, count: int, rows: Mapping[int, Row]) -> PatchedTensor:
        """A tensor of `count` rows: those of a tensor, except for the given ones."""
        own = {one.name: getattr(tensor, one.name) for one in fields(Tensor)}
        return cls(**{**own, "shape": (count, *tensor.shape[1:])}, stored=tensor.shape[0], rows=rows)

    def raw(self) -> Raw:
        """All elements as they are stored; a piece is put together when it is read."""
        length = self.size // max(1, self.shape[0])
        kind = np.dtype(FLOATS[self.dtype])
        file = np.frombuffer(self.file.map, dtype=kind, count=self.stored * length, offset=self.start)
        return cast(Raw, _Pieced(file, self.rows, length))


class _Pieced:
    """Reads like an array, in slices."""

    def __init__(self, file: Raw, rows: Mapping[int, Row], length: int) -> None:
        self.dtype = file.dtype
        self._file, self._rows, self._length = file, rows, length

    def __getitem__(self, place: slice) -> Raw:
        start, stop = place.start or 0, place.stop
        end = max([len(self._file), *((row + 1) * self._length for row in self._rows)])
        stop = end if stop is None else min(stop, end)
        found = np.empty(max(0, stop - start), self.dtype)
        kept = self._file[start:stop]
        found[: len(kept)] = kept
        for number, values in self._rows.items():
            first, last = number * self._length, (number + 1) * self._length
            low, high = max(start, first), min(stop, last)
            if low < high:
                found[low - start : high - start] = values[low - first : high - first]
        return found


def row_of(tensor: Tensor, number: int, dtype: str | None = None) -> Row:
    """One row as it is stored, in the format of the tensor or in another one."""
    length = tensor.size // max(1, tensor.shape[0])
    stored = np.array(tensor.raw()[number * length : (number + 1) * length])
    if dtype in {None, tensor.dtype}:
        return stored
    return encode(decode(stored, tensor.dtype, np.empty(length, np.float32)), str(dtype))


def mean_row(tensor: Tensor) -> Row:
    """The mean of all rows, summed in float64 and rounded once."""
    length = tensor.size // tensor.shape[0]
    total, raw = np.zeros(length), tensor.raw()
    step = max(1, PIECE // max(1, length)) * length
    for start in range(0, tensor.size, step):
        piece = raw[start : start + step]
        values = decode(piece, tensor.dtype, np.empty(len(piece), np.float32))
        total += values.reshape(-1, length).sum(axis=0, dtype=np.float64)
    return encode((total / tensor.shape[0]).astype(np.float32), tensor.dtype)

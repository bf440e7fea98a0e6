"""Read safetensors files through a memory map, one piece of a tensor at a time, and convert their number formats."""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.errors import ModelError

Floats = npt.NDArray[np.float32]
Raw = npt.NDArray[Any]

PIECE = 1 << 17
"""Elements per piece, so that all buffers of a piece stay in the processor's cache."""
FLOATS = {"BF16": "<u2", "F16": "<f2", "F32": "<f4"}
"""Formats that can be merged, as numpy stores them; bfloat16 as the upper half of a float32."""
_OTHERS = {
    "F64": "<f8", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
    "F8_E4M3": "|u1", "F8_E5M2": "|u1",
}  # fmt: skip
_LIMIT = 100_000_000  # the format's own limit for its header


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file."""

    file: TensorFile
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def mergeable(self) -> bool:
        return self.dtype in FLOATS

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def cut(self, rows: int) -> Tensor:
        """The first rows of this tensor."""
        length = (self.stop - self.start) // self.shape[0]
        return replace(self, shape=(rows, *self.shape[1:]), stop=self.start + rows * length)

    def raw(self) -> Raw:
        """All elements as they are stored, shape [size]. They are read when they are used."""
        kind = np.dtype({**FLOATS, **_OTHERS}[self.dtype])
        if not self.size:
            return np.empty(0, kind)
        return np.frombuffer(self.file.map, dtype=kind, count=self.size, offset=self.start)

    def forget(self) -> None:
        """Release the pages that were read. They stay in the system's disk cache."""
        page = self.start - self.start % mmap.ALLOCATIONGRANULARITY
        if self.stop > page and hasattr(mmap, "MADV_DONTNEED"):
            self.file.map.madvise(mmap.MADV_DONTNEED, page, self.stop - page)


@dataclass(frozen=True, eq=False)
class TensorFile:
    """A safetensors file. Its data are mapped when they are first used."""

    path: Path
    header: bytes
    """The length and the JSON before the data."""
    metadata: dict[str, str]

    @cached_property
    def map(self) -> mmap.mmap:
        with self.path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors in the order of their data."""
        parsed = json.loads(self.header[8:])
        tensors = [self._tensor(name, entry) for name, entry in parsed.items() if name != "__metadata__"]
        return tuple(sorted(tensors, key=lambda tensor: (tensor.start, tensor.stop)))

    def _tensor(self, name: str, entry: dict[str, Any]) -> Tensor:
        first, last = (len(self.header) + int(offset) for offset in entry["data_offsets"])
        shape = tuple(int(length) for length in entry["shape"])
        tensor = Tensor(self, name, str(entry["dtype"]), shape, first, last)
        if tensor.dtype not in FLOATS and tensor.dtype not in _OTHERS:
            raise ModelError(f"{self.path}: the tensor '{name}' has the format {tensor.dtype}, which cannot be merged")
        return tensor


def open_file(path: Path) -> TensorFile:
    """Read the header of a safetensors file and check it against the file's size.

    Raises:
        ModelError: the file is cut off, or is not a safetensors file.
    """
    try:
        header = _header(path)
        parsed = json.loads(header[8:])
        file = TensorFile(path, header, dict(parsed.get("__metadata__") or {}))
        _check(file, path.stat().st_size)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelError(f"{path}: not a complete safetensors file ({error}); copy or save it again") from None
    return file


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        length = file.read(8)
        announced = int.from_bytes(length, "little")
        if len(length) < 8 or announced > _LIMIT:
            raise ValueError("its header has no length")
        header = length + file.read(announced)
    if len(header) != 8 + announced:
        raise ValueError("its header is cut off")
    return header


def _check(file: TensorFile, size: int) -> None:
    end = len(file.header)
    for tensor in file.tensors:
        if tensor.start != end or tensor.stop - tensor.start != tensor.size * width(tensor.dtype):
            raise ValueError(f"the place of '{tensor.name}' does not fit its shape")
        end = tensor.stop
    if end != size:
        raise ValueError(f"{size} bytes instead of {end}")


def width(dtype: str) -> int:
    """The bytes of an element."""
    return np.dtype({**FLOATS, **_OTHERS}[dtype]).itemsize


def decode(raw: Raw, dtype: str, out: Floats) -> Floats:
    """Stored elements as float32, written into `out`. Exact for bfloat16, float16 and float32."""
    if dtype != "BF16":
        np.copyto(out, raw, casting="same_kind")
        return out
    bits = out.view(np.uint32)
    np.copyto(bits, raw)
    np.left_shift(bits, 16, out=bits)
    return out


def encode(values: Floats, dtype: str) -> Raw:
    """float32 values as they are stored, rounded to the nearest, ties to even. `values` must be finite."""
    if dtype == "F32":
        return values.copy()
    if dtype == "F16":
        with np.errstate(over="ignore"):
            return values.astype("<f2")
    bits = values.view(np.uint32)
    rounded = bits >> 16
    rounded &= 1
    rounded += 0x7FFF
    rounded += bits
    return rounded.view("<u2")[1::2].copy()

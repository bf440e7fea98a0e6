"""Arrow arrays from Python and NumPy values, and back, through their buffers.

`pyarrow.array`, `pyarrow.scalar` and `to_numpy` import pandas if it is installed, to recognise its types. That takes
longer than many runs, and nothing here has such types.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_LARGEST = np.iinfo(np.int32).max


def strings(texts: Iterable[str], kind: pa.DataType | None = None) -> pa.Array:
    """Make an array of texts.

    Args:
        kind: `pa.string()` or `pa.large_string()`. Default: `pa.string()`.

    Raises:
        UnicodeEncodeError: a text has half of a surrogate pair, which UTF-8 cannot hold.
        OverflowError: the texts are longer than 2 GiB, and the kind is not `pa.large_string()`.
    """
    kind = pa.string() if kind is None else kind
    encoded = [text.encode() for text in texts]
    ends = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=ends[1:])
    if kind != pa.large_string():
        if ends[-1] > _LARGEST:
            raise OverflowError("more than 2 GiB of text in one array; use pa.large_string()")
        ends = ends.astype(np.int32)
    return pa.Array.from_buffers(kind, len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def integers(numbers: npt.ArrayLike, kind: pa.DataType | None = None) -> pa.Array:
    """Make an array of integers.

    Args:
        kind: an Arrow type of integers. Default: `pa.int64()`.
    """
    kind = pa.int64() if kind is None else kind
    values = np.ascontiguousarray(numbers, np.dtype(str(kind)))
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def booleans(values: npt.NDArray[np.bool_]) -> pa.Array:
    """Make an array of truth values."""
    packed = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])


def to_numpy(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return a column of numbers or truth values as an array. It must not have nulls."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    dtype = _dtype(column.type)
    return np.concatenate([np.empty(0, dtype), *map(_chunk_to_numpy, chunks)])


def _dtype(kind: pa.DataType) -> np.dtype[Any]:
    return (
        np.dtype(bool)
        if kind == pa.bool_()
        else np.dtype({"double": "float64", "float": "float32"}.get(str(kind), str(kind)))
    )


def _chunk_to_numpy(chunk: pa.Array) -> npt.NDArray[Any]:
    if chunk.null_count:
        raise ValueError(f"{chunk.null_count} values are null")
    dtype = _dtype(chunk.type)
    plain = pc.cast(chunk, pa.uint8()) if chunk.type == pa.bool_() else chunk
    stored = np.uint8 if chunk.type == pa.bool_() else dtype
    if not len(plain):
        return np.empty(0, dtype)
    values = np.frombuffer(plain.buffers()[1], stored)[plain.offset : plain.offset + len(plain)]
    return values.astype(dtype, copy=False)


def rows_of(column: pa.Array | pa.ChunkedArray, names: pa.Array) -> npt.NDArray[np.int64]:
    """Return for each value of a column its row in `names`, or -1 if it is not there."""
    found = pc.index_in(column, value_set=names)
    rows = np.full(len(found), -1, np.int64)
    rows[to_numpy(found.is_valid())] = to_numpy(found.drop_null())
    return rows

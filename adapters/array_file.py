"""Arrays of one dimension in files, of which only the parts that are asked for are in memory."""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from adapters.full_disk import naming_full_disk
from adapters.sums import Array


class ArrayFile:
    """Numbers in a file, one after another. The file is closed with this object.

    Args:
        file: open for reading, and for writing if numbers are appended.
        dtype: the type of the numbers.
        start: the byte of the file at which they begin.
        count: how many numbers the file has.
    """

    def __init__(
        self, file: IO[bytes], dtype: npt.DTypeLike, start: int = 0, count: int = 0, place: Path | None = None
    ) -> None:
        self._file, self._dtype, self._start, self._count = file, np.dtype(dtype), start, count
        self._place = place or Path(tempfile.gettempdir())
        self._unwritten = False
        weakref.finalize(self, file.close)

    @classmethod
    def temporary(cls, dtype: npt.DTypeLike, folder: Path | None = None) -> ArrayFile:
        """An empty one, whose file disappears with this object.

        Args:
            folder: where its file is, if files can be written there. Default: where the system keeps temporary files.
        """
        writable = folder is not None and os.access(folder, os.W_OK)
        place = folder if folder is not None and writable else Path(tempfile.gettempdir())
        return cls(tempfile.TemporaryFile(dir=place), dtype, place=place)

    def __len__(self) -> int:
        return self._count

    def append(self, values: Array) -> None:
        """Add numbers at the end of a temporary file."""
        with naming_full_disk(self._place):
            self._file.write(np.ascontiguousarray(values, self._dtype).data)
        self._count += len(values)
        self._unwritten = True

    def __getitem__(self, part: slice) -> Array:
        """Read the numbers of a slice without a step.

        Raises:
            OSError: the file cannot be read, or is shorter than it was.
        """
        first, last, _ = part.indices(self._count)
        size = max(0, last - first) * self._dtype.itemsize
        self._written()
        content = os.pread(self._file.fileno(), size, self._start + first * self._dtype.itemsize)
        if len(content) < size:
            raise OSError(f"{getattr(self._file, 'name', 'a temporary file')}: it is shorter than it was")
        return np.frombuffer(content, self._dtype)

    def mapped(self) -> Array:
        """All numbers, mapped into memory."""
        if not self._count:
            return np.empty(0, self._dtype)
        self._written()
        return np.memmap(self._file, self._dtype, "r", self._start, (self._count,))

    def _written(self) -> None:
        if self._unwritten:
            with naming_full_disk(self._place):
                self._file.flush()
            self._unwritten = False

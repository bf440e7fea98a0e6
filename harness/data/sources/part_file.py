"""A file that is still being fetched: locked, appended to, and never under its final name."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from adapters.errors import DataError


class PartFile:
    """`<target>.part`, with the server's name for the version that it is a part of in `<target>.part.etag`.

    Opening waits until no other process writes it. Every byte that was handed to `write` survives a kill.

    Raises:
        DataError: nothing can be written there.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._tag = target.with_name(f"{target.name}.part.etag")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file = _locked(self.path)
            self.length = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise self._unwritable(error) from error

    @property
    def tag(self) -> str | None:
        """The entity tag of the version, where the server gave one that promises the same bytes."""
        try:
            return self._tag.read_text("utf-8") or None
        except (OSError, UnicodeDecodeError):
            return None

    def write(self, piece: bytes) -> None:
        """Append.

        Raises:
            DataError: the disk is full or gone.
        """
        try:
            left = memoryview(piece)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._unwritable(error) from error
        self.length += len(piece)

    def clear(self, tag: str | None = None) -> None:
        """Begin again, with the version that the server calls `tag`."""
        self._file.truncate(0)
        self.length = 0
        # A weak tag ('W/...') does not promise the same bytes.
        self._tag.write_text(tag if tag and tag.startswith('"') else "", "utf-8")

    def finish(self, target: Path) -> None:
        """Give the file its name."""
        os.fsync(self._file.fileno())
        self.path.replace(target)
        self._tag.unlink(missing_ok=True)

    def remove(self) -> None:
        """Forget what was fetched."""
        self.path.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    def close(self) -> None:
        """Let others at it; an empty file does not stay."""
        if not self.length:
            self.remove()
        self._file.close()

    def _unwritable(self, error: OSError) -> DataError:
        return DataError(f"{self.path}: cannot be written ({error.strerror}); make room, or name another folder")


def _locked(path: Path) -> FileIO:
    while True:
        file = path.open("ab", buffering=0)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        # Whoever had the lock may have finished the file and taken its name away, and the next one may do so now.
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        file.close()

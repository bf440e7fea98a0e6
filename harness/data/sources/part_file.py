"""A file that is still being fetched. It is locked, and it does not have its final name yet."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from adapters.atomic import sync
from adapters.errors import EnvironmentFailure


class PartFile:
    """The file `<target>.part`. `<target>.part.etag` has the server's tag of the version that is being fetched.

    Opening waits until no other process writes the file. Bytes that were passed to `write` survive a kill.

    Raises:
        EnvironmentFailure: the file cannot be written.
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
        """The strong entity tag of the version; None if the server gave none."""
        try:
            return self._tag.read_text("utf-8") or None
        except (OSError, UnicodeDecodeError):
            return None

    def write(self, piece: bytes) -> None:
        """Append bytes.

        Raises:
            EnvironmentFailure: the disk is full or cannot be written.
        """
        try:
            left = memoryview(piece)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._unwritable(error) from error
        self.length += len(piece)

    def clear(self, tag: str | None = None) -> None:
        """Delete the content, and start the version with the entity tag `tag`."""
        self._file.truncate(0)
        self.length = 0
        # A weak tag ('W/...') does not promise the same bytes.
        self._tag.write_text(tag if tag and tag.startswith('"') else "", "utf-8")

    def finish(self, target: Path) -> None:
        """Give the file its final name. Nothing else is left, whenever the process is killed."""
        os.fsync(self._file.fileno())
        self._tag.unlink(missing_ok=True)
        self.path.replace(target)
        sync(target.parent)

    def remove(self) -> None:
        """Delete what was fetched."""
        self.path.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock. An empty file is deleted."""
        if not self.length:
            self.remove()
        self._file.close()

    def _unwritable(self, error: OSError) -> EnvironmentFailure:
        return EnvironmentFailure(
            f"{self.path}: cannot be written ({error.strerror}); free some space, or name another folder"
        )


def _locked(path: Path) -> FileIO:
    while True:
        file = path.open("ab", buffering=0)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        # The process that had the lock may have renamed the finished file, so check that the path is still this file.
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        file.close()

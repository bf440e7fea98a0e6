"""Kills a process at its n-th write into a folder, as a battery or the kernel might."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_MADE = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
_STATEMENTS = ("begin", "commit", "insert", "update", "delete", "create", "rollback", "alter", "drop")


class _Counter:
    """Counts writes, and kills the process before one of them."""

    def __init__(self, root: Path, at: int) -> None:
        self._root, self._at, self.count = f"{root.resolve()}{os.sep}", at, 0

    def write(self) -> None:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if _is_for_writing(mode, flags) and self._is_inside([path]):
                self.write()
        elif event in _MADE and self._is_inside(arguments):
            self.write()

    def is_inside(self, path: object) -> bool:
        return self._is_inside([path])

    def _is_inside(self, paths: Sequence[object]) -> bool:
        named = [os.fsdecode(one) for one in paths if isinstance(one, str | bytes | os.PathLike)]
        return any(str(Path(one).absolute()).startswith(self._root) for one in named)


def kill_at_write(root: Path, at: int) -> Callable[[], int]:
    """Let this process be killed before its n-th write below a folder.

    A write is an opened, renamed, removed or synchronised file, a folder, or a statement that changes a database.

    Args:
        at: the number of the write, from 1; 0 kills nothing.

    Returns:
        A function that returns the number of writes so far.
    """
    counter = _Counter(root, at)
    _count_statements(counter)
    _count_syncs(counter)
    sys.addaudithook(counter.audit)
    return lambda: counter.count


def kill_at_size(size: int) -> None:
    """Let this process be killed in the middle of the write that makes any file larger than some bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _is_for_writing(mode: str | None, flags: int) -> bool:
    return bool(set(mode or "") & set("wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _count_statements(counter: _Counter) -> None:
    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.lstrip().lower().startswith(_STATEMENTS):
                counter.write()
            return super().execute(sql, *values)

        def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
            counter.write()
            return super().executemany(sql, *values)

    connect = sqlite3.connect

    def connected(database: Any, *arguments: Any, **more: Any) -> sqlite3.Connection:
        mine = {"factory": Connection} if counter.is_inside(database) else {}
        found: sqlite3.Connection = connect(database, *arguments, **{**mine, **more})
        return found

    sqlite3.connect = connected  # type: ignore[assignment]


def _count_syncs(counter: _Counter) -> None:
    sync = os.fsync

    def counted(fd: Any) -> None:
        counter.write()
        sync(fd)

    os.fsync = counted

"""Opens the SQLite file of the results store, for writing if possible, else for reading only."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from harness.sqlite_file import Connection, can_write, connected

_ATTEMPTS = 50


def opened(file: Path) -> tuple[Connection, bool]:
    """Return a connection without implicit transactions, and whether it is read-only.

    SQLite creates files next to a store even to read it, which a read-only folder does not allow. A store in such a
    folder, for instance an artefact of a CI job, is read into memory.

    Raises:
        sqlite3.DatabaseError: the file is not a database.
        OSError: the file cannot be read.
    """
    if not file.exists() or (can_write(file) and can_write(file.parent)):
        database = connected(file)
        with closed_on_error(database):
            if database.execute("pragma journal_mode").fetchone() != ("wal",):
                database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = full")  # a look survives a power cut, whatever SQLite was built with
        return database, False
    memory = connected(Path(":memory:"))
    memory.file = file
    with closed_on_error(memory):
        _read_into(memory, file)
    return memory, True


@contextmanager
def closed_on_error(database: sqlite3.Connection) -> Iterator[None]:
    """Close the connection if the block fails."""
    try:
        yield
    except BaseException:
        database.close()
        raise


def _read_into(memory: sqlite3.Connection, file: Path) -> None:
    """Copy the file into memory, with recent commits, which SQLite keeps in a second file. A process that may write
    there can change both meanwhile; then they are copied again."""
    for _ in range(_ATTEMPTS):
        before = _state(file)
        try:
            _read_once(memory, file)
        except sqlite3.DatabaseError:
            if _state(file) == before:
                raise
        if _state(file) == before:
            return
        time.sleep(0.1)
    raise sqlite3.OperationalError("another process changed it during every attempt to read it")


def _read_once(memory: sqlite3.Connection, file: Path) -> None:
    log = _log(file)
    if not log.exists() or not log.stat().st_size:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as source:
            source.backup(memory)
        return
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(shutil.copyfile(one, Path(folder, one.name))) for one in (file, log)]
        with closing(sqlite3.connect(copies[0])) as source:
            source.backup(memory)


def _state(file: Path) -> list[tuple[int, int, int] | None]:
    """What changes when a process writes: inode, size and time of the file and of its log."""
    found = [one.stat() if one.exists() else None for one in (file, _log(file))]
    return [one and (one.st_ino, one.st_size, one.st_mtime_ns) for one in found]


def _log(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")

"""Opens the SQLite file of the results store, for writing if possible, else for reading only."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_BUSY_SECONDS = 60
_PATIENCE_SECONDS = 30.0
_EFFECTIVE = os.access in os.supports_effective_ids


def opened(file: Path) -> tuple[sqlite3.Connection, bool]:
    """Return a connection without implicit transactions, and whether it is read-only.

    SQLite creates files next to a store even to read it, which a read-only folder does not allow. A store in such a
    folder, for instance an artefact of a CI job, is read into memory.

    Raises:
        sqlite3.DatabaseError: the file is not a database.
    """
    if not file.exists() or (_writable(file) and _writable(file.parent)):
        database = sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)
        with closed_on_error(database):
            _write_ahead(database)
        return database, False
    memory = sqlite3.connect(":memory:", isolation_level=None)
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


def _write_ahead(database: sqlite3.Connection) -> None:
    """Set the journal mode. SQLite does not wait for other processes here, so this function does."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while database.execute("pragma journal_mode").fetchone() != ("wal",):
        try:
            database.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=_EFFECTIVE)


def _read_into(memory: sqlite3.Connection, file: Path) -> None:
    """Copy the file into memory, with recent commits, which SQLite keeps in a second file."""
    log = file.with_name(f"{file.name}-wal")
    if not log.exists() or not log.stat().st_size:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as source:
            source.backup(memory)
        return
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(shutil.copyfile(one, Path(folder, one.name))) for one in (file, log)]
        with closing(sqlite3.connect(copies[0])) as source:
            source.backup(memory)

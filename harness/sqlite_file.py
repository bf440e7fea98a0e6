"""SQLite files of the workspace: connections that wait for other processes, and errors in words.

No message advises to move a file that is only busy, or whose disk is full: it has results, scores and looks.
"""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from adapters.errors import DataError, DiskFull, HarnessError, class_of
from adapters.full_disk import FULL, has_no_space
from harness.holder import holder, recorded

SILENT_SECONDS = 2.0
"""How long a process waits for another one before it says so."""
PATIENCE_SECONDS = 600.0
"""How long it waits in all."""
_REMINDER_SECONDS = 60.0
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FAILED = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_EFFECTIVE = os.access in os.supports_effective_ids
_KEPT = "what was stored before is complete"
_MAY = "make sure that it can be read and written, or name another --workspace"


class StoreBusy(UserWarning):
    """Another process writes to a file of the workspace, and this one waits."""


class _Cursor(sqlite3.Cursor):
    connection: Connection

    def execute(self, sql: str, parameters: Any = (), /) -> _Cursor:
        began = time.monotonic()
        while True:
            try:
                return super().execute(sql, parameters)
            except sqlite3.OperationalError as error:
                if not is_busy(error) or not self.connection.wait(began):
                    error.file = self.connection.file  # type: ignore[attr-defined]  # SQLite's message names no file
                    raise
            except UnicodeDecodeError as error:  # of a message of SQLite that quotes a damaged schema
                damage = sqlite3.DatabaseError("malformed database schema")
                damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise damage from error


class Connection(sqlite3.Connection):
    """A connection that waits for other processes, up to ten minutes. After two seconds it warns, and names who writes.

    Transactions are explicit.
    """

    file: Path
    patience = PATIENCE_SECONDS
    """How long to wait, in seconds."""
    _warned = float("-inf")

    def cursor(self, factory: Any = _Cursor) -> Any:
        """Return a cursor that waits too."""
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        """Execute a statement with a cursor that waits."""
        return _Cursor(self).execute(sql, parameters)

    def wait(self, began: float) -> bool:
        """Wait a moment for another process; False if this has gone on for too long.

        Args:
            began: the time of the first attempt.
        """
        now = time.monotonic()
        if now - began >= self.patience:
            return False
        if now - began > SILENT_SECONDS and now - self._warned > _REMINDER_SECONDS:
            self._warned = now
            message = f"{self.file} is held by {holder(self.file)}; waiting until it is free"
            warnings.warn(message, StoreBusy, stacklevel=3)
        time.sleep(0.05)
        return True


def connected(file: Path) -> Connection:
    """Open a file for reading and writing. It is created if it does not exist."""
    found: Connection = sqlite3.connect(file, timeout=SILENT_SECONDS, isolation_level=None, factory=Connection)
    found.file = file
    return found


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Write in one transaction: all of it is kept, or none."""
    connection.execute("begin immediate")
    try:
        with recorded(connection.file):
            yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:  # a full disk may have ended the transaction
            with suppress(sqlite3.DatabaseError):
                connection.execute("rollback")
        raise


def error_of(file: Path, error: sqlite3.Error | OSError) -> HarnessError:
    """Return the error for users that says what happened to a file of the workspace."""
    return (DiskFull if is_full(file, error) else class_of(error, DataError))(in_words(file, error))


def in_words(file: Path, error: sqlite3.Error | OSError) -> str:
    """Return what happened to a file of the workspace, what is kept, and what to do, on one line."""
    text = " ".join(str(error).split())  # SQLite may quote a damaged schema
    if is_full(file, error):
        return f"{file}: the disk is full ({text}); {_KEPT}; free some space and run the same command again"
    if isinstance(error, OSError):
        return f"{file}: {error}; {_KEPT}; {_MAY}, and run the same command again"
    if is_busy(error):
        return (
            f"{file}: {holder(file)} has held it for {PATIENCE_SECONDS / 60:.0f} minutes ({text}); {_KEPT}; wait "
            "until that process ends, or stop it, and run the same command again"
        )
    if is_damage(error):
        return f"{file}: damaged, SQLite says '{text}'; {advice(file)}"
    return f"{file}: SQLite says '{text}'; {_KEPT}; {_MAY}, and run the same command again"


def can_write(path: Path) -> bool:
    """Whether a file or folder can be written."""
    return os.access(path, os.W_OK, effective_ids=_EFFECTIVE)


def reading_uri(file: Path) -> str:
    """The address with which SQLite reads a file and changes nothing next to it. In a folder that
    cannot be written, without a log of recent writes, SQLite may assume that nobody writes."""
    log = file.with_name(f"{file.name}-wal")
    alone = not can_write(file.parent) and not (log.exists() and log.stat().st_size)
    return f"{file.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"


def advice(file: Path) -> str:
    """What to do about a damaged file."""
    return f"restore {file.name} from a copy, or keep it where it is and name another --workspace"


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite calls the file malformed, truncated, or not a database."""
    return _code(error) in _DAMAGE or "decode" in str(error)  # a text that is not UTF-8 has no code


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the file. A snapshot that is too old to be written does not count: waiting does
    not help."""
    code = getattr(error, "sqlite_errorcode", 0)
    return _code(error) == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT


def is_full(file: Path, error: sqlite3.Error | OSError) -> bool:
    """Whether the disk or a quota is full. SQLite calls some failed writes of a full disk an input or output error."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return _code(error) == sqlite3.SQLITE_FULL or (_code(error) in _FAILED and has_no_space(file.parent))


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF

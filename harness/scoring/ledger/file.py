"""The file of the pair ledger: its schema, its locks, and the salvage of a damaged file.

A damaged file may only be replaced while no other process has it open (SQLite forbids renaming a database in use). So
every open ledger holds a shared lock on a small lock file, and making or salvaging a ledger takes the exclusive lock.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from adapters.errors import DataError, EnvironmentFailure, class_of
from harness.holder import holder
from harness.scoring.ledger.salvage import rescued
from harness.scoring.ledger.schema import APPLICATION, SCHEMA_VERSION, create, lenient, with_suffix
from harness.sqlite_file import Connection, connected, error_of, is_busy, is_damage, is_full, writing
from harness.workspace import write_atomically

_PATIENCE_SECONDS = 10.0

T = TypeVar("T")


class LedgerWarning(UserWarning):
    """Something in the ledger could not be trusted. It is kept but not read, and its pairs will be scored again."""


class LedgerFile:
    """An open ledger database. If SQLite finds it damaged, it is replaced by what can be salvaged.

    Raises:
        DataError: the file is from a newer version, or is not a ledger.
        EnvironmentFailure: it cannot be written, or is damaged while another process has it open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._news = ""
        self._former = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except (OSError, sqlite3.OperationalError) as error:
            if is_full(path, error) or (isinstance(error, sqlite3.Error) and is_busy(error)):
                raise error_of(path, error) from error
            raise class_of(error, DataError)(
                f"{path} cannot be opened or created ({error}); name a folder that can be written"
            ) from error
        try:
            self.guarded(self._start)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. The database is closed first, because the lock keeps others from replacing it."""
        self.connection.close()
        self._lock.close()

    def guarded(self, action: Callable[[], T]) -> T:
        """Run an action. If SQLite finds damage, salvage the file and run the action once more."""
        try:
            try:
                return action()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
            self._salvage_alone()
            return action()
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise error_of(self.path, error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all of it is kept, or none."""
        with writing(self.connection):
            if self._former:  # programs of that version would set aside what is written now
                self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            yield self.connection
        self._former = False

    def if_possible(self, action: Callable[[], object]) -> None:
        """Run a write that nobody needs. It is left out if the disk is full or another process writes."""
        self.connection.patience = 0.0
        try:
            action()
        except sqlite3.OperationalError as error:
            if not is_busy(error) and not is_full(self.path, error):
                raise
        finally:
            self.connection.patience = Connection.patience

    def _open(self) -> None:
        self._lock = self._settled(None)
        self.connection = connected(self.path)
        self.connection.text_factory = lenient

    def _start(self) -> None:
        self._former = _version(self.path, self.connection) < SCHEMA_VERSION
        # FULL: recorded scores survive a power cut, not only a kill, for one fsync per recorded chunk.
        self.connection.execute("PRAGMA synchronous = FULL")

    def _salvage_alone(self) -> None:
        damaged = self.path.stat().st_ino
        self._lock.close()
        try:
            lock = self._settled(damaged)
        finally:
            self.connection.close()
        lock.close()
        self._open()
        self._start()
        if self._news:
            news, self._news = self._news, ""
            warnings.warn(news, LedgerWarning, stacklevel=2)

    def _settled(self, damaged: int | None) -> sqlite3.Connection:
        """The shared lock of a file that exists, is complete, and is not the damaged one (an inode)."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            lock = _lock(self.path, "BEGIN", Connection.patience)
            if not _salvaged(self.path).exists() and self.path.exists() and self.path.stat().st_ino != damaged:
                return lock
            lock.close()
            try:
                with closing(_lock(self.path, "BEGIN EXCLUSIVE", 0.0)):
                    self._settle(damaged)
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                if time.monotonic() > deadline:
                    raise EnvironmentFailure(
                        f"{self.path} is missing or damaged, and another process has it open ({holder(self.path)}); "
                        "let that process end, then run this again"
                    ) from error

    def _settle(self, damaged: int | None) -> None:
        if not _salvaged(self.path).exists() and not self.path.exists():
            _keep_log(self.path)
            create(self.path)
        elif not _salvaged(self.path).exists() and self.path.stat().st_ino == damaged:
            kept = _keep(self.path)
            self.connection.close()  # after the copy, because closing merges the write-ahead log into the file
            self._news = rescued(self.path, kept, _salvaged(self.path))
        if _salvaged(self.path).exists():
            _finish(self.path)


def _salvaged(path: Path) -> Path:
    """The file of a complete salvage that still has to be moved into place. Its existence is the marker."""
    return path.with_name(f"{path.stem}.salvaged{path.suffix}")


def _lock(path: Path, begin: str, patience: float) -> Connection:
    lock = connected(path.with_suffix(".lock"))
    lock.file, lock.patience = path, patience
    try:
        lock.execute(begin)
        lock.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        lock.close()
        raise
    return lock


def _version(path: Path, connection: sqlite3.Connection) -> int:
    if path.stat().st_size == 0:
        empty = sqlite3.DatabaseError("the file is empty")
        empty.sqlite_errorcode = sqlite3.SQLITE_NOTADB
        raise empty
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise DataError(f"{path} is an SQLite database, but not a pair ledger; name another file")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{path} was written by a newer version of the harness (ledger {version}, this one reads up to "
            f"{SCHEMA_VERSION}); upgrade rerank-harness"
        )
    return version


def _keep(path: Path) -> Path:
    kept = _free_name(path)
    if with_suffix(path, "-wal").exists():
        _copy(with_suffix(path, "-wal"), with_suffix(kept, "-wal"))
    _copy(path, kept)
    return kept


def _copy(source: Path, target: Path) -> None:
    with write_atomically(target) as unfinished:
        shutil.copy2(source, unfinished)


def _keep_log(path: Path) -> None:
    """Rename the log of a missing file, so that it is not replayed into a new file."""
    if with_suffix(path, "-wal").exists():
        with_suffix(path, "-wal").rename(with_suffix(_free_name(path), "-wal"))
    with_suffix(path, "-shm").unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.stem}.damaged-{number}{path.suffix}") for number in itertools.count(1))
    return next(name for name in names if not name.exists() and not with_suffix(name, "-wal").exists())


def _finish(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        with_suffix(path, suffix).unlink(missing_ok=True)
    _salvaged(path).replace(path)

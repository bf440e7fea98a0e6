"""The file of the pair ledger: its schema, its locks, and the salvage of a damaged file.

A damaged file may only be replaced while no other process has it open (SQLite forbids renaming a database in use). So
every open ledger holds a shared lock on a small lock file, and making or salvaging a ledger takes the exclusive lock.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import time
import warnings
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from adapters.errors import DataError, EnvironmentFailure, class_of
from adapters.identity import digest
from harness.scoring.ledger.records import RECORD
from harness.workspace import write_atomically

SCHEMA_VERSION = 1
_APPLICATION = 0x70616972
# A part of 100 pairs (3.6 kB) fits into a page of 16 kB; with SQLite's default page size it would need a second page.
_PAGE_BYTES = 16384
_SCHEMA = f"""
PRAGMA page_size = {_PAGE_BYTES};
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE scorer(id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, description TEXT NOT NULL);
CREATE TABLE part(
    scorer INTEGER NOT NULL, query BLOB NOT NULL, part INTEGER NOT NULL, pairs BLOB NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY(scorer, query, part)
) WITHOUT ROWID;
CREATE TABLE set_aside(scorer INTEGER, query BLOB, part INTEGER, pairs BLOB, checksum INTEGER);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_BUSY_SECONDS = 60.0
_PATIENCE_SECONDS = 10.0
_LAST = b"\xff" * 15
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

T = TypeVar("T")


class LedgerWarning(UserWarning):
    """Something in the ledger could not be trusted. It is kept but not read, and its pairs will be scored again."""


def is_sound(pairs: object, checksum: object) -> bool:
    """Whether the blob of a part is what was written: complete records with the right CRC-32."""
    return isinstance(pairs, bytes) and len(pairs) % RECORD.itemsize == 0 and zlib.crc32(pairs) == checksum


class LedgerFile:
    """An open ledger database. If SQLite finds it damaged, it is replaced by what can be salvaged.

    Raises:
        DataError: the file is from a newer version, or is not a ledger.
        EnvironmentFailure: it cannot be written, or is damaged while another process has it open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._news = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except (OSError, sqlite3.OperationalError) as error:
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
            kind = class_of(error, DataError)
            raise kind(f"{self.path}: SQLite says '{error}'; nothing of this call was recorded") from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all of it is kept, or none."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.DatabaseError):
                self.connection.rollback()
            raise

    def _open(self) -> None:
        self._lock = self._settled(None)
        self.connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)

    def _start(self) -> None:
        _check_origin(self.path, self.connection)
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
            lock = _lock(self.path, "BEGIN", _BUSY_SECONDS)
            if not _salvaged(self.path).exists() and self.path.exists() and self.path.stat().st_ino != damaged:
                return lock
            lock.close()
            try:
                with closing(_lock(self.path, "BEGIN EXCLUSIVE", 0.2)):
                    self._settle(damaged)
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                if time.monotonic() > deadline:
                    raise EnvironmentFailure(
                        f"{self.path} is missing or damaged, and another process has it open; let that process end, "
                        "then run this again"
                    ) from error

    def _settle(self, damaged: int | None) -> None:
        if not _salvaged(self.path).exists() and not self.path.exists():
            _keep_log(self.path)
            _create(self.path)
        elif not _salvaged(self.path).exists() and self.path.stat().st_ino == damaged:
            kept = _keep(self.path)
            self.connection.close()  # after the copy, because closing merges the write-ahead log into the file
            self._news = _rescue(self.path, kept)
        if _salvaged(self.path).exists():
            _finish(self.path)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite calls the file malformed, truncated, or not a database."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _salvaged(path: Path) -> Path:
    """The file of a complete salvage that still has to be moved into place. Its existence is the marker."""
    return path.with_name(f"{path.stem}.salvaged{path.suffix}")


def _lock(path: Path, begin: str, seconds: float) -> sqlite3.Connection:
    lock = sqlite3.connect(path.with_suffix(".lock"), timeout=seconds, isolation_level=None)
    try:
        lock.execute(begin)
        lock.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        lock.close()
        raise
    return lock


def _create(path: Path) -> None:
    new = _with_suffix(path, ".new")
    for left_over in (new, _with_suffix(new, "-wal"), _with_suffix(new, "-shm")):
        left_over.unlink(missing_ok=True)
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
    new.replace(path)


def _check_origin(path: Path, connection: sqlite3.Connection) -> None:
    if path.stat().st_size == 0:
        empty = sqlite3.DatabaseError("the file is empty")
        empty.sqlite_errorcode = sqlite3.SQLITE_NOTADB
        raise empty
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise DataError(f"{path} is an SQLite database, but not a pair ledger; name another file")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{path} was written by a newer version of the harness (ledger {version}, this one reads up to "
            f"{SCHEMA_VERSION}); upgrade rerank-harness"
        )


def _keep(path: Path) -> Path:
    kept = _free_name(path)
    if _with_suffix(path, "-wal").exists():
        _copy(_with_suffix(path, "-wal"), _with_suffix(kept, "-wal"))
    _copy(path, kept)
    return kept


def _copy(source: Path, target: Path) -> None:
    with write_atomically(target) as unfinished:
        shutil.copy2(source, unfinished)


def _keep_log(path: Path) -> None:
    """Rename the log of a missing file, so that it is not replayed into a new file."""
    if _with_suffix(path, "-wal").exists():
        _with_suffix(path, "-wal").rename(_with_suffix(_free_name(path), "-wal"))
    _with_suffix(path, "-shm").unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.stem}.damaged-{number}{path.suffix}") for number in itertools.count(1))
    return next(name for name in names if not name.exists() and not _with_suffix(name, "-wal").exists())


def _rescue(path: Path, kept: Path) -> str:
    """Copy what is sound into a new ledger, and return a message that says how much it was."""
    new = _with_suffix(path, ".rescue")
    new.unlink(missing_ok=True)
    _create(new)
    # Read-only, so that the damaged file does not change.
    with (
        closing(sqlite3.connect(f"{kept.resolve().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(new)) as target,
    ):
        source.execute("PRAGMA writable_schema = ON")  # lets SQLite read the beginning of a truncated file
        target.executemany("INSERT OR IGNORE INTO scorer VALUES (?, ?, ?)", _scorers(source))
        target.executemany("INSERT OR IGNORE INTO part VALUES (?, ?, ?, ?, ?)", _parts(source))
        target.commit()
        rows, size = target.execute("SELECT count(*), coalesce(sum(length(pairs)), 0) FROM part").fetchone()
    _with_suffix(kept, "-shm").unlink(missing_ok=True)
    new.replace(_salvaged(path))
    return (
        f"{path} was damaged: {rows} rows ({size // RECORD.itemsize} pairs) were recovered, the damaged file is kept "
        f"as {kept.name}, and pairs that are missing now are scored again"
    )


def _finish(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        _with_suffix(path, suffix).unlink(missing_ok=True)
    _salvaged(path).replace(path)


def _scorers(source: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    for order in ("ASC", "DESC"):
        with suppress(sqlite3.DatabaseError):
            for row in source.execute(f"SELECT id, identity, description FROM scorer ORDER BY id {order}"):
                if _describes(row[2], row[1]):
                    yield row


def _describes(description: object, identity: object) -> bool:
    try:
        return digest(json.loads(str(description))) == identity
    except (ValueError, AttributeError):
        return False


def _parts(source: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    """Every part that can be reached from either end of the table, and from either end of each range of query digests.
    So a damaged page hides only its own parts, not those after it."""
    scorers = {row[0] for row in _scorers(source)}
    whole = False
    for order in ("ASC", "DESC"):
        if not whole:
            sql = f"SELECT * FROM part ORDER BY scorer {order}, query {order}, part {order}"
            whole = yield from _sound_parts(source, sql, (), scorers)
    if whole:
        return
    ranged = "SELECT * FROM part WHERE scorer = ? AND query >= ? AND query < ? ORDER BY query {0}, part {0}"
    for scorer in list(scorers):
        for first in range(1 << 16):
            prefix = first.to_bytes(2, "big")
            if not (yield from _sound_parts(source, ranged.format("ASC"), (scorer, prefix, prefix + _LAST), scorers)):
                yield from _sound_parts(source, ranged.format("DESC"), (scorer, prefix, prefix + _LAST), scorers)


def _sound_parts(
    source: sqlite3.Connection, sql: str, values: tuple[object, ...], scorers: set[object]
) -> Generator[tuple[object, ...], None, bool]:
    """Yield the sound parts until the scan ends or meets damage; return whether it ended. Adds to `scorers`."""
    try:
        for row in source.execute(sql, values):
            scorers.add(row[0])
            if is_sound(row[3], row[4]):
                yield row
    except sqlite3.DatabaseError:
        return False
    return True

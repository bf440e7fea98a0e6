"""Verifies a ledger without changing it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from harness.scoring.ledger.records import RECORD, is_sound
from harness.scoring.ledger.schema import lenient
from harness.sqlite_file import error_of, is_damage, reading_uri


@dataclass(frozen=True)
class LedgerReport:
    """The result of `verify`."""

    rows: int
    pairs: int
    """Pairs in sound rows. A pair that two processes scored at the same time counts twice until `compact`."""
    bad_rows: int
    """Rows with a wrong length or checksum. They are set aside when they are read."""
    set_aside: int
    """Rows that were set aside earlier."""
    integrity: tuple[str, ...]
    """The messages of SQLite's integrity check; empty if nothing is wrong."""

    @property
    def ok(self) -> bool:
        """Whether every row can be trusted."""
        return not self.bad_rows and not self.integrity


def inspect(path: Path) -> LedgerReport:
    """Verify a ledger without opening it for use. Nothing is salvaged, set aside or created.

    Raises:
        DataError: the file cannot be opened.
    """
    try:
        with closing(sqlite3.connect(reading_uri(path), uri=True, timeout=5)) as connection:
            connection.text_factory = lenient
            return verified(connection)
    except sqlite3.DatabaseError as error:
        raise error_of(path, error) from None


def verified(connection: sqlite3.Connection) -> LedgerReport:
    """Check every row of an open ledger, and SQLite's structure."""
    rows = pairs = bad = aside = 0
    integrity: tuple[str, ...] = ()
    try:
        for (message,) in connection.execute("PRAGMA integrity_check"):
            integrity += () if message == "ok" else (str(message),)
        aside = connection.execute("SELECT count(*) FROM set_aside").fetchone()[0]
        for scorer, query, blob, known in connection.execute("SELECT scorer, query, pairs, checksum FROM part"):
            rows += 1
            sound = is_sound(scorer, query, blob, known)
            bad += not sound
            pairs += len(blob) // RECORD.itemsize if sound else 0
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if isinstance(error, sqlite3.Error) and not is_damage(error):
            raise
        integrity += (str(error),)
    return LedgerReport(rows, pairs, bad, aside, integrity)

"""The tables of the pair ledger, as SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

SCHEMA_VERSION = 2
"""The version of the file. Version 1 has the same tables, and checksums without the key."""
APPLICATION = 0x70616972
# A part of 100 pairs (3.6 kB) fits into a page of 16 kB; with SQLite's default page size it would need a second page.
PAGE_BYTES = 16384
_SCHEMA = f"""
PRAGMA page_size = {PAGE_BYTES};
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE scorer(id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, description TEXT NOT NULL);
CREATE TABLE part(
    scorer INTEGER NOT NULL, query BLOB NOT NULL, part INTEGER NOT NULL, pairs BLOB NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY(scorer, query, part)
) WITHOUT ROWID;
CREATE TABLE set_aside(scorer INTEGER, query BLOB, part INTEGER, pairs BLOB, checksum INTEGER);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


def create(path: Path) -> None:
    """Make an empty ledger. It is complete when it has its name."""
    new = with_suffix(path, ".new")
    for left_over in (new, with_suffix(new, "-wal"), with_suffix(new, "-shm")):
        left_over.unlink(missing_ok=True)
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
    new.replace(path)


def lenient(text: bytes) -> str:
    """Decode a text. A damaged row may have one that is not UTF-8; its checksum is wrong then."""
    return text.decode("utf-8", "replace")


def with_suffix(path: Path, suffix: str) -> Path:
    """The path with something after its whole name."""
    return path.with_name(path.name + suffix)

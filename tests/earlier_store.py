"""A results store as an earlier version wrote it."""

from __future__ import annotations

import sqlite3


def without_sums(database: sqlite3.Connection) -> None:
    """Remove the checksums, which earlier versions did not store. Rows may be changed then."""
    database.execute("delete from checksum")

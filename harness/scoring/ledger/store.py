"""The pair ledger: all (query, document) pairs that rerankers have scored, so that each pair is scored once.

Pairs are keyed by the digest of the reranker's identity and the digests of the two texts, so known pairs need not be
scored again for another collection, depth or first stage. A row of the table `part` holds the pairs of one (reranker,
query) that one call recorded. Rows are appended, and merged by `compact`.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, ModelError, class_of
from adapters.identity import Digests, digest
from adapters.protocols import IndexPairs
from harness.scoring.ledger.file import LedgerFile, LedgerWarning, is_damage, is_sound
from harness.scoring.ledger.records import (
    FIELDS,
    RECORD,
    Entries,
    Ordinals,
    Records,
    decoded,
    distinct,
    grouped,
    matches,
    query_keys,
    split,
)

__all__ = ["RECORD", "Entries", "KnownScorer", "Ledger", "LedgerReport", "LedgerWarning", "inspect"]

_QUERIES_AT_ONCE = 512

Key = tuple[int, bytes, int]
"""(scorer, query digest, part): the primary key of a part."""


@dataclass(frozen=True)
class KnownScorer:
    """A reranker with scores in the ledger."""

    id: int
    identity: str
    """The digest of the description, 32 hex digits."""
    description: Mapping[str, object]
    pairs: int
    """The number of different pairs."""


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


class Ledger:
    """An append-only store of scored pairs. Several processes may use the same file at the same time.

    A call of `record` is atomic. A row whose blob is not what was written is set aside with a `LedgerWarning` and not
    used. A file that SQLite finds damaged is kept as `<name>.damaged-N`, and its sound rows are copied to a new file.
    Use one object per thread.

    Raises:
        DataError: the file is from a newer version, or is not a ledger.
        EnvironmentFailure: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._file = LedgerFile(path)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Recorded pairs are already on the disk."""
        self._file.close()

    def scorer(self, identity: Mapping[str, object]) -> int:
        """The number of a reranker. It depends only on the identity, so it is the same in every ledger."""
        name = digest(identity)
        number = int(name[:16], 16) >> 1
        self._file.guarded(lambda: self._register(number, name, identity))
        return number

    def known(
        self, scorer: int, queries: Digests, documents: Digests, pairs: IndexPairs
    ) -> tuple[npt.NDArray[np.bool_], Entries]:
        """Look up pairs.

        Args:
            pairs: (row of `queries`, row of `documents`), in any order; repeats are allowed.

        Returns:
            Whether each pair is known, bool [pairs], and the entries as they were first recorded.
        """
        asked, owners = np.unique(pairs[:, 0], return_inverse=True)
        order = np.argsort(owners, kind="stable")
        keys = query_keys(queries[asked])
        known, entries = np.zeros(len(pairs), bool), Entries.unknown(len(pairs))
        for first in range(0, len(keys), _QUERIES_AT_ONCE):
            stored_owners, stored = self._read(scorer, keys[first : first + _QUERIES_AT_ONCE])
            start, stop = np.searchsorted(owners, (first, first + _QUERIES_AT_ONCE), sorter=order)
            rows = order[start:stop]
            wanted = documents[pairs[rows, 1]]
            at = matches(stored_owners, stored, owners[rows] - first, wanted)
            hits, found = rows[at >= 0], stored[at[at >= 0]]
            known[hits] = True
            for name in FIELDS:
                getattr(entries, name)[hits] = found[name]
        return known, entries

    def record(self, scorer: int, queries: Digests, documents: Digests, pairs: IndexPairs, entries: Entries) -> None:
        """Append scored pairs in one transaction. A pair that is already known keeps its first entry.

        Raises:
            ModelError: a score is not finite. Nothing is recorded then.
        """
        if len(entries.score) != len(pairs):
            raise ValueError(f"{len(entries.score)} entries for {len(pairs)} pairs")
        broken = np.flatnonzero(~np.isfinite(entries.score))
        if len(broken):
            raise ModelError(
                f"the reranker returned {entries.score[broken[0]]} for {len(broken)} of {len(pairs)} pairs, first for "
                f"pair {broken[0]}; scores have to be finite, so nothing of this chunk was recorded"
            )
        parts = grouped(queries, documents, pairs, entries)
        self._file.guarded(lambda: self._append(scorer, parts))

    def rekey(self, before: Mapping[str, object], now: Mapping[str, object]) -> int:
        """Move the pairs of one identity to another with the same scores, and return how many there were."""
        old, new = self.scorer(before), self.scorer(now)
        count = self.count(old)
        if count and old != new:
            self._file.guarded(lambda: self._move(old, new))
            self.compact(new)
        return count if old != new else 0

    def compact(self, scorer: int) -> None:
        """Merge the parts of each query into one row and drop repeats. The results of `known` do not change."""
        parted = self._file.guarded(lambda: self._queries(scorer, at_least=2))
        for first in range(0, len(parted), _QUERIES_AT_ONCE):
            keys = parted[first : first + _QUERIES_AT_ONCE]
            self._file.guarded(lambda keys=keys: self._merge(scorer, keys))  # type: ignore[misc]

    def count(self, scorer: int) -> int:
        """The number of different pairs of a reranker."""
        keys = self._file.guarded(lambda: self._queries(scorer))
        return sum(
            len(distinct(*self._read(scorer, keys[first : first + _QUERIES_AT_ONCE]))[1])
            for first in range(0, len(keys), _QUERIES_AT_ONCE)
        )

    def scorers(self) -> list[KnownScorer]:
        """Every reranker in the ledger, by number."""
        sql = "SELECT id, identity, description FROM scorer ORDER BY id"
        rows = self._file.guarded(lambda: self._file.connection.execute(sql).fetchall())
        return [KnownScorer(number, name, json.loads(text), self.count(number)) for number, name, text in rows]

    def payload_bytes(self) -> int:
        """The size of the recorded pairs in bytes, without the overhead of the file."""
        sql = "SELECT coalesce(sum(length(pairs)), 0) FROM part"
        return int(self._file.guarded(lambda: self._file.connection.execute(sql).fetchone())[0])

    def bytes_of(self, identities: Iterable[str]) -> int:
        """The size of the recorded pairs of some rerankers in bytes, without the overhead of the file.

        Args:
            identities: digests of the identities.
        """
        of_one = "scorer IN (SELECT id FROM scorer WHERE identity = ?)"
        sql = f"SELECT coalesce(sum(length(pairs)), 0) FROM part WHERE {of_one}"
        read = self._file.connection.execute
        return self._file.guarded(lambda: sum(int(read(sql, (identity,)).fetchone()[0]) for identity in identities))

    def forget(self, identities: Iterable[str]) -> None:
        """Delete some rerankers with all their pairs, in one transaction.

        Args:
            identities: digests of the identities.
        """
        rows = [(identity,) for identity in identities]
        of_these = "WHERE scorer IN (SELECT id FROM scorer WHERE identity = ?)"

        def delete() -> None:
            with self._file.writing() as connection:
                for table in ("part", "set_aside"):
                    connection.executemany(f"DELETE FROM {table} {of_these}", rows)
                connection.executemany("DELETE FROM scorer WHERE identity = ?", rows)

        self._file.guarded(delete)

    def shrink(self) -> None:
        """Give the space of deleted rows back to the disk."""
        self._file.connection.execute("VACUUM")
        self._file.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def verify(self) -> LedgerReport:
        """Check every row and SQLite's structure. Nothing is changed."""
        return _verified(self._file.connection)

    def _register(self, number: int, name: str, identity: Mapping[str, object]) -> None:
        sql = "SELECT identity FROM scorer WHERE id = ?"
        if self._file.connection.execute(sql, (number,)).fetchone() == (name,):
            return
        description = json.dumps(identity, sort_keys=True, ensure_ascii=False)
        with self._file.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO scorer VALUES (?, ?, ?)", (number, name, description))
            if connection.execute(sql, (number,)).fetchone() != (name,):
                raise DataError(f"{self._file.path}: two rerankers have the number {number}; use another ledger file")

    def _move(self, old: int, new: int) -> None:
        """Move the parts of `old` to `new`. For a query that both have, the numbers of the parts continue."""
        last = (
            "SELECT coalesce(max(part), -1) + 1 FROM part AS other WHERE other.scorer = ? AND other.query = part.query"
        )
        with self._file.writing() as connection:
            connection.execute(f"UPDATE part SET scorer = ?, part = part + ({last}) WHERE scorer = ?", (new, new, old))

    def _queries(self, scorer: int, at_least: int = 1) -> list[bytes]:
        sql = "SELECT query FROM part WHERE scorer = ? GROUP BY query HAVING count(*) >= ?"
        return [row[0] for row in self._file.connection.execute(sql, (scorer, at_least))]

    def _read(self, scorer: int, keys: list[bytes]) -> tuple[Ordinals, Records]:
        """The records of some queries in the order of recording, each with the index of its query in `keys`."""

        def action() -> tuple[Ordinals, Records]:
            owners, blobs, bad = self._sound_parts(scorer, keys)
            if bad:
                with self._file.writing():
                    moved = self._set_aside(bad)
                self._warn(moved)
            return decoded(owners, blobs)

        return self._file.guarded(action)

    def _sound_parts(self, scorer: int, keys: list[bytes]) -> tuple[list[int], list[bytes], list[Key]]:
        sql = "SELECT part, pairs, checksum FROM part WHERE scorer = ? AND query = ? ORDER BY part"
        owners: list[int] = []
        blobs: list[bytes] = []
        bad: list[Key] = []
        execute = self._file.connection.execute
        for owner, key in enumerate(keys):
            for part, blob, checksum in execute(sql, (scorer, key)):
                if is_sound(blob, checksum):
                    owners.append(owner)
                    blobs.append(blob)
                else:
                    bad.append((scorer, key, part))
        return owners, blobs, bad

    def _set_aside(self, suspects: list[Key]) -> int:
        """Set rows aside in a write transaction. Rows that another process has repaired since are left alone."""
        connection, where = self._file.connection, "FROM part WHERE scorer = ? AND query = ? AND part = ?"
        moved = 0
        for key in suspects:
            row = connection.execute(f"SELECT pairs, checksum {where}", key).fetchone()
            if row is not None and not is_sound(*row):
                connection.execute(f"INSERT INTO set_aside SELECT * {where}", key)
                connection.execute(f"DELETE {where}", key)
                moved += 1
        return moved

    def _warn(self, moved: int) -> None:
        if moved:
            warnings.warn(
                f"{self._file.path}: {moved} rows are not what was written; they were set aside (table set_aside), and "
                "their pairs are scored again",
                LedgerWarning,
                stacklevel=2,
            )

    def _append(self, scorer: int, parts: list[tuple[bytes, bytes]]) -> None:
        # The number is chosen inside the write transaction, so two writers cannot choose the same number.
        sql = """INSERT INTO part SELECT ?1, ?2, coalesce(max(part) + 1, 0), ?3, ?4 FROM part
                 WHERE scorer = ?1 AND query = ?2"""
        with self._file.writing() as connection:
            connection.executemany(sql, ((scorer, key, blob, zlib.crc32(blob)) for key, blob in parts))

    def _merge(self, scorer: int, keys: list[bytes]) -> None:
        with self._file.writing() as connection:
            owners, blobs, bad = self._sound_parts(scorer, keys)
            moved = self._set_aside(bad)
            connection.executemany("DELETE FROM part WHERE scorer = ? AND query = ?", ((scorer, key) for key in keys))
            merged = split(*distinct(*decoded(owners, blobs)))
            rows = ((scorer, keys[owner], 0, blob, zlib.crc32(blob)) for owner, blob in merged)
            connection.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?)", rows)
        self._warn(moved)


def inspect(path: Path) -> LedgerReport:
    """Verify a ledger without opening it for use. Nothing is salvaged, set aside or created.

    Raises:
        DataError: the file cannot be opened.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            return _verified(connection)
    except sqlite3.OperationalError as error:
        raise class_of(error, DataError)(f"{path} cannot be read ({error})") from None


def _verified(connection: sqlite3.Connection) -> LedgerReport:
    rows = pairs = bad = aside = 0
    integrity: tuple[str, ...] = ()
    try:
        for (message,) in connection.execute("PRAGMA integrity_check"):
            integrity += () if message == "ok" else (str(message),)
        aside = connection.execute("SELECT count(*) FROM set_aside").fetchone()[0]
        for blob, checksum in connection.execute("SELECT pairs, checksum FROM part"):
            rows += 1
            bad += not is_sound(blob, checksum)
            pairs += len(blob) // RECORD.itemsize if is_sound(blob, checksum) else 0
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        integrity += (str(error),)
    return LedgerReport(rows, pairs, bad, aside, integrity)

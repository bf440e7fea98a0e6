"""The pair ledger: all (query, document) pairs that rerankers have scored, so that each pair is scored once.

Pairs are keyed by the digest of the reranker's identity and the digests of the two texts, so known pairs need not be
scored again for another collection, depth or first stage. A row of the table `part` holds the pairs of one (reranker,
query) that one call recorded. Rows are appended, and merged by `compact`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, DiskFull, ModelError
from adapters.identity import Digests, digest
from adapters.protocols import IndexPairs
from harness.scoring.ledger.file import LedgerFile, LedgerWarning
from harness.scoring.ledger.parts import Key, SoundParts, Waiting, insert_parts, insert_scorer
from harness.scoring.ledger.records import (
    FIELDS,
    RECORD,
    Entries,
    Ordinals,
    Records,
    checksum,
    decoded,
    distinct,
    grouped,
    has_former_checksum,
    is_sound,
    matches,
    query_keys,
    split,
)
from harness.scoring.ledger.verifying import LedgerReport, inspect, verified

__all__ = ["RECORD", "Entries", "KnownScorer", "Ledger", "LedgerReport", "LedgerWarning", "inspect"]

_QUERIES_AT_ONCE = 512


@dataclass(frozen=True)
class KnownScorer:
    """A reranker with scores in the ledger."""

    id: int
    identity: str
    """The digest of the description, 32 hex digits."""
    description: Mapping[str, object]
    pairs: int
    """The number of different pairs."""


class Ledger:
    """An append-only store of scored pairs. Several processes may use the same file at the same time.

    A call of `record` is atomic. A row whose blob is not what was written is set aside with a `LedgerWarning` and not
    used. A file that SQLite finds damaged is kept as `<name>.damaged-N`, and its sound rows are copied to a new file.
    If the disk is full, recorded pairs are known until the ledger is closed, and stored as soon as there is space.
    Use one object per thread.

    Raises:
        DataError: the file is from a newer version, or is not a ledger.
        EnvironmentFailure: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._file = LedgerFile(path)
        self._waiting = Waiting()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self.unsaved is not None:
            raise self.unsaved

    @property
    def unsaved(self) -> DiskFull | None:
        """Why some recorded pairs are not stored; None if all are. `with Ledger(...)` raises it at the end."""
        return self._waiting.reason

    def close(self) -> None:
        """Close the file. Recorded pairs are already on the disk."""
        self._file.close()

    def scorer(self, identity: Mapping[str, object]) -> int:
        """The number of a reranker. It depends only on the identity, so it is the same in every ledger."""
        name = digest(identity)
        number = int(name[:16], 16) >> 1
        try:
            self._file.guarded(lambda: self._register(number, name, identity))
        except DiskFull as error:
            self._waiting.scorers[number] = identity
            self._waiting.reason = error
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
        keys, owners = _owners(queries, pairs[:, 0])
        order = _by_owner(owners, len(keys))
        known, entries = np.zeros(len(pairs), bool), Entries.unknown(len(pairs))
        for first in range(0, len(keys), _QUERIES_AT_ONCE):
            stored_owners, stored = self._read(scorer, keys[first : first + _QUERIES_AT_ONCE])
            start, stop = np.searchsorted(owners, (first, first + _QUERIES_AT_ONCE), sorter=order)
            rows = order[start:stop]
            at = matches(stored_owners, stored, owners[rows] - first, documents[pairs[rows, 1]])
            hits, at = rows[at >= 0], at[at >= 0]
            known[hits] = True
            for name in FIELDS:
                getattr(entries, name)[hits] = stored[name][at]
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
        before = list(self._waiting.parts)
        self._waiting.parts += [(scorer, *part) for part in grouped(queries, documents, pairs, entries)]
        try:
            self._file.guarded(self._append)
            self._waiting = Waiting()
        except DiskFull as error:
            self._waiting.reason = error
        except BaseException:
            self._waiting.parts = before
            raise

    def rekey(self, before: Mapping[str, object], now: Mapping[str, object]) -> int:
        """Move the pairs of one identity to another with the same scores, and return how many there were."""
        old, new = self.scorer(before), self.scorer(now)
        count = self.count(old)
        if count and old != new:
            self._file.guarded(lambda: self._move(old, new))
            self.compact(new)
        return count if old != new else 0

    def compact(self, scorer: int) -> None:
        """Merge the parts of each query into one row and drop repeats. The results of `known` do not change. On a full
        disk the parts stay as they are."""
        parted = self._file.guarded(lambda: self._queries(scorer, at_least=2))
        for first in range(0, len(parted), _QUERIES_AT_ONCE):
            keys = parted[first : first + _QUERIES_AT_ONCE]
            with suppress(DiskFull):
                self._file.guarded(lambda keys=keys: self._merge(scorer, keys))  # type: ignore[misc]

    def count(self, scorer: int) -> int:
        """The number of different pairs of a reranker that are stored."""
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
        return verified(self._file.connection)

    def _register(self, number: int, name: str, identity: Mapping[str, object]) -> None:
        sql = "SELECT identity FROM scorer WHERE id = ?"
        if self._file.connection.execute(sql, (number,)).fetchone() == (name,):
            return
        with self._file.writing() as connection:
            insert_scorer(connection, number, identity)
            if connection.execute(sql, (number,)).fetchone() != (name,):
                raise DataError(f"{self._file.path}: two rerankers have the number {number}; use another ledger file")

    def _move(self, old: int, new: int) -> None:
        """Move the parts of `old` to `new`. For a query that both have, the numbers of the parts continue."""
        with self._file.writing() as connection:
            keys = self._queries(old)
            for first in range(0, len(keys), _QUERIES_AT_ONCE):
                some = keys[first : first + _QUERIES_AT_ONCE]
                found = self._sound_parts(old, some)
                self._warn(self._set_aside(found.bad))
                moved = ((new, some[owner], blob) for owner, blob in zip(found.owners, found.blobs, strict=True))
                insert_parts(connection, moved)
            connection.execute("DELETE FROM part WHERE scorer = ?", (old,))

    def _queries(self, scorer: int, at_least: int = 1) -> list[bytes]:
        sql = "SELECT query FROM part WHERE scorer = ? GROUP BY query HAVING count(*) >= ?"
        return [row[0] for row in self._file.connection.execute(sql, (scorer, at_least))]

    def _read(self, scorer: int, keys: list[bytes]) -> tuple[Ordinals, Records]:
        """The records of some queries in the order of recording, each with the index of its query in `keys`."""

        def action() -> tuple[Ordinals, Records]:
            found = self._sound_parts(scorer, keys)
            if found.bad:
                self._file.if_possible(lambda: self._set_aside_now(found.bad))
            if found.former:
                self._file.if_possible(lambda: self._renew(scorer, found.former))
            waiting = self._waiting.of(scorer, keys) if self._waiting.parts else []
            owners, blobs = [owner for owner, _ in waiting], [blob for _, blob in waiting]
            return decoded([*found.owners, *owners], [*found.blobs, *blobs])

        return self._file.guarded(action)

    def _sound_parts(self, scorer: int, keys: list[bytes]) -> SoundParts:
        places = {key: place for place, key in enumerate(keys)}
        found = SoundParts([], [], [], [])
        for key, part, blob, known in self._parts(scorer, keys):
            if not is_sound(scorer, key, blob, known):
                found.bad.append((scorer, key, part))
                continue
            found.owners.append(places[key])
            found.blobs.append(blob)
            if has_former_checksum(blob, known):
                found.former.append((key, part, blob))
        return found

    def _parts(self, scorer: int, keys: list[bytes]) -> Iterator[tuple[bytes, int, bytes, int]]:
        """(query, part, pairs, checksum) of some queries, for each query in the order of recording."""
        for first in range(0, len(keys), _QUERIES_AT_ONCE):
            some = keys[first : first + _QUERIES_AT_ONCE]
            marks = ",".join("?" * len(some))
            sql = f"""SELECT query, part, pairs, checksum FROM part WHERE scorer = ? AND query IN ({marks})
                      ORDER BY query, part"""
            yield from self._file.connection.execute(sql, (scorer, *some))

    def _renew(self, scorer: int, parts: list[tuple[bytes, int, bytes]]) -> None:
        """Give parts of earlier versions a checksum that covers their key."""
        sql = "UPDATE part SET checksum = ? WHERE scorer = ? AND query = ? AND part = ? AND pairs = ?"
        with self._file.writing() as connection:
            connection.executemany(
                sql, ((checksum(scorer, key, blob), scorer, key, part, blob) for key, part, blob in parts)
            )

    def _set_aside_now(self, suspects: list[Key]) -> None:
        with self._file.writing():
            moved = self._set_aside(suspects)
        self._warn(moved)

    def _set_aside(self, suspects: list[Key]) -> int:
        """Set rows aside in a write transaction. Rows that another process has repaired since are left alone."""
        connection, where = self._file.connection, "FROM part WHERE scorer = ? AND query = ? AND part = ?"
        moved = 0
        for key in suspects:
            row = connection.execute(f"SELECT pairs, checksum {where}", key).fetchone()
            if row is not None and not is_sound(*key[:2], *row):
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

    def _append(self) -> None:
        with self._file.writing() as connection:
            for number, identity in self._waiting.scorers.items():
                insert_scorer(connection, number, identity)
            insert_parts(connection, self._waiting.parts)

    def _merge(self, scorer: int, keys: list[bytes]) -> None:
        with self._file.writing() as connection:
            found = self._sound_parts(scorer, keys)
            moved = self._set_aside(found.bad)
            connection.executemany("DELETE FROM part WHERE scorer = ? AND query = ?", ((scorer, key) for key in keys))
            merged = split(*distinct(*decoded(found.owners, found.blobs)))
            insert_parts(connection, ((scorer, keys[owner], blob) for owner, blob in merged))
        self._warn(moved)


def _owners(queries: Digests, rows: npt.NDArray[np.int64]) -> tuple[list[bytes], Ordinals]:
    """The different keys of some queries, and for each row the place of its key. Two queries may have the same text."""
    used = np.zeros(len(queries), bool)
    used[rows] = True
    position: dict[bytes, int] = {}
    places = [position.setdefault(key, len(position)) for key in query_keys(queries[used])]
    return list(position), np.array(places, np.int64)[(np.cumsum(used) - 1)[rows]]


def _by_owner(owners: Ordinals, count: int) -> Ordinals:
    """The order of the owners, equal ones as given. Numpy sorts 16-bit numbers in linear time."""
    return np.argsort(owners.astype(np.uint16) if count <= 1 << 16 else owners, kind="stable")

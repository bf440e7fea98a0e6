"""Checksums of the rows of the results store. A row that is not what was written is noticed, with the key that it had.

A checksum belongs to the rows of one kind with one key. It is the sum of the CRC-32 of the rows, so their order does
not matter. Rows without a checksum were written by an earlier version; they get one when they are written again, or by
`harness doctor`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Literal
from zlib import crc32

Kind = Literal["collection", "evaluation", "value", "times", "noise", "mark", "robustness", "look"]
_ROWS: dict[Kind, tuple[str, ...]] = {
    "collection": (
        "select * from collection where fingerprint = ?1",
        "select * from corpus where collection = ?1",
        "select * from detected where collection = ?1",
        "select * from parallel where collection = ?1",
    ),
    "evaluation": (
        "select * from evaluation where id = ?1",
        "select measure from value where evaluation = ?1",
    ),
    "value": (
        "select evaluation, measure, mean, per_query, questions from value where evaluation = ?1 and measure = ?2",
    ),
    "times": (
        "select evaluation, pairs, seconds from timing where evaluation = ?1 and machine = ?2",
        "select evaluation, p50, p95, megabytes from latency where evaluation = ?1 and machine = ?2",
    ),
    "noise": ("select evaluation, measure, difference from noise where evaluation = ?1 and measure = ?2",),
    "mark": ("select evaluation, kind, identity from mark where evaluation = ?1",),
    "robustness": ("select * from robustness where evaluation = ?1",),
    "look": ("select * from look where id = ?1",),
}
"""The rows that a checksum covers, by the key of the checksum."""
_KEYS: dict[Kind, str] = {
    "collection": "select fingerprint, '' from collection",
    "evaluation": "select id, '' from evaluation",
    "value": "select evaluation, measure from value",
    "times": "select evaluation, machine from timing union select evaluation, machine from latency",
    "noise": "select evaluation, measure from noise",
    "mark": "select evaluation, '' from mark",
    "robustness": "select distinct evaluation, '' from robustness",
    "look": "select id, '' from look",
}
_MODULUS = 1 << 32


def of_row(row: Iterable[object], blob: bytes = b"") -> int:
    """Return the CRC-32 of a row's values and their types.

    Args:
        blob: a long value, which comes last. Default: none.
    """
    return crc32(blob, crc32(ascii(tuple(row)).encode()))  # `repr` depends on the version of Unicode, `ascii` does not


def of_value(evaluation: object, measure: object, mean: object, per_query: object, questions: object) -> int:
    """Return the checksum of a row of values."""
    values = per_query if isinstance(per_query, bytes) else b""
    return of_row((evaluation, measure, mean, questions, None if values else per_query), values)


def of_rows(rows: Iterable[Iterable[object]]) -> int:
    """Return the checksum of rows, in any order."""
    return sum(map(of_row, rows)) % _MODULUS


def is_same(known: object, found: int) -> bool:
    """Whether a stored checksum is that of rows with these CRC-32, added up."""
    return known == found % _MODULUS


def of_evaluation(row: Iterable[object], measures: Iterable[str]) -> int:
    """Return the checksum of an evaluation and the names of its measures."""
    return (of_row(row) + of_row(sorted(measures))) % _MODULUS


def of_collection(row: Sequence[Any]) -> int:
    """Return the checksum of a collection, of the columns of its table, then corpus, detected language, whether it was
    sought, parallel set, and how that is known."""
    own, (corpus, detected, sought, parallel, known_by) = row[:-5], row[-5:]
    more = [
        *([(own[0], corpus)] if corpus is not None else []),
        *([(own[0], detected)] if sought else []),
        *([(own[0], parallel, known_by)] if known_by is not None else []),
    ]
    return of_rows([own, *more])


def keep(database: sqlite3.Connection, kind: Kind, id: str, part: str = "") -> None:
    """Store the checksum of the rows with a key, as they are now. Call it after they were written."""
    row = (kind, id, part, _present(database, kind, id, part))
    database.execute("insert or replace into checksum values (?, ?, ?, ?)", row)


def is_changed(database: sqlite3.Connection, kind: Kind, id: str, part: str = "") -> bool:
    """Whether rows have a checksum and are not what was written."""
    query = "select sum from checksum where kind = ? and id = ? and part = ?"
    known = database.execute(query, (kind, id, part)).fetchone()
    return known is not None and known[0] != _present(database, kind, id, part)


def changed(database: sqlite3.Connection, kind: Kind) -> list[str]:
    """Return the ids of the rows of a kind that have a checksum and are not what was written, or are missing."""
    known = database.execute("select id, part, sum from checksum where kind = ? order by id", (kind,)).fetchall()
    return [id for id, part, found in known if found != _present(database, kind, id, part)]


def complete(database: sqlite3.Connection) -> int:
    """Store the checksums that are missing, and return how many."""
    missing = [(kind, *key) for kind in _KEYS for key in _without(database, kind)]
    for kind, id, part in missing:
        keep(database, kind, id, part)
    return len(missing)


def _without(database: sqlite3.Connection, kind: Kind) -> list[tuple[str, str]]:
    known = set(database.execute("select id, part from checksum where kind = ?", (kind,)))
    return [key for key in database.execute(_KEYS[kind]).fetchall() if key not in known]


def _present(database: sqlite3.Connection, kind: Kind, id: str, part: str) -> int:
    key = (id, part)
    found = [database.execute(query, key[: 2 if "?2" in query else 1]).fetchall() for query in _ROWS[kind]]
    if kind == "value":
        return sum(of_value(*row) for row in found[0]) % _MODULUS
    if kind == "evaluation":
        return of_evaluation(found[0][0], (measure for (measure,) in found[1])) if found[0] else 0
    return of_rows(row for rows in found for row in rows)

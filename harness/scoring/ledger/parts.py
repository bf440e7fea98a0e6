"""Parts: the pairs of one reranker and one query that one call recorded."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapters.errors import DiskFull
from adapters.identity import digest
from harness.scoring.ledger.records import checksum

Key = tuple[int, bytes, int]
"""(scorer, query digest, part): the primary key of a part."""
Part = tuple[int, bytes, bytes]
"""(scorer, query digest, pairs): a part without its number."""


@dataclass(frozen=True)
class SoundParts:
    """The parts of some queries in the order of recording."""

    owners: list[int]
    """The index of each part's query."""
    blobs: list[bytes]
    bad: list[Key]
    former: list[tuple[bytes, int, bytes]]
    """Query, number and pairs of sound parts whose checksum leaves out the key."""


@dataclass
class Waiting:
    """What was recorded and could not be stored, because the disk is full."""

    parts: list[Part] = field(default_factory=list)
    scorers: dict[int, Mapping[str, object]] = field(default_factory=dict)
    reason: DiskFull | None = None

    def of(self, scorer: int, keys: list[bytes]) -> list[tuple[int, bytes]]:
        """The parts of some queries, each with the index of its query in `keys`."""
        places = {key: place for place, key in enumerate(keys)}
        return [(places[key], blob) for number, key, blob in self.parts if number == scorer and key in places]


def insert_scorer(connection: sqlite3.Connection, number: int, identity: Mapping[str, object]) -> None:
    """Insert a reranker, if it is not there."""
    description = json.dumps(identity, sort_keys=True, ensure_ascii=False)
    connection.execute("INSERT OR IGNORE INTO scorer VALUES (?, ?, ?)", (number, digest(identity), description))


def insert_parts(connection: sqlite3.Connection, parts: Iterable[Part]) -> None:
    """Insert parts after those that their queries have."""
    # The number is chosen inside the write transaction, so two writers cannot choose the same number.
    sql = """INSERT INTO part SELECT ?1, ?2, coalesce(max(part) + 1, 0), ?3, ?4 FROM part
             WHERE scorer = ?1 AND query = ?2"""
    rows = ((scorer, key, blob, checksum(scorer, key, blob)) for scorer, key, blob in parts)
    connection.executemany(sql, rows)

"""The salvage of a damaged ledger: every part that SQLite still reaches and whose checksum is right."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from adapters.identity import digest
from harness.scoring.ledger.records import KEY_BYTES, RECORD, is_sound
from harness.scoring.ledger.schema import PAGE_BYTES, create, lenient, with_suffix

_KEYS = 1 << 8 * KEY_BYTES
_STEPS_PER_PAGE = 32
"""A range of keys is divided until it is this fraction of what a page has on average."""
_PROBES = 50_000
"""The largest number of ranges that are tried. A small file needs few, and a large one has a few damaged pages."""
_RANGE = "SELECT * FROM part WHERE scorer = ? AND query >= ? AND query < ? ORDER BY query {0}, part {0}"
_UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""The second one comes with a message of SQLite that quotes a damaged schema."""

Row = tuple[object, ...]


def rescued(path: Path, kept: Path, made: Path) -> str:
    """Copy what is sound into a new ledger, and return a message that says how much it was.

    Args:
        path: the damaged ledger, for the message.
        kept: the copy of it that is read. It does not change.
        made: the name that the new ledger gets when it is complete.
    """
    new = with_suffix(path, ".rescue")
    new.unlink(missing_ok=True)
    create(new)
    # Read-only, so that the damaged file does not change.
    with (
        closing(sqlite3.connect(f"{kept.resolve().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(new)) as target,
    ):
        source.text_factory = lenient
        source.execute("PRAGMA writable_schema = ON")  # lets SQLite read the beginning of a truncated file
        target.executemany("INSERT OR IGNORE INTO scorer VALUES (?, ?, ?)", _scorers(source))
        target.executemany("INSERT OR IGNORE INTO part VALUES (?, ?, ?, ?, ?)", _Salvage(source, kept).parts())
        target.commit()
        rows, size = target.execute("SELECT count(*), coalesce(sum(length(pairs)), 0) FROM part").fetchone()
    with_suffix(kept, "-shm").unlink(missing_ok=True)
    new.replace(made)
    return (
        f"{path} was damaged: {rows} rows ({size // RECORD.itemsize} pairs) were recovered, the damaged file is kept "
        f"as {kept.name}, and pairs that are missing now are scored again"
    )


def _scorers(source: sqlite3.Connection) -> Iterator[Row]:
    for order in ("ASC", "DESC"):
        with suppress(*_UNREADABLE):
            for row in source.execute(f"SELECT id, identity, description FROM scorer ORDER BY id {order}"):
                if _describes(row[2], row[1]):
                    yield row


def _describes(description: object, identity: object) -> bool:
    try:
        return digest(json.loads(str(description))) == identity
    except (ValueError, AttributeError, RecursionError):
        return False


@dataclass
class _Salvage:
    """Reads parts from either end of the table, then from either end of smaller and smaller ranges of query digests, so
    that a damaged page hides only its own parts."""

    source: sqlite3.Connection
    file: Path
    last: int = 0
    """The query digest that the last scan ended at, as a number."""
    whole: bool = False
    """Whether the last scan met no damage."""
    scorers: set[object] = field(default_factory=set)
    """All rerankers that were seen."""

    def parts(self) -> Iterator[Row]:
        """Yield every sound part that can be reached; some of them twice."""
        self.scorers |= {row[0] for row in _scorers(self.source)}
        for order in ("ASC", "DESC"):
            yield from self._scanned(f"SELECT * FROM part ORDER BY scorer {order}, query {order}, part {order}", ())
            if self.whole:
                return
        done: set[object] = set()
        while waiting := self.scorers - done:
            scorer = waiting.pop()
            done.add(scorer)
            yield from self._of(scorer, _PROBES // len(self.scorers))

    def _of(self, scorer: object, probes: int) -> Iterator[Row]:
        smallest = _KEYS // (_STEPS_PER_PAGE * (1 + self.file.stat().st_size // PAGE_BYTES))
        ranges = deque([(0, _KEYS)])
        while ranges and probes:
            first, end = ranges.popleft()
            probes -= 1
            self.last = first
            yield from self._range(scorer, first, end, "ASC")
            if self.whole:
                continue
            first = max(first, self.last)
            self.last = end
            yield from self._range(scorer, first, end, "DESC")
            end = min(end, self.last + 1)
            if end - first > smallest:
                middle = (first + end) // 2
                ranges += [(first, middle), (middle, end)]

    def _range(self, scorer: object, first: int, end: int, order: str) -> Iterator[Row]:
        return self._scanned(_RANGE.format(order), (scorer, _key(first), _key(end)))

    def _scanned(self, sql: str, values: Row) -> Iterator[Row]:
        """Yield the sound parts until the scan ends or meets damage."""
        try:
            for row in self.source.execute(sql, values):
                if is_sound(row[0], row[1], row[3], row[4]):
                    self.scorers.add(row[0])
                    self.last = int.from_bytes(row[1], "big")
                    yield row
        except _UNREADABLE:
            self.whole = False
        else:
            self.whole = True


def _key(number: int) -> bytes:
    """The digest with a number; for the number after the last one, something larger than every digest."""
    return number.to_bytes(KEY_BYTES, "big") if number < _KEYS else b"\xff" * (KEY_BYTES + 1)

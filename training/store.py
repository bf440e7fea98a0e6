"""Examples on disk. A row is read when a step needs it, so memory does not grow with the number of rows.

A store is a folder with three files: `rows`, one record after another; `index`, for each row where its record begins
and the row's digest; and `about.json`, which is written last. A record begins with a checksum over its content and its
number. So damage, and a record in another's place, are noticed when the row is read.
"""

from __future__ import annotations

import fcntl
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from adapters.array_file import ArrayFile
from adapters.sums import DamagedFile, read_sealed, save_sealed, set_aside
from harness.workspace import new_folder, replace_folder
from training.examples import Example
from training.opened import Found, counted
from training.rows import KnownRows, RowFacts, digest_of, row_digest, with_row

FOLDER = "examples"
"""The folder of stores in the caches of a workspace."""
_ROWS, _INDEX, _ABOUT = "rows", "index", "about.json"
_ENTRY = np.dtype([("end", "<i8"), ("digest", "V16")])
_SUM = struct.Struct("<I")
_AT_ONCE = 4096
"""Rows that are read together when all are read."""
_AGAIN = "give the same command again: the examples are read again"
_packed = msgspec.msgpack.Encoder()
_unpacked = msgspec.msgpack.Decoder(Example)


@dataclass(frozen=True)
class About:
    """What is known of a store."""

    fingerprint: str
    facts: RowFacts
    digest: str
    size: int
    """Bytes of the records."""
    rejected: Mapping[str, int] = field(default_factory=dict)


class StoredRows(KnownRows):
    """The rows of a store."""

    def __init__(self, folder: Path, about: About) -> None:
        self.about, self._folder = about, folder
        self._rows = ArrayFile((folder / _ROWS).open("rb"), np.uint8, 0, about.size)
        self._index = ArrayFile((folder / _INDEX).open("rb"), _ENTRY, 0, about.facts.examples)

    def __len__(self) -> int:
        return self.about.facts.examples

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredRows) and self.about.digest == other.about.digest

    def __hash__(self) -> int:
        return hash(self.about.digest)

    @property
    def facts(self) -> RowFacts:
        """As it was found when the store was written."""
        return self.about.facts

    def digests(self) -> Iterator[str]:
        """The digest of each row."""
        return _digests(self._index)

    def __iter__(self) -> Iterator[Example]:
        for start in range(0, len(self), _AT_ONCE):
            ends = self._index[start : start + _AT_ONCE]["end"].tolist()
            begins = [self._begin(start), *ends[:-1]]
            for number, span in enumerate(zip(begins, ends, strict=True), start):
                yield self._record(number, *span)

    def _row(self, place: int) -> Example:
        return self._record(place, self._begin(place), int(self._index[place : place + 1]["end"][0]))

    def _begin(self, place: int) -> int:
        return int(self._index[place - 1 : place]["end"][0]) if place else 0

    def _record(self, number: int, begin: int, end: int) -> Example:
        if not 0 <= begin <= end - _SUM.size <= self.about.size:
            raise self._damaged(number)
        record = self._rows[begin:end].tobytes()
        content = record[_SUM.size :]
        if _SUM.unpack_from(record)[0] != zlib.crc32(content, number):
            raise self._damaged(number)
        row: Example = _unpacked.decode(content)
        return row

    def _damaged(self, number: int) -> DamagedFile:
        damage = DamagedFile(f"{self._folder / _ROWS}: row {number + 1} is not what was written")
        set_aside(self._folder, damage, "it is made again when it is needed")
        return DamagedFile(f"{damage}; {_AGAIN}")


def stored(folder: Path, fingerprint: str, found: Found) -> StoredRows:
    """The rows of a store, which is written first if it does not exist. Several processes may ask for the same store:
    one writes, and the others wait.

    Args:
        folder: of all stores.
        fingerprint: of what the rows are read from and how; it is the store's name.
        found: the rows; read only if the store does not exist.

    Raises:
        DataError: `found` raises it, or a text cannot be encoded.
        OSError: the disk is full; nothing is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / fingerprint
    with _locked(folder / f"{fingerprint}.lock"):
        rows = _opened(place, fingerprint)
        if rows is None:
            with new_folder(place) as unfinished:
                _write(unfinished, fingerprint, found)
                replace_folder(unfinished, place)
            rows = _opened(place, fingerprint)
    assert rows is not None
    return rows


def _opened(place: Path, fingerprint: str) -> StoredRows | None:
    """A store that was written; None if there is none. A damaged one is set aside with a warning."""
    if not place.exists():
        return None
    try:
        about, proven = read_sealed(place / _ABOUT, About, fingerprint)
        sizes = [(place / name).stat().st_size for name in (_ROWS, _INDEX)]
        if not proven or sizes != [about.size, about.facts.examples * _ENTRY.itemsize]:
            raise DamagedFile(f"{place}: its files are not what was written")
        rows = StoredRows(place, about)
        if digest_of(rows.digests()) != about.digest:
            raise DamagedFile(f"{place / _INDEX}: it is not what was written")
    except (DamagedFile, FileNotFoundError) as damage:
        set_aside(place, damage, "its examples are read again")
        return None
    return rows


def _write(folder: Path, fingerprint: str, found: Found) -> None:
    facts, rejected, size = RowFacts(), dict[str, int](), 0
    with (folder / _ROWS).open("wb") as rows, (folder / _INDEX).open("wb") as index:
        for number, row in enumerate(counted(found, rejected)):
            size += rows.write(_recorded(number, row))
            index.write(np.array((size, bytes.fromhex(row_digest(row))), _ENTRY).tobytes())
            facts = with_row(facts, row)
    entries = ArrayFile((folder / _INDEX).open("rb"), _ENTRY, 0, facts.examples)
    about = About(fingerprint, facts, digest_of(_digests(entries)), size, rejected)
    save_sealed(folder / _ABOUT, fingerprint, asdict(about))


def _recorded(number: int, row: Example) -> bytes:
    content = _packed.encode(row)
    return _SUM.pack(zlib.crc32(content, number)) + content


def _digests(index: ArrayFile) -> Iterator[str]:
    for start in range(0, len(index), _AT_ONCE):
        yield from (one.hex() for one in index[start : start + _AT_ONCE]["digest"].tolist())


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one process at a time into the block, where the file system has locks."""
    with file.open("ab") as lock:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Texts of a file or several into a column file, with every id once, in memory that does not grow with the texts."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError
from harness.data.columns import IdHashes, TextWriter
from harness.data.sources.dirt import Dirt, shown

Line = int | str
"""The line of a text; of a text in one of several files the file too."""
Row = tuple[Line, str, str]
"""Line, id, text."""
Rows = Callable[[Dirt], Iterator[Row]]
"""Reads the file from its beginning."""


@dataclass(frozen=True)
class Written:
    """What was written."""

    rows: int
    """Texts in the file that was read, with those that were not wanted."""
    written: int
    empty: int


def write_texts(
    read: Rows, label: str, path: Path, rows: dict[str, int], dirt: Dirt, *, only_these: bool = False
) -> Written:
    """Write the texts, all of them or only those whose id is a key of `rows`, and put their row numbers into `rows`.

    Raises:
        DataError: there are none, or two lines have the same id.
    """
    hashes = IdHashes()
    first = dirt.again()
    written = _write(read(first), path, rows, only_these, hashes)
    repeats = _repeats(read, hashes.repeated(), dirt.again())
    for line, (earlier, identifier) in repeats.items():
        where = f"{label}:{line}" if isinstance(line, int) else line
        message = f"{where}: id {shown(identifier)} stands in line {earlier} already"
        dirt.meet("duplicate-ids", message)
    if repeats:
        rows.update(dict.fromkeys(rows, -1))
        first = dirt.again()
        written = _write(_without(read(first), repeats), path, rows, only_these, IdHashes())
    dirt.add(first)
    dirt.read(written.rows + len(repeats))
    if not written.rows:
        raise DataError(f"{label}:1: empty; write one text per line")
    return written


def _write(texts: Iterator[Row], path: Path, rows: dict[str, int], only_these: bool, hashes: IdHashes) -> Written:
    count = 0
    with TextWriter(path) as writer:
        for _, identifier, text in texts:
            count += 1
            hashes.add(identifier)
            wanted = identifier in rows
            if wanted:
                rows[identifier] = writer.rows
            if wanted or not only_these:
                writer.add(identifier, text)
    return Written(count, writer.rows, writer.empty)


def _repeats(read: Rows, suspects: frozenset[int], dirt: Dirt) -> dict[Line, tuple[Line, str]]:
    """Lines whose id an earlier line has, with that line and the id."""
    if not suspects:
        return {}
    seen: dict[str, Line] = {}
    found: dict[Line, tuple[Line, str]] = {}
    for line, identifier, _ in read(dirt):
        if hash(identifier) in suspects and seen.setdefault(identifier, line) != line:
            found[line] = (seen[identifier], identifier)
    return found


def _without(texts: Iterator[Row], lines: Container[Line]) -> Iterator[Row]:
    return (row for row in texts if row[0] not in lines)

"""Write the texts of one or several files into a column file, each id once, without holding the texts in memory."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError
from harness.data.columns import IdHashes, TextWriter
from harness.data.sources.dirt import Dirt, shown

Line = int | str
"""The line of a text; with several files, the file and the line."""
Row = tuple[Line, str, str]
"""Line, id, text."""
Rows = Callable[[Dirt], Iterator[Row]]
"""Reads the file from its beginning."""


@dataclass(frozen=True)
class Written:
    """Counts of what was written."""

    rows: int
    """Texts in the file that was read, including those that were not written."""
    written: int
    empty: int


def write_texts(
    read: Rows, label: str, path: Path, rows: dict[str, int], dirt: Dirt, *, only_these: bool = False
) -> Written:
    """Write the texts, and put their row numbers into `rows`.

    Args:
        read: reads the file from its beginning.
        label: the name of the file in messages.
        rows: row numbers of the ids in it; -1 remains for ids without a text.
        only_these: write only texts whose id is a key of `rows`.

    Raises:
        DataError: there are no texts, or two lines have the same id and no rule lets that through.
    """
    hashes = IdHashes()
    first = dirt.again()
    written = _write(read(first), path, rows, only_these, hashes)
    repeats = _repeats(read, hashes.repeated(), dirt.again())
    for line, (earlier, identifier) in repeats.items():
        where = f"{label}:{line}" if isinstance(line, int) else line
        first_place = f"in line {earlier}" if isinstance(earlier, int) else f"in {earlier}"
        dirt.meet("duplicate-ids", f"{where}: id {shown(identifier)} is already {first_place}")
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
    """Lines with the id of an earlier line, each with that line and the id."""
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

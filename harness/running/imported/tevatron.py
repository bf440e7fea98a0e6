"""Reads rankings of Tevatron's search and rerankers: `query TAB document TAB score`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.errors import DataError
from harness.data.trec import RunLine, number_in, numbered


def three_columns(path: Path, last: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield line numbers and columns. A line with tabs is divided at tabs, so that ids may contain spaces.

    Raises:
        DataError: a line has another number of columns.
    """
    for number, fields in numbered(path, _split):
        if len(fields) != 3:
            raise DataError(f"{path}:{number}: expected 3 columns 'query document {last}', found {len(fields)}")
        yield number, fields[0], fields[1], fields[2]


def tevatron_lines(path: Path) -> Iterator[RunLine]:
    """Yield the scored documents of a ranking.

    Raises:
        DataError: a line is broken, or a score is not a finite number.
    """
    for number, query, document, score in three_columns(path, "score"):
        yield RunLine(query, document, number_in(path, number, score), number)


def _split(line: bytes) -> list[bytes]:
    plain = line.strip(b"\r\n")
    if b"\t" not in plain:
        return plain.split()
    return [field.strip() for field in plain.split(b"\t")]

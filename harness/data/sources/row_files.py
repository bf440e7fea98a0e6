"""Read files of rows: JSONL or one JSON array, Parquet, or tab-separated query, relevant text and other text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from adapters.errors import DataError
from harness.data.parquet_rows import parquet_rows
from harness.data.sources.beir_folder import Folder
from harness.data.sources.jsonl import JsonLine, lines, records
from harness.data.sources.row_forms import QUERY, names_of
from harness.data.written_numbers import is_number

ENDS = (".jsonl", ".json", ".tsv", ".parquet")
"""Suffixes of the file names, before `.gz`. Parquet files are not gzipped."""
_TRIPLE = ("query", "positive", "negative")
_ADVICE = "write JSONL with the fields query, positive and negative, or name the columns in a header"


def is_rows_name(name: str) -> bool:
    """Whether a file name is one of a file of rows."""
    return name.removesuffix(".gz").endswith(ENDS)


def row_records(path: Path) -> Iterator[JsonLine]:
    """The rows of a file. Rows of Parquet are numbered from 1.

    Raises:
        DataError: the file cannot be read, or the meaning of its columns is not clear.
    """
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return _parquet(path)
    return _columns(path) if name.endswith(".tsv") else records(Folder(path.parent), path.name)


def _parquet(path: Path) -> Iterator[JsonLine]:
    return (JsonLine(str(path), number, row) for number, row in parquet_rows(path))


def _columns(path: Path) -> Iterator[JsonLine]:
    """Rows of MS MARCO's triples, or with the columns that a header names."""
    numbered = lines(Folder(path.parent), path.name)
    for number, first in numbered:
        names: tuple[str, ...] = tuple(name.strip().lower() for name in first.split("\t"))
        if not names_of(names):
            if {*names} & {*QUERY}:
                raise DataError(f"{path}:{number}: the header names a query, and no column with texts; {_ADVICE}")
            names = _TRIPLE
            _refuse_ids(first.split("\t"), f"{path}:{number}")
            numbered = chain([(number, first)], numbered)
        yield from (_record(line, names, path, at) for at, line in numbered)


def _record(line: str, names: tuple[str, ...], path: Path, number: int) -> JsonLine:
    columns = line.split("\t")
    if len(columns) != len(names):
        wanted = "query, relevant text and other text" if names == _TRIPLE else f"the {len(names)} of the header"
        raise DataError(f"{path}:{number}: {len(columns)} columns instead of {wanted}")
    return JsonLine(str(path), number, {n: _value(n, text) for n, text in zip(names, columns, strict=True)})


def _value(name: str, text: str) -> object:
    """The text, converted to a number if the column has labels."""
    if name not in ("label", "score", "relevance"):
        return text
    return float(text) if is_number(text) else text


def _refuse_ids(columns: list[str], where: str) -> None:
    if len(columns) == 3 and any(is_number(text.strip()) for text in columns[1:]):
        raise DataError(f"{where}: ids or labels instead of texts; {_ADVICE}")

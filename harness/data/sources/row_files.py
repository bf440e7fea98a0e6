"""Read files of rows: JSONL or one JSON array, Parquet, or tab-separated query, relevant text and other text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from adapters.errors import DataError, class_of
from harness.data.sources.beir_folder import Folder
from harness.data.sources.jsonl import JsonLine, lines, records
from harness.data.sources.row_forms import names_of

ENDS = (".jsonl", ".json", ".tsv", ".parquet")
"""Suffixes of the file names, before `.gz`. Parquet files are not gzipped."""
_TRIPLE = ("query", "positive", "negative")
_BATCH = 1024
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
    import pyarrow as pa
    from pyarrow import parquet

    try:
        number = 0
        for batch in parquet.ParquetFile(path).iter_batches(_BATCH):
            for row in batch.to_pylist():
                number += 1
                yield JsonLine(str(path), number, row)
    except (pa.ArrowException, OSError) as error:
        raise class_of(error, DataError)(
            f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})"
        ) from None


def _columns(path: Path) -> Iterator[JsonLine]:
    """Rows of MS MARCO's triples, or with the columns that a header names."""
    numbered = lines(Folder(path.parent), path.name)
    for number, first in numbered:
        names: tuple[str, ...] = tuple(name.strip().lower() for name in first.split("\t"))
        if not names_of(names):
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
    try:
        return float(text)
    except ValueError:
        return text


def _refuse_ids(columns: list[str], where: str) -> None:
    if len(columns) == 3 and any(_is_number(text) for text in columns[1:]):
        raise DataError(f"{where}: ids or labels instead of texts; {_ADVICE}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

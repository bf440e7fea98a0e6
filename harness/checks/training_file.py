"""Reads the queries that a model was trained on, in batches."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from adapters.errors import DataError, UsageError, array_advice, class_of
from adapters.typed_file import RepeatedKey, each_once

FIELDS = ("query", "question", "anchor", "text")
"""Usual names of the field with the query, in the order in which they are tried."""
_AT_ONCE = 20_000

Queries = list[tuple[int, str]]
"""Line numbers (from 1) and texts."""


def training_queries(file: Path, field: str | None = None) -> Iterator[Queries]:
    """Yield batches of queries.

    Args:
        file: a .jsonl file of strings or objects, such as BEIR's queries.jsonl; a .parquet file; or a text file with
            one query per line. All but Parquet may be gzipped.
        field: the field with the query. Default: the first of `FIELDS` that exists.

    Raises:
        UsageError: the file does not exist, or has no field with the query.
        DataError: a line is not JSON, a key occurs twice in an object, or a query is not a string.
    """
    if not file.is_file():
        raise UsageError(f"no training file at {file}")
    rows = iter(_parquet(file, field) if file.suffix == ".parquet" else _lines(file, field))
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch


def _lines(file: Path, field: str | None) -> Iterator[tuple[int, str]]:
    packed = file.suffix == ".gz"
    kind = Path(file.stem).suffix if packed else file.suffix
    with gzip.open(file, "rt", encoding="utf-8") if packed else file.open(encoding="utf-8") as lines:
        try:
            for number, line in enumerate((line.removeprefix("\ufeff") for line in lines), 1):
                if line.strip():
                    text = line.strip() if kind not in {".jsonl", ".json"} else _text(line, f"{file}:{number}", field)
                    yield number, text
        except (UnicodeDecodeError, OSError, EOFError) as error:
            raise class_of(error, DataError)(f"{file}: cannot be read as UTF-8 text ({error})") from None


def _text(line: str, where: str, field: str | None) -> str:
    try:
        value = json.loads(line, object_pairs_hook=each_once)
    except RepeatedKey as error:
        raise DataError(f"{where}: {error}") from None
    except (ValueError, RecursionError):
        advice = "write one text or object per line, or name the file .txt"
        if line.startswith("["):
            advice = array_advice(line, where)
        raise DataError(f"{where}: not JSON; {advice}") from None
    if isinstance(value, dict):
        value = value.get(_field(list(value), field, where))
    if not isinstance(value, str):
        raise DataError(f"{where}: the query is not a text; {array_advice(line, where)}")
    return value


def _parquet(file: Path, field: str | None) -> Iterator[tuple[int, str]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
        name = _field(opened.schema_arrow.names, field, str(file))
        number = 0
        for batch in opened.iter_batches(_AT_ONCE, columns=[name]):
            for value in batch.column(0).to_pylist():
                number += 1
                if not isinstance(value, str):
                    raise DataError(f"{file}: row {number}: the query is not a text")
                yield number, value
    except (pa.ArrowInvalid, OSError) as error:
        raise class_of(error, DataError)(f"{file}: not a Parquet file ({str(error).splitlines()[0]})") from None


def _field(names: list[str], asked: str | None, where: str) -> str:
    for name in [asked] if asked else FIELDS:
        if name in names:
            return name
    raise UsageError(f"{where}: no field '{asked or FIELDS[0]}'; name one of {', '.join(names) or 'none'} with --field")

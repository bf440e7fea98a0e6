"""Reads the queries that a model was trained on, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from adapters.errors import DataError, UsageError, array_advice, class_of
from adapters.json_text import BROKEN, DECODER, RepeatedKey
from harness.data.parquet_rows import parquet_rows
from harness.data.unpacked import UNREADABLE, lines_of, reason_of

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
        DataError: a line is not JSON, a key occurs twice in an object, a query is not a string, or there are
            none.
    """
    if not file.is_file():
        raise UsageError(f"no training file at {file}")
    rows = iter(_parquet(file, field) if file.suffix == ".parquet" else _lines(file, field))
    first = next(rows, None)
    if first is None:
        raise DataError(f"{file}: the file has no queries")
    rows = chain([first], rows)
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch


def _lines(file: Path, field: str | None) -> Iterator[tuple[int, str]]:
    packed = file.suffix == ".gz"
    kind = Path(file.stem).suffix if packed else file.suffix
    with file.open("rb") as stored:
        try:
            for number, raw in enumerate(lines_of(stored, str(file), packed=packed), 1):
                line = raw.decode().removeprefix("\ufeff")
                if line.strip():
                    text = line.strip() if kind not in {".jsonl", ".json"} else _text(line, f"{file}:{number}", field)
                    yield number, text
        except (UnicodeDecodeError, *UNREADABLE) as error:
            reason = reason_of(error)
            raise class_of(error, DataError)(f"{file}: cannot be read as UTF-8 text ({reason})") from None


def _text(line: str, where: str, field: str | None) -> str:
    try:
        value = DECODER.decode(line)
    except RepeatedKey as error:
        raise DataError(f"{where}: {error}") from None
    except BROKEN:
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
    for number, row in parquet_rows(file, lambda names: [_field(names, field, str(file))]):
        (value,) = row.values()
        if not isinstance(value, str):
            raise DataError(f"{file}: row {number}: the query is not a text")
        yield number, value


def _field(names: Sequence[str], asked: str | None, where: str) -> str:
    for name in [asked] if asked else FIELDS:
        if name in names:
            return name
    raise UsageError(f"{where}: no field '{asked or FIELDS[0]}'; name one of {', '.join(names) or 'none'} with --field")

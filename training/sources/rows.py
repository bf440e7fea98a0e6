"""Our own format: one row per query, as JSONL or Parquet."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from adapters.errors import DataError, array_advice
from training.examples import FIELDS, Example, example_of, refuse_unlabelled


def read_jsonl(path: Path) -> Iterator[tuple[Example, dict[str, int]]]:
    """Labelled examples of a JSONL file.

    Raises:
        DataError: with file and line.
    """
    for place, line in lines(path):
        yield _checked(parsed(line, place), place), {}


def read_parquet(path: Path) -> Iterator[tuple[Example, dict[str, int]]]:
    """Labelled examples of a Parquet file; rows are counted from 1.

    Raises:
        DataError: with file and row.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        names = [name for name in FIELDS if name in file.schema_arrow.names]
        number = 0
        for batch in file.iter_batches(1024, columns=names):
            for row in batch.to_pylist():
                number += 1
                yield _checked(row, f"{path}:{number}"), {}
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as Parquet ({reason})") from None


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """`file:line` and text of the lines that are not blank, without byte order marks; .gz is unpacked.

    Raises:
        DataError: the file is not UTF-8, or cannot be unpacked.
    """
    number = 0
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                text = line.removeprefix("\ufeff")
                if text.strip():
                    yield f"{path}:{number}", text.rstrip("\r\n")
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path}:{number + 1}: cannot be read ({error})") from None


def parsed(line: str, place: str) -> object:
    """The JSON of a line.

    Raises:
        DataError: it is not JSON.
    """
    try:
        return json.loads(line)
    except ValueError as error:
        advice = array_advice(line, place)
        raise DataError(f"{place}: not JSON ({error}); {advice}") from None


def _checked(row: object, place: str) -> Example:
    example = example_of(row, place)
    refuse_unlabelled(example, place)
    return example


def _opened(path: Path) -> IO[str]:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")

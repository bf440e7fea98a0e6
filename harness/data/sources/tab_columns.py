"""Read files of texts with a tab between id and text, as in MS MARCO, or with the columns that a header names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from adapters.errors import DataError
from harness.data.sources.jsonl import JsonLine
from harness.data.sources.record_fields import DOCUMENT_IDS, DOCUMENT_TEXTS, QUERY_IDS, QUERY_TEXTS

_ADVICE = "write id and text with one tab between them, or name the columns in a header, such as id, title and text"
_URL = re.compile(r"https?://")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def text_columns(numbered: Iterable[tuple[int, str]], file: str) -> Iterator[JsonLine]:
    """The lines as records, with the names of the header; without a header `id` and `text`, or the `id`, `url`, `title`
    and `text` of MS MARCO's documents. Only a file with a header may have columns in quotation marks, as in csv.

    Raises:
        DataError: a line has another number of columns than the first, or the meaning of the columns is not clear.
    """
    lines = iter(numbered)
    for number, first in lines:
        columns = first.split("\t")
        if _is_header(columns):
            names = [column.strip().lower() for column in columns]
            yield from (_record(list(map(unquoted, line.split("\t"))), names, file, at) for at, line in lines)
            return
        names = _usual(columns, file, number)
        rows = chain([(number, first)], lines)
        yield from (_record(line.split("\t"), names, file, at) for at, line in rows)


def _is_header(columns: Sequence[str]) -> bool:
    names = {column.strip().lower() for column in columns}
    return bool(names & {*DOCUMENT_IDS, *QUERY_IDS}) and bool(names & {*DOCUMENT_TEXTS, *QUERY_TEXTS})


def _usual(columns: Sequence[str], file: str, number: int) -> list[str]:
    if len(columns) == 2:
        return ["id", "text"]
    if len(columns) == 4 and _URL.match(columns[1]):
        return ["id", "url", "title", "text"]
    raise DataError(f"{file}:{number}: {_counted(columns)} without a header; {_ADVICE}")


def _record(columns: Sequence[str], names: Sequence[str], file: str, number: int) -> JsonLine:
    if len(columns) != len(names):
        raise DataError(f"{file}:{number}: {_counted(columns)}, not {len(names)}; {_ADVICE}")
    fields = dict(zip(names, columns, strict=True))
    return JsonLine(file, number, {name: text.strip() for name, text in fields.items()})


def _counted(columns: Sequence[str]) -> str:
    return f"{len(columns)} column{'s' if len(columns) > 1 else ''}"


def unquoted(column: str) -> str:
    """A column without the quotation marks around it, as csv writes columns; unchanged if there are none."""
    quoted = _QUOTED.fullmatch(column.strip())
    return column if quoted is None else quoted[1].replace('""', '"')

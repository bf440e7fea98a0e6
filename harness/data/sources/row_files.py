"""Read files of rows: JSONL or one JSON array, Parquet, or tab-separated query, relevant text and other text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from adapters.errors import DataError
from harness.data.parquet_rows import parquet_rows
from harness.data.sources.beir_folder import Folder
from harness.data.sources.jsonl import JsonLine, lines, records
from harness.data.sources.row_names import LABELS, QUERY, is_value, names_of, normal
from harness.data.sources.tab_columns import unquoted
from harness.data.written_numbers import is_number

ENDS = (".jsonl", ".json", ".tsv", ".parquet")
"""Suffixes of the file names, before `.gz`. Parquet files are not gzipped."""
_TRIPLE = ("query", "positive", "negative")
_ADVICE = (
    "write JSONL with the fields query, positive and negative, or name the columns in a header, as in 'query, "
    "positive, negative' or 'query, passage, label'"
)
_LOOKED_AT = 1000
"""Lines without a header whose columns are checked."""
_HEADING = re.compile(r"[^\W\d][\w.-]*")
_HEADINGS = {
    *("query", "question", "anchor", "text", "sentence", "sent", "doc", "document", "passage", "answer", "response"),
    *("pos", "positive", "neg", "negative", "label", "score", "relevance", "relevant", "similarity", "duplicate"),
    *("title", "id", "qid", "pid", "docid", "premise", "hypothesis", "source", "target", "context"),
}
"""Words of which the names of columns are made."""


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
    """Rows of MS MARCO's triples, or with the columns that a header names. Only a file with a header may have columns
    in quotation marks, as in csv."""
    numbered = lines(Folder(path.parent), path.name)
    for number, first in numbered:
        names: tuple[str, ...] = tuple(normal(unquoted(name)) for name in first.split("\t"))
        has_header = names_of(names)
        if not has_header:
            if {*names} & {*QUERY}:
                raise DataError(f"{path}:{number}: the header names a query, and no column with texts; {_ADVICE}")
            names = _TRIPLE
            start = [(number, first), *islice(numbered, _LOOKED_AT - 1)]
            _refuse_other_columns([line.split("\t") for _, line in start], f"{path}:{number}")
            numbered = chain(start, numbered)
        for at, line in numbered:
            columns = line.split("\t")
            yield _record([*map(unquoted, columns)] if has_header else columns, names, path, at)


def _record(columns: list[str], names: tuple[str, ...], path: Path, number: int) -> JsonLine:
    if len(columns) != len(names):
        wanted = "query, relevant text and other text" if names == _TRIPLE else f"the {len(names)} of the header"
        raise DataError(f"{path}:{number}: {len(columns)} columns instead of {wanted}")
    return JsonLine(str(path), number, {n: _value(n, text) for n, text in zip(names, columns, strict=True)})


def _value(name: str, text: str) -> object:
    """The text, converted to a number if the column has labels."""
    if name not in LABELS:
        return text
    return float(text) if is_number(text) else text


def _refuse_other_columns(start: list[list[str]], where: str) -> None:
    """Refuse lines that are no triples of texts: with the names of columns in the first line, or with a column of
    numbers or of yes and no."""
    first, *others = start
    if len(first) != len(_TRIPLE):
        return
    if _is_header(first, others):
        names = ", ".join(first)
        raise DataError(
            f"{where}: the first line seems to be a header, and its names are not known ({names}); {_ADVICE}"
        )
    body = [columns for columns in others if len(columns) == len(_TRIPLE)] or [first]
    are_values = [all(is_value(columns[place]) for columns in body) for place in range(len(_TRIPLE))]
    has_ids = are_values[0] and (len(body) > 1 or (bool(others) and is_value(first[0])))
    if has_ids or any(are_values[1:]):
        raise DataError(f"{where}: ids or labels instead of texts; {_ADVICE}")


def _is_header(first: list[str], others: list[list[str]]) -> bool:
    """Whether a line has names of columns: two of them are made of known words, or every column is one word, and in no
    other line."""
    if not _are_words(first):
        return False
    known = [name for name in first if {word.rstrip("0123456789") for word in normal(name).split("_")} & _HEADINGS]
    return len(known) > 1 or (bool(others) and all(any(" " in text for text in columns) for columns in others))


def _are_words(columns: list[str]) -> bool:
    return all(_HEADING.fullmatch(column.strip()) for column in columns)

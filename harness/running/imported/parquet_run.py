"""Reads runs in Parquet, from ranx or from a data frame of PyTerrier: one row for each scored document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.errors import DataError
from harness.data.parquet_rows import parquet_rows
from harness.data.trec import RunLine, number_in

_QUERY = ("q_id", "qid", "query_id", "query-id", "topic", "query")
_DOCUMENT = ("doc_id", "docno", "docid", "corpus-id", "pid")
_SCORE = ("score", "scores")


def parquet_lines(path: Path) -> Iterator[RunLine]:
    """Yield the scored documents. Rows are counted from 1.

    Raises:
        DataError: the file cannot be read or lacks a column, or a score is not a finite number.
    """
    names: list[str] = []

    def chosen(there: Sequence[str]) -> Sequence[str]:
        names.extend(_column(path, there, wanted) for wanted in (_QUERY, _DOCUMENT, _SCORE))
        return names

    for number, row in parquet_rows(path, chosen):
        query, document, score = (row[name] for name in names)
        yield RunLine(str(query), str(document), number_in(path, number, str(score)), number)


def _column(path: Path, there: Sequence[str], wanted: Sequence[str]) -> str:
    found = next((name for name in wanted if name in there), None)
    if found is None:
        raise DataError(
            f"{path}: no column '{wanted[0]}' (there: {', '.join(there)}); name the columns q_id, doc_id, score"
        )
    return found

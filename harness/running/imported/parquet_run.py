"""Reads runs in Parquet, from ranx or from a data frame of PyTerrier: one row for each scored document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.errors import DataError, class_of
from harness.data.trec import RunLine, number_in

_QUERY = ("q_id", "qid", "query_id", "query-id", "topic", "query")
_DOCUMENT = ("doc_id", "docno", "docid", "corpus-id", "pid")
_SCORE = ("score", "scores")


def parquet_lines(path: Path) -> Iterator[RunLine]:
    """Yield the scored documents. Rows are counted from 1.

    Raises:
        DataError: the file cannot be read or lacks a column, or a score is not a finite number.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        names = [_column(path, file.schema_arrow.names, wanted) for wanted in (_QUERY, _DOCUMENT, _SCORE)]
        number = 0
        for batch in file.iter_batches(columns=names):
            for query, document, score in zip(*(batch[name].to_pylist() for name in names), strict=True):
                number += 1
                yield RunLine(str(query), str(document), number_in(path, number, str(score)), number)
    except (pa.ArrowException, OSError) as error:
        raise class_of(error, DataError)(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]})") from None


def _column(path: Path, there: Sequence[str], wanted: Sequence[str]) -> str:
    found = next((name for name in wanted if name in there), None)
    if found is None:
        raise DataError(
            f"{path}: no column '{wanted[0]}' (there: {', '.join(there)}); name the columns q_id, doc_id, score"
        )
    return found

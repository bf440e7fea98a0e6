"""Readers of training examples: one module per format, and a function that detects the format.

This package reads and checks. It never makes a label: examples without scores are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from adapters.errors import DataError, UsageError
from adapters.identity import digest
from harness.data.sources.row_files import is_rows_name
from training.examples import Examples
from training.opened import Found, Opened, count, counted
from training.rows import JoinedRows
from training.sources import beir, forms
from training.sources.beir import Negatives
from training.store import stored

__all__ = ["Negatives", "join", "read_examples", "read_several"]


def read_examples(
    path: Path, *, limit: int | None = None, negatives: Negatives | None = None, store: Path | None = None
) -> Examples:
    """Read labelled examples from a file or a folder. The format is detected from the content.

    Args:
        path: rows in our format or in one that `forms` reads, as JSONL, a JSON array, Parquet or .tsv; or a folder in
            BEIR's layout.
        limit: read only this number of examples, from the start. Default: all.
        negatives: the negatives of a BEIR folder. Default: from BM25.
        store: a folder in which the examples are kept, so that they need no memory and the same source is read only
            once. Default: they are read into memory.

    Raises:
        UsageError: the path does not exist, or its ending is unknown.
        DataError: a row has errors or no labels; the message names file and line.
        OSError: the disk is full.
    """
    opened = _open(path, negatives or Negatives())
    found = islice(_not_empty(opened.found, path), limit)
    if store is None:
        rejected: dict[str, int] = {}
        return Examples(tuple(counted(found, rejected)), rejected)
    rows = stored(store, digest({"source": dict(opened.identity), "limit": limit}), found)
    return Examples(rows, rows.about.rejected)


def read_several(
    paths: Iterable[Path], *, limit: int | None = None, negatives: Negatives | None = None, store: Path | None = None
) -> Examples:
    """Read the examples of several files and folders, in order; see `read_examples`."""
    return join([read_examples(path, limit=limit, negatives=negatives, store=store) for path in paths])


def join(parts: list[Examples]) -> Examples:
    """The examples of all parts, in order."""
    rejected: dict[str, int] = {}
    for one in parts:
        count(rejected, one.rejected)
    if all(isinstance(one.rows, tuple) for one in parts):
        return Examples(tuple(row for one in parts for row in one.rows), rejected)
    return parts[0] if len(parts) == 1 else Examples(JoinedRows([one.rows for one in parts]), rejected)


def _not_empty(found: Found, path: Path) -> Found:
    first = next(found, None)
    if first is None:
        raise DataError(f"{path}: the file has no examples")
    yield first
    yield from found


def _open(path: Path, negatives: Negatives) -> Opened:
    if path.is_dir():
        return beir.read(path, negatives)
    if not path.is_file():
        raise UsageError(f"no training examples at {path}")
    if not is_rows_name(path.name):
        raise UsageError(f"{path}: training examples are .jsonl, .json, .parquet, .tsv or a folder in BEIR's layout")
    return forms.read(path)

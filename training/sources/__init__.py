"""Readers of training examples: one module per format, and a function that detects the format.

This package reads and checks. It never makes a label: examples without scores are refused, and comparisons become the
strengths that fit them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from adapters.errors import DataError, UsageError
from harness.data.sources.row_files import is_rows_name
from training.examples import Example, Examples
from training.sources import beir, forms
from training.sources.beir import Negatives

__all__ = ["Negatives", "read_examples", "read_several"]


def read_examples(path: Path, *, limit: int | None = None, negatives: Negatives | None = None) -> Examples:
    """Read labelled examples from a file or a folder. The format is detected from the content.

    Args:
        path: rows in our format or in one that `forms` reads, as JSONL, a JSON array, Parquet or .tsv; or a folder in
            BEIR's layout.
        limit: read only this number of examples, from the start. Default: all.
        negatives: the negatives of a BEIR folder. Default: from BM25.

    Raises:
        UsageError: the path does not exist, or its ending is unknown.
        DataError: a row has errors or no labels; the message names file and line.
    """
    found = _open(path, negatives or Negatives())
    kept: list[Example] = []
    rejected: dict[str, int] = {}
    for example, left_out in found:
        kept.append(example)
        for reason, count in left_out.items():
            rejected[reason] = rejected.get(reason, 0) + count
        if len(kept) == limit:
            break
    if not kept:
        raise DataError(f"{path}: the file has no examples")
    return Examples(tuple(kept), rejected)


def read_several(paths: Iterable[Path], *, limit: int | None = None, negatives: Negatives | None = None) -> Examples:
    """Read the examples of several files and folders, in order; see `read_examples`."""
    read = [read_examples(path, limit=limit, negatives=negatives) for path in paths]
    rejected: dict[str, int] = {}
    for one in read:
        for reason, count in one.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
    return Examples(tuple(row for one in read for row in one.rows), rejected)


def _open(path: Path, negatives: Negatives) -> forms.Found:
    if path.is_dir():
        return beir.read(path, negatives)
    if not path.is_file():
        raise UsageError(f"no training examples at {path}")
    if not is_rows_name(path.name):
        raise UsageError(f"{path}: training examples are .jsonl, .json, .parquet, .tsv or a folder in BEIR's layout")
    return forms.read(path)

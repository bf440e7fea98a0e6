"""Readers of training examples: one module per format, and a function that detects the format.

This package reads and checks. It never makes a label: examples without scores are refused, and comparisons become the
strengths that fit them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from adapters.errors import DataError, UsageError
from adapters.identity import digest
from adapters.models import is_hub_name
from adapters.paths import user_path
from adapters.typed_file import read_json
from harness.data.sources.row_files import is_rows_name
from harness.data.suites.targets import is_suite_target
from harness.workspace import Workspace
from training.examples import Examples
from training.job import JOB
from training.opened import Found, OpenedSource, count, counted
from training.rows import JoinedRows
from training.sources import beir, dataset, forms
from training.sources.beir import Negatives
from training.store import stored

_FILES = ".jsonl, .json, .parquet, .tsv"
_OTHERS = "a collection of a suite is named as in miracl/sw, a data set of the hub as in owner/name"
__all__ = ["Negatives", "join", "read_examples", "read_several"]

_EXAMPLES = "examples.jsonl"
"""The file of examples that `train teach` writes into its folder."""


def read_examples(
    source: str | Path,
    *,
    limit: int | None = None,
    negatives: Negatives | None = None,
    store: Path | None = None,
    instruction: str | None = None,
) -> Examples:
    """Read labelled examples from a file, a folder, a collection of a suite, or a data set of the hub. The format is
    detected from the content.

    Args:
        source: rows in our format or in one that `forms` reads, as JSONL, a JSON array, Parquet or .tsv; a folder in
            BEIR's layout or with Parquet shards; a collection of a suite such as `miracl/sw`; or a data set of the hub
            as `owner/name` or `owner/name/configuration`. A path that exists comes first.
        limit: read only this number of examples, from the start. Default: all.
        negatives: the split of a folder, suite or data set, and the negatives of a collection. Default: the split
            `train`, with negatives from BM25.
        store: a folder in which the examples are kept, so that they need no memory and the same source is read only
            once. Default: they are read into memory.
        instruction: the instruction of rows that have none. Default: none.

    Raises:
        UsageError: the source does not exist, or its ending is unknown.
        DataError: a row has errors or no labels; the message names file and line.
        EnvironmentFailure: a suite or data set cannot be fetched.
        OSError: the disk is full.
    """
    opened = _open(str(source), negatives or Negatives())
    found = _instructed(islice(_not_empty(opened.found, source), limit), instruction)
    if store is None:
        rejected: dict[str, int] = {}
        return Examples(tuple(counted(found, rejected)), rejected)
    made_of = {"source": dict(opened.identity), "limit": limit, "instruction": instruction}
    rows = stored(store, digest(made_of), found)
    return Examples(rows, rows.about.rejected)


def read_several(
    sources: Iterable[str | Path],
    *,
    limit: int | None = None,
    negatives: Negatives | None = None,
    store: Path | None = None,
) -> Examples:
    """Read the examples of several sources, in order; see `read_examples`."""
    return join([read_examples(source, limit=limit, negatives=negatives, store=store) for source in sources])


def join(parts: list[Examples]) -> Examples:
    """The examples of all parts, in order."""
    rejected: dict[str, int] = {}
    for one in parts:
        count(rejected, one.rejected)
    if all(isinstance(one.rows, tuple) for one in parts):
        return Examples(tuple(row for one in parts for row in one.rows), rejected)
    return parts[0] if len(parts) == 1 else Examples(JoinedRows([one.rows for one in parts]), rejected)


def _not_empty(found: Found, source: str | Path) -> Found:
    first = next(found, None)
    if first is None:
        raise DataError(f"{source}: the file has no examples")
    yield first
    yield from found


def _instructed(found: Found, instruction: str | None) -> Found:
    for row, left_out in found:
        yield (row if row.instruction is not None else replace(row, instruction=instruction)), left_out


def _refuse_stage(source: str, folder: Path) -> None:
    """Refuse the folder of a stage, which holds more than examples, with the name of what to give instead."""
    if not (folder / JOB).is_file():
        return
    file, stage = folder / _EXAMPLES, read_json(folder / JOB, dict).get("stage")
    if file.is_file():
        advice = f"name its file, {file}"
    elif stage == "teach":
        advice = f"it has no examples yet; finish it first with: harness train teach --out {folder}"
    else:
        advice = "its queries have no scores; see harness train teach"
    raise UsageError(f"{source} is the folder of a stage; {advice}")


def _open(source: str, negatives: Negatives) -> OpenedSource:
    path = user_path(source)
    if path.is_dir():
        _refuse_stage(source, path)
        dataset.refuse_saved(path)
        is_shards = dataset.is_dataset(path) and not (path / "corpus.jsonl").exists()
        return dataset.read(path, None, negatives.split) if is_shards else beir.read(path, negatives)
    if path.is_file():
        if not is_rows_name(path.name):
            raise UsageError(f"{source}: training examples are {_FILES} or a folder; {_OTHERS}")
        return forms.read(path)
    if is_suite_target(source):
        return beir.read_suite(source, negatives)
    *name, config = source.split("/", 2) if source.count("/") == 2 else (*source.split("/"), None)
    if is_hub_name("/".join(map(str, name))) and not is_rows_name(source):
        folder = dataset.fetched("/".join(map(str, name)), negatives.workspace or Workspace.open())
        return dataset.read(folder, config, negatives.split)
    raise UsageError(f"no training examples at {source}; {_OTHERS}")

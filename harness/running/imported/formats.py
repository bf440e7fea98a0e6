"""Recognises the format of a run file and reads the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from adapters.errors import DataError, UsageError, class_of, did_you_mean
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.data.trec import RunLine, read_run, run_of
from harness.data.unpacked import UNREADABLE, lines_of, reason_of, refuse_no_file
from harness.data.written_numbers import whole_number
from harness.result.origin import ImportOrigin, origin_of
from harness.running.imported import flag_embedding, mteb_predictions
from harness.running.imported.json_file import json_object, json_value, nested_lines
from harness.running.imported.msmarco import msmarco_lines
from harness.running.imported.mteb_results import OLD_TASK
from harness.running.imported.parquet_run import parquet_lines
from harness.running.imported.tevatron import tevatron_lines, three_columns

MTEB_RESULTS = "mteb-results"
RUN_FORMATS = ("trec", "tevatron", "msmarco", "flagembedding", "mteb-predictions", "json-run", "parquet")
FORMATS = (*RUN_FORMATS, MTEB_RESULTS)
HERE = "rerank-harness"
"""The evaluator of imported runs."""


@dataclass(frozen=True)
class RunFile:
    """A run file that was computed elsewhere."""

    path: Path
    format: str
    content: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    """The content of a JSON file."""

    def read(self, collection: Collection) -> Run:
        """Return the run on a collection.

        Raises:
            DataError: as `harness.data.trec.read_run`. The error names the line, or the query and the document.
        """
        if self.format == "trec":
            return read_run(self.path, collection)
        return run_of(self.path, self._lines(collection), collection)

    @cached_property
    def origin(self) -> ImportOrigin:
        """Return the origin for the identity."""
        said = {"flagembedding": flag_embedding.stated, "mteb-predictions": mteb_predictions.stated}
        stated = said[self.format](self.content) if self.format in said else None
        return origin_of(self.path, "run", self.format, HERE, stated)

    @property
    def stated_name(self) -> str | None:
        """The name of the model; None if the file does not state it."""
        if self.format == "flagembedding":
            return flag_embedding.stated_name(self.content)
        return mteb_predictions.stated_name(self.content) if self.format == "mteb-predictions" else None

    def _lines(self, collection: Collection) -> Iterator[RunLine]:
        if self.format == "tevatron":
            return tevatron_lines(self.path)
        if self.format == "msmarco":
            return msmarco_lines(self.path)
        if self.format == "parquet":
            return parquet_lines(self.path)
        results: object = self.content
        if self.format == "flagembedding":
            results = self.content.get(flag_embedding.RESULTS)
        if self.format == "mteb-predictions":
            results = mteb_predictions.part_of(self.path, self.content, collection)
        return nested_lines(self.path, results)


def run_file(path: Path, format: str | None = None) -> RunFile:
    """Return a run file, in the named or the recognised format.

    Raises:
        UsageError: the format is unknown or not recognised, or the file is not a run.
        DataError: the file cannot be read.
    """
    kind = format_of(path, format)
    if kind not in RUN_FORMATS:
        raise UsageError(f"{path}: means of mteb are not a run; a run lists documents for each query")
    is_json = kind in ("flagembedding", "mteb-predictions", "json-run")
    return RunFile(path, kind, json_object(path) if is_json else {})


def format_of(path: Path, named: str | None = None) -> str:
    """Return the named format, else the recognised one.

    Raises:
        UsageError: the format is unknown or not recognised.
    """
    if named is not None:
        if named not in FORMATS:
            raise UsageError(f"unknown format '{named}'.{did_you_mean(named, FORMATS)}")
        return named
    if path.suffix == ".parquet":
        return "parquet"
    if path.suffix == ".lz4":
        raise UsageError(f"{path}: lz4 files cannot be read; save the run as .trec, .json or .parquet")
    head = _head(path)
    return _of_json(json_object(path)) if head.startswith(b"{") else _of_columns(path, head)


def is_result(path: Path) -> bool:
    """Whether a JSON file is a result of any version of mteb.

    Raises:
        DataError: the file cannot be read.
    """
    content = json_value(path)
    return isinstance(content, dict) and _of_json(content) == MTEB_RESULTS


def _of_json(content: Mapping[str, object]) -> str:
    if ("task_name" in content and "scores" in content) or OLD_TASK in content:
        return MTEB_RESULTS
    if flag_embedding.RESULTS in content:
        return "flagembedding"
    return "mteb-predictions" if mteb_predictions.META in content else "json-run"


def _of_columns(path: Path, head: bytes) -> str:
    if head.startswith(b"["):
        raise UsageError(f"{path}: a JSON array is not a run; a run in JSON is {{query: {{document: score}}}}")
    if not head:
        raise DataError(f"{path}: the file is empty, or has only comments; write the run again")
    words = len(head.split())
    columns = len(head.split(b"\t")) if b"\t" in head else words
    if 6 in (words, columns):
        return "trec"
    if columns == 3:
        return _of_three(path)
    if words >= 5:
        return "trec"  # no tag, or a tag of several words
    raise UsageError(f"{path}:1: no known run has {columns} columns; name the --format: {', '.join(FORMATS)}")


def _of_three(path: Path) -> str:
    """Return the format of a file with three columns: ranks if the last column counts from 1 in every query, else
    scores."""
    last: dict[str, list[str]] = {}
    for _, query, _, value in three_columns(path, "score or rank"):
        last.setdefault(query, []).append(value)
    if not all(value.isascii() and value.isdecimal() for values in last.values() for value in values):
        return "tevatron"
    ranks = [sorted(whole_number(value) or 0 for value in values) for values in last.values()]
    if all(of_query == list(range(1, len(of_query) + 1)) for of_query in ranks):
        return "msmarco"
    raise UsageError(
        f"{path}: the last column could be scores or ranks; name --format tevatron (scores) or --format msmarco (ranks)"
    )


def _head(path: Path) -> bytes:
    """Return the first line that is not a comment."""
    refuse_no_file(path)
    try:
        with path.open("rb") as stored:
            found = lines_of(stored, str(path), packed=path.suffix == ".gz")
            lines = (line.removeprefix(b"\xef\xbb\xbf").strip() for line in found)
            return next((line for line in lines if line and not line.startswith(b"#")), b"")
    except UNREADABLE as error:
        kind = class_of(error, DataError)
        raise kind(f"{path}: cannot be read ({reason_of(error)}); fetch or write the file again") from None

"""Read and write TREC run files, `query Q0 document rank score tag`. Scores decide the order; the rank column does not.
The tag may be missing or have several words."""

from __future__ import annotations

import math
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.errors import DataError, class_of
from harness.data.arrow import rows_of, strings
from harness.data.collection import Collection
from harness.data.runs import Run, build
from harness.data.sources.dirt import Dirt, shown
from harness.data.unpacked import UNREADABLE, lines_of, reason_of
from harness.data.written_numbers import is_number
from harness.workspace import write_atomically

_BEYOND = 3.4028235677973366e38
"""The smallest score that is rounded to infinity in float32, which trec_eval compares scores in."""
_WHOLE = re.compile(r"[+-]?[0-9]+")


class RunLine(NamedTuple):
    """A scored document of a query, as written in a file."""

    query: str
    document: str
    score: float
    line: int | None = None
    """None if the format has no lines."""

    def place(self, path: Path) -> str:
        """Where it is in the file, for error messages."""
        return f"{path}:{self.line}" if self.line else f"{path}: query '{self.query}', document '{self.document}'"


def read_run(path: Path, collection: Collection) -> Run:
    """Read a run file for a collection. Lines of queries that the collection does not have are left out.

    Raises:
        DataError: there is no such file; a line is broken; a query lists a document twice; a score is not a number; no
            query is in the collection; or a document is not in the corpus. If the collection allows
            `unknown-documents`, these lines are left out and counted instead.
    """
    return run_of(path, trec_lines(path, set(collection.queries.ids())), collection)


def run_of(path: Path, lines: Iterable[RunLine], collection: Collection) -> Run:
    """Make a run from the lines of a file of any format.

    Raises:
        DataError: as `read_run`.
    """
    rows = {name: row for row, name in enumerate(collection.queries.ids())}
    scored = _scores(path, lines, rows)
    if not scored:
        raise DataError(f"{path}: none of its queries is in {collection.name}; is it the run of another split?")
    queries = np.fromiter((query for query, _ in scored), np.int64, len(scored))
    names = [document for _, document in scored]
    documents = _rows_of(names, collection)
    scores = np.fromiter(scored.values(), np.float64, len(scored))
    if (missing := np.flatnonzero(documents < 0)).size:
        _refuse_outside(path, missing.size, names[missing[0]], collection, everything=missing.size == len(names))
    inside = documents >= 0
    queries, documents, scores = queries[inside], documents[inside], scores[inside]
    order = np.argsort(queries, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(queries, minlength=len(rows)))])
    run = build(offsets, documents[order], scores[order], collection.corpus.ids)
    return replace(run, outside=(int(missing.size), len(names)))


def _refuse_outside(path: Path, count: int, first: str, collection: Collection, *, everything: bool) -> None:
    lines = "1 line names a document" if count == 1 else f"{count:,} lines name documents"
    message = f"{path}: {lines} that {collection.name} lacks, first '{first}'"
    if everything:
        raise DataError(f"{message}, and no line names a document that it has; is it the run of another collection?")
    Dirt(collection.rules.allow, "candidates").meet("unknown-documents", message)


def write_run(path: Path, run: Run, collection: Collection, tag: str) -> None:
    """Write a run file atomically, in trec_eval's order, with all float32 digits of the scores."""
    order = run.order()
    ranks = np.arange(len(order)) - np.repeat(run.offsets[:-1], np.diff(run.offsets)) + 1
    query_ids = collection.queries.ids()
    document_ids = collection.corpus.ids(run.documents[order])
    label = "-".join(tag.split()) or "run"
    with write_atomically(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as file:
        for query, name, rank, score in zip(run.queries[order], document_ids, ranks, run.scores[order], strict=True):
            file.write(f"{query_ids[query]} Q0 {name} {rank} {score!s} {label}\n")


def trec_lines(path: Path, known: Container[str] = ()) -> Iterator[RunLine]:
    """The lines of a TREC run. A line that begins with '#' is a comment, unless its first word is in `known`, the query
    ids of the collection."""
    for number, fields in numbered(path):
        if fields[0].startswith("#") and fields[0] not in known:
            continue
        if len(fields) != 6 and not _is_run_line(fields):
            raise DataError(
                f"{path}:{number}: expected 6 columns 'query Q0 document rank score tag', found {len(fields)}; ids "
                "cannot have spaces, and only the tag may be left out"
            )
        yield RunLine(fields[0], fields[2], number_in(path, number, fields[4]), number)


def _is_run_line(fields: list[str]) -> bool:
    """Whether a line without a tag, or with a tag of several words, has a rank and a score in their columns."""
    return len(fields) >= 5 and _WHOLE.fullmatch(fields[3]) is not None and is_number(fields[4])


def numbered(path: Path, split: Callable[[bytes], list[bytes]] = bytes.split) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the columns of every line that is not blank. Only ASCII white space divides columns, as in
    trec_eval. A byte order mark at the start of a line is dropped: concatenated files have several."""
    if not path.is_file():
        raise DataError(f"no run file at {path}")
    number = 0
    with path.open("rb") as stored:
        try:
            for number, line in enumerate(lines_of(stored, str(path), packed=path.suffix == ".gz"), 1):
                if fields := split(line.removeprefix(BOM_UTF8)):
                    yield number, [field.decode() for field in fields]
        except UnicodeDecodeError as error:
            raise DataError(f"{path}:{number}: not UTF-8 ({error.reason}); write the file again") from None
        except UNREADABLE as error:
            kind, reason = class_of(error, DataError), reason_of(error)
            raise kind(f"{path}:{number + 1}: cannot be read further ({reason}); fetch or write it again") from None


def _scores(path: Path, lines: Iterable[RunLine], queries: dict[str, int]) -> dict[tuple[int, str], float]:
    scores: dict[tuple[int, str], float] = {}
    for line in lines:
        query = queries.get(line.query)
        if query is None:
            continue
        if (query, line.document) in scores:
            raise DataError(
                f"{line.place(path)}: document '{line.document}' is listed twice for query '{line.query}'; "
                "a run lists each document once"
            )
        if abs(line.score) >= _BEYOND:
            raise DataError(
                f"{line.place(path)}: the score {line.score:g} is not finite as float32, in which scores are compared; "
                "write smaller ones"
            )
        scores[query, line.document] = line.score
    return scores


def number_in(path: Path, number: int, text: str) -> float:
    """Parse the score of a line.

    Raises:
        DataError: the score is not a finite number.
    """
    if not is_number(text):
        raise DataError(f"{path}:{number}: the score {shown(text)} is not a number; write digits, as in 0.25 or -1e-3")
    score = float(text)
    if not math.isfinite(score):
        raise DataError(f"{path}:{number}: the score is {text[:80]}; a run needs finite scores")
    return score


def _rows_of(names: list[str], collection: Collection) -> np.typing.NDArray[np.int64]:
    column = collection.corpus.id_column
    wanted = strings(sorted(set(names)), column.type)
    rows = np.full(len(wanted), -1, np.int64)
    start = 0
    for chunk in column.chunks:
        found = rows_of(chunk, wanted)
        rows[found[found >= 0]] = np.flatnonzero(found >= 0) + start
        start += len(chunk)
    index = {name: int(rows[i]) for i, name in enumerate(wanted.to_pylist())}
    return np.fromiter((index[name] for name in names), np.int64, len(names))

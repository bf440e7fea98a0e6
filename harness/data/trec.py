"""Read and write TREC run files, `query Q0 document rank score tag`. Scores decide the order; the rank column does not.
The tag may be missing, or have several words if it has as many in every line."""

from __future__ import annotations

import math
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from adapters.errors import DataError, class_of
from harness.data.arrow import booleans, integers, strings, to_numpy
from harness.data.collection import Collection
from harness.data.id_rows import byte_order, find_rows, stretches
from harness.data.runs import SHOWN_UNKNOWN, Run, UnknownQueries
from harness.data.sources.dirt import Dirt, shown
from harness.data.trec_blocks import Irregular, blocks, may_differ
from harness.data.unpacked import UNREADABLE, lines_of, reason_of, refuse_no_file
from harness.data.written_numbers import is_number
from harness.workspace import write_atomically

_BEYOND = 3.4028235677973366e38
"""The smallest score that is rounded to infinity in float32, which trec_eval compares scores in."""
_WHOLE = re.compile(r"[+-]?[0-9]+")
_TAG = 5
"""The column of the first word of the tag, from 0."""
_ITERATIONS = ("Q0", "q0", "0")
"""The usual second columns."""


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


@dataclass(frozen=True)
class _Scored:
    """The lines of a run whose queries the collection has, in the order of the file."""

    queries: npt.NDArray[np.int64]
    """The row of the query in the collection, for every line."""
    documents: pa.ChunkedArray
    scores: npt.NDArray[np.float64]
    unknown_queries: UnknownQueries


def read_run(path: Path, collection: Collection) -> Run:
    """Read a run file for a collection. Lines of queries that the collection does not have are left out and counted.

    Raises:
        DataError: there is no such file; a line is broken; a query lists a document twice; a score is not a number; no
            query is in the collection; or a document is not in the corpus. If the collection allows
            `unknown-documents`, these lines are left out and counted instead.
    """
    queries = collection.queries.ids()
    try:
        return _run(path, _in_blocks(path, queries), collection)
    except Irregular:
        return run_of(path, trec_lines(path, set(queries)), collection)


def run_of(path: Path, lines: Iterable[RunLine], collection: Collection) -> Run:
    """Make a run from the lines of a file of any format.

    Raises:
        DataError: as `read_run`.
    """
    return _run(path, _one_by_one(path, lines, collection.queries.ids()), collection)


def _run(path: Path, scored: _Scored, collection: Collection) -> Run:
    """Make a run of the lines.

    Raises:
        Irregular: a query lists a document twice.
        DataError: as `read_run`.
    """
    if not len(scored.queries) and not scored.unknown_queries.lines:
        raise DataError(f"{path}: the file is empty, or has only comments; write the run again")
    if not len(scored.queries):
        raise DataError(f"{path}: none of its queries is in {collection.name}; is it the run of another split?")
    column = collection.corpus.id_column
    queries, documents, scores = scored.queries, find_rows(column, scored.documents), scored.scores.astype(np.float32)
    outside = np.flatnonzero(documents < 0)
    if _has_repeats(queries, documents, len(column), scored.documents):
        raise Irregular("a document is listed twice")
    if len(outside):
        first = scored.documents[int(outside[0])].as_py()
        _refuse_outside(path, len(outside), first, collection, everything=len(outside) == len(documents))
        inside = documents >= 0
        queries, documents, scores = queries[inside], documents[inside], scores[inside]
    if (queries[1:] < queries[:-1]).any():
        order = np.argsort(queries, kind="stable")
        queries, documents, scores = queries[order], documents[order], scores[order]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(queries, minlength=len(collection.queries)))])
    places = _places(column, documents)
    return Run(offsets, documents, scores, places, (len(outside), len(scored.queries)), scored.unknown_queries)


def _has_repeats(
    queries: npt.NDArray[np.int64], documents: npt.NDArray[np.int32], size: int, names: pa.ChunkedArray
) -> bool:
    """Whether a query lists a document twice.

    Args:
        documents: rows of the corpus; below 0 for a document that it lacks.
        size: the number of documents in the corpus.
    """
    pairs = queries << 32 | documents
    if (documents < 0).any():
        outside = documents < 0
        coded = pc.dictionary_encode(names.filter(booleans(outside))).chunks
        codes = np.concatenate([to_numpy(chunk.indices) for chunk in coded]).astype(np.int64)
        pairs[outside] = queries[outside] << 32 | (size + codes)
    pairs.sort()
    return bool((pairs[1:] == pairs[:-1]).any())


def _places(column: pa.ChunkedArray, documents: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The place of the id of each document among the different ids of the run in byte order."""
    there = np.zeros(len(column), bool)
    there[documents] = True
    rows = np.flatnonzero(there)
    places = np.empty(len(column), np.int32)
    places[rows[byte_order(column.take(integers(rows)))]] = np.arange(len(rows), dtype=np.int32)
    return places[documents]


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
    width = None
    for number, fields in numbered(path):
        if fields[0].startswith("#") and fields[0] not in known:
            continue
        if len(fields) != 6 and not _is_run_line(fields):
            raise DataError(
                f"{path}:{number}: expected 6 columns 'query Q0 document rank score tag', found {len(fields)}; ids "
                "cannot have spaces, and only the tag may be left out"
            )
        width = width or len(fields)
        if max(width, len(fields)) > _TAG + 1:
            _refuse_two_lines(f"{path}:{number}", fields, width)
        yield RunLine(fields[0], fields[2], number_in(path, number, fields[4]), number)


def _refuse_two_lines(where: str, fields: list[str], first: int) -> None:
    """Refuse a line that may hold two, because a file was appended to one without a newline at its end.

    Args:
        first: the number of columns of the first line.
    """
    starts = range(_TAG, len(fields) - 3)
    if any(fields[at] in (fields[1], *_ITERATIONS) and _is_run_line(fields[at - 1 :]) for at in starts):
        raise DataError(f"{where}: two lines of a run with no newline between them; write each on its own line")
    if not may_differ(first, len(fields)):
        raise DataError(
            f"{where}: {len(fields)} columns, but {first} in the first line; a newline may be missing, and a tag of "
            "several words needs as many in every line"
        )


def _is_run_line(fields: list[str]) -> bool:
    """Whether a line without a tag, or with a tag of several words, has a rank and a score in their columns."""
    return len(fields) >= 5 and _WHOLE.fullmatch(fields[3]) is not None and is_number(fields[4])


def numbered(path: Path, split: Callable[[bytes], list[bytes]] = bytes.split) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the columns of every line that is not blank. Only ASCII white space divides columns, as in
    trec_eval. A byte order mark at the start of a line is dropped: concatenated files have several."""
    refuse_no_file(path, "run file")
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


def _in_blocks(path: Path, query_ids: list[str]) -> _Scored:
    """Read a file that is well formed.

    Raises:
        Irregular: it is not, or a score is too large.
    """
    ids, lengths, documents, scores = [], [], [], []
    for block in blocks(path, set(query_ids)):
        starts = stretches(block.queries)
        ids += block.queries.take(integers(starts)).chunks
        lengths.append(np.diff(starts, append=len(block.queries)))
        documents += block.documents.chunks
        scores.append(block.scores)
    named = pa.chunked_array(ids, pa.string())
    found = find_rows(pa.chunked_array([strings(query_ids)]), named)
    queries = np.repeat(found.astype(np.int64), np.concatenate([np.empty(0, np.int64), *lengths]))
    read = _Scored(
        queries, pa.chunked_array(documents, pa.string()), np.concatenate([np.empty(0), *scores]), UnknownQueries()
    )
    if (found < 0).any():
        read = _without_strangers(read, named.filter(booleans(found < 0)))
    if len(read.scores) and max(read.scores.max(), -read.scores.min()) >= _BEYOND:
        raise Irregular("a score is too large")
    return read


def _without_strangers(read: _Scored, strange: pa.ChunkedArray) -> _Scored:
    """Leave out the lines whose query is below 0.

    Args:
        strange: their queries, in the order of the file.
    """
    kept = read.queries >= 0
    examples = pc.unique(strange)[:SHOWN_UNKNOWN].to_pylist()
    unknown_queries = UnknownQueries().and_more(int((~kept).sum()), examples)
    return _Scored(read.queries[kept], read.documents.filter(booleans(kept)), read.scores[kept], unknown_queries)


def _one_by_one(path: Path, lines: Iterable[RunLine], query_ids: list[str]) -> _Scored:
    rows = {name: row for row, name in enumerate(query_ids)}
    scores: dict[tuple[int, str], float] = {}
    unknown_queries = UnknownQueries()
    for line in lines:
        query = rows.get(line.query)
        if query is None:
            unknown_queries = unknown_queries.and_more(1, [line.query])
            continue
        _refuse_scored(path, line, known=(query, line.document) in scores)
        scores[query, line.document] = line.score
    queries = np.fromiter((query for query, _ in scores), np.int64, len(scores))
    documents = pa.chunked_array([strings([document for _, document in scores])])
    return _Scored(queries, documents, np.fromiter(scores.values(), np.float64, len(scores)), unknown_queries)


def _refuse_scored(path: Path, line: RunLine, *, known: bool) -> None:
    if known:
        raise DataError(
            f"{line.place(path)}: document '{line.document}' is listed twice for query '{line.query}'; "
            "a run lists each document once"
        )
    if abs(line.score) >= _BEYOND:
        raise DataError(
            f"{line.place(path)}: the score {line.score:g} is not finite as float32, in which scores are compared; "
            "write smaller ones"
        )


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

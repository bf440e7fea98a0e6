"""TREC run files, `query Q0 document rank score tag`, in and out. Scores decide the order, never the rank column."""

from __future__ import annotations

import gzip
import math
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adapters.errors import DataError
from harness.data.collection import Collection
from harness.data.runs import Run, build
from harness.workspace import write_atomically


class RunLine(NamedTuple):
    """One scored document of a query, as a file has it."""

    query: str
    document: str
    score: float
    line: int | None = None
    """None where the format has no lines."""

    def place(self, path: Path) -> str:
        """Where it stands, for an error."""
        return f"{path}:{self.line}" if self.line else f"{path}: query '{self.query}', document '{self.document}'"


def read_run(path: Path, collection: Collection) -> Run:
    """Read a run file for a collection. Lines of queries that the collection does not have are left out.

    Raises:
        DataError: no such file, a broken line, a document that stands twice for a query or is not in the corpus, a
            score that is not a number, or no query in common with the collection.
    """
    return run_of(path, trec_lines(path, set(collection.queries.ids())), collection)


def run_of(path: Path, lines: Iterable[RunLine], collection: Collection) -> Run:
    """The run that the lines of a file are, whatever its format.

    Raises:
        DataError: as `read_run`.
    """
    rows = {name: row for row, name in enumerate(collection.queries.ids())}
    found = _scores(path, lines, rows)
    if not found:
        raise DataError(f"{path}: none of its queries is in {collection.name}; is it the run of another split?")
    queries = np.fromiter((query for query, _ in found), np.int64, len(found))
    names = [document for _, document in found]
    documents = _rows_of(names, collection)
    if (missing := np.flatnonzero(documents < 0)).size:
        name = names[missing[0]]
        raise DataError(f"{path}: {missing.size} lines name documents that {collection.name} lacks, first '{name}'")
    order = np.argsort(queries, kind="stable")
    scores = np.fromiter(found.values(), np.float64, len(found))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(queries, minlength=len(rows)))])
    return build(offsets, documents[order], scores[order], collection.corpus.ids)


def write_run(path: Path, run: Run, collection: Collection, tag: str) -> None:
    """Write a run file, whole or not at all, in trec_eval's own order, scores with all their float32 digits."""
    order = run.order()
    ranks = np.arange(len(order)) - np.repeat(run.offsets[:-1], np.diff(run.offsets)) + 1
    query_ids = collection.queries.ids()
    document_ids = collection.corpus.ids(run.documents[order])
    label = "-".join(tag.split()) or "run"
    with write_atomically(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as file:
        for query, name, rank, score in zip(run.queries[order], document_ids, ranks, run.scores[order], strict=True):
            file.write(f"{query_ids[query]} Q0 {name} {rank} {score!s} {label}\n")


def trec_lines(path: Path, known: Container[str] = ()) -> Iterator[RunLine]:
    """The lines of a TREC run. One that begins with '#' is a comment, unless `known` says that a query is called so."""
    for number, fields in numbered(path):
        if fields[0].startswith("#") and fields[0] not in known:
            continue
        if len(fields) != 6:
            raise DataError(
                f"{path}:{number}: expected 6 columns 'query Q0 document rank score tag', found {len(fields)}"
            )
        yield RunLine(fields[0], fields[2], number_in(path, number, fields[4]), number)


def numbered(path: Path, split: Callable[[bytes], list[bytes]] = bytes.split) -> Iterator[tuple[int, list[str]]]:
    """The columns of every line that has any; only ASCII space divides them, as in trec_eval. A byte order mark at the
    start of a line is no part of it: files that were put together have several."""
    if not path.is_file():
        raise DataError(f"no run file at {path}")
    number = 0
    with opened(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if fields := split(line.removeprefix(BOM_UTF8)):
                    yield number, [field.decode() for field in fields]
        except UnicodeDecodeError as error:
            raise DataError(f"{path}:{number}: not UTF-8 ({error.reason}); write the file anew") from None
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"{path}:{number + 1}: cannot be read on ({error}); fetch or write it anew") from None


def _scores(path: Path, lines: Iterable[RunLine], queries: dict[str, int]) -> dict[tuple[int, str], float]:
    found: dict[tuple[int, str], float] = {}
    for one in lines:
        query = queries.get(one.query)
        if query is None:
            continue
        if (query, one.document) in found:
            raise DataError(
                f"{one.place(path)}: document '{one.document}' stands twice for query '{one.query}'; "
                "a run lists each document once"
            )
        found[query, one.document] = one.score
    return found


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where its name ends in .gz."""
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def number_in(path: Path, number: int, text: str) -> float:
    """The score that stands in a line.

    Raises:
        DataError: it is no finite number.
    """
    try:
        score = float(text)
    except ValueError:
        raise DataError(f"{path}:{number}: the score '{text}' is not a number") from None
    if not math.isfinite(score):
        raise DataError(f"{path}:{number}: the score is {text}; a run needs finite scores")
    return score


def _rows_of(names: list[str], collection: Collection) -> np.typing.NDArray[np.int64]:
    column = collection.corpus.table["id"]
    wanted = pa.array(sorted(set(names)), type=column.type)
    rows = np.full(len(wanted), -1, np.int64)
    start = 0
    for chunk in column.chunks:
        hit = pc.index_in(chunk, value_set=wanted)
        valid = np.flatnonzero(hit.is_valid().to_numpy(zero_copy_only=False))
        rows[hit.drop_null().to_numpy()] = valid + start
        start += len(chunk)
    index = {name: int(rows[i]) for i, name in enumerate(wanted.to_pylist())}
    return np.fromiter((index[name] for name in names), np.int64, len(names))

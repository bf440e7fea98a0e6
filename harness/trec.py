"""TREC run files, `query Q0 document rank score tag`, in and out. Scores decide the order, never the rank column."""

from __future__ import annotations

import gzip
import math
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adapters.errors import DataError
from harness.collection import Collection
from harness.runs import Run, build


def read_run(path: Path, collection: Collection) -> Run:
    """Read a run file for a collection. Lines of queries that the collection does not have are left out.

    Raises:
        DataError: no such file, a broken line, a document that stands twice for a query or is not in the corpus, a
            score that is not a number, or no query in common with the collection.
    """
    rows = {name: row for row, name in enumerate(collection.queries.ids())}
    found = _lines(path, rows)
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
    """Write a run file in trec_eval's own order, scores with all their float32 digits."""
    order = run.order()
    ranks = np.arange(len(order)) - np.repeat(run.offsets[:-1], np.diff(run.offsets)) + 1
    query_ids = collection.queries.ids()
    document_ids = collection.corpus.ids(run.documents[order])
    label = "-".join(tag.split()) or "run"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for query, name, rank, score in zip(run.queries[order], document_ids, ranks, run.scores[order], strict=True):
            file.write(f"{query_ids[query]} Q0 {name} {rank} {score!s} {label}\n")


def _lines(path: Path, queries: dict[str, int]) -> dict[tuple[int, str], float]:
    found: dict[tuple[int, str], float] = {}
    for number, fields in _numbered(path):
        query = queries.get(fields[0])
        if query is None and fields[0].startswith("#"):
            continue
        if len(fields) != 6:
            raise DataError(
                f"{path}:{number}: expected 6 columns 'query Q0 document rank score tag', found {len(fields)}"
            )
        document, score = fields[2], _score(path, number, fields[4])
        if query is None:
            continue
        if (query, document) in found:
            raise DataError(
                f"{path}:{number}: document '{document}' stands twice for query '{fields[0]}'; "
                "a run lists each document once"
            )
        found[query, document] = score
    return found


def _numbered(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The columns of every line that has any; only ASCII space divides them, as in trec_eval."""
    if not path.is_file():
        raise DataError(f"no run file at {path}")
    number = 0
    with _open(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if fields := (line.removeprefix(BOM_UTF8) if number == 1 else line).split():
                    yield number, [field.decode() for field in fields]
        except UnicodeDecodeError as error:
            raise DataError(f"{path}:{number}: not UTF-8 ({error.reason}); write the file anew") from None
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"{path}:{number + 1}: cannot be read on ({error}); fetch or write it anew") from None


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _score(path: Path, number: int, text: str) -> float:
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

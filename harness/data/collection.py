"""A collection: what is searched, what is asked, and what was judged, as columns that never become dicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from adapters.errors import UsageError
from adapters.identity import Digests, digest
from harness.data.as_published import AsPublished
from harness.data.qrels import Qrels, Rows

KnownBy = Literal["option", "declared", "detected"]
"""How it is known whether a collection belongs to a parallel set."""
ORIGINAL, CHANGED = "-og", "-changed"
"""Ends of the ids of a query that is asked twice, the second time with a changed instruction (FollowIR)."""


class Texts(Sequence[str]):
    """Identified texts in Arrow columns (`id`, `text`, `digest`), memory-mapped for a corpus. Indexing gives texts."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return list(self.table["text"].slice(start, max(stop - start, 0)).to_pylist())
            return self.take(np.arange(start, stop, step))
        return str(self.table["text"][int(index)].as_py())

    def __iter__(self) -> Iterator[str]:
        for chunk in self.table["text"].chunks:
            for start in range(0, len(chunk), 1024):
                yield from chunk.slice(start, 1024).to_pylist()

    def take(self, rows: npt.NDArray[np.integer]) -> list[str]:
        """The texts of some rows."""
        return _some(self.table["text"], rows)

    def ids(self, rows: npt.NDArray[np.integer] | None = None) -> list[str]:
        """The ids of some rows, or of all."""
        column = self.table["id"]
        return list(column.to_pylist()) if rows is None else _some(column, rows)

    @cached_property
    def digests(self) -> Digests:
        """128-bit digests of the texts, shape [n, 2]."""
        parts = [
            np.frombuffer(chunk.buffers()[1], dtype="<u8").reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]
            for chunk in self.table["digest"].chunks
        ]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, 2), "<u8"), *parts])


def _some(column: pa.ChunkedArray, rows: npt.NDArray[np.integer]) -> list[str]:
    # `take` on a column of several chunks copies the whole column into memory first.
    return [column[row].as_py() for row in rows.tolist()]


@dataclass(frozen=True)
class GivenCandidates:
    """The candidate lists that a reranking set brings with it: documents[offsets[q]:offsets[q + 1]] for query q."""

    offsets: npt.NDArray[np.int64]
    documents: Rows


@dataclass(frozen=True)
class Changes:
    """Questions that stand twice among the queries, as `<question>-og` and `<question>-changed`, each with the
    documents that its changed instruction makes irrelevant: documents[offsets[i]:offsets[i + 1]] for question i."""

    questions: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]
    """Rows of the corpus; -1 for a document that it does not have. One that stands twice counts twice, as in mteb."""

    def by_question(self) -> dict[str, npt.NDArray[np.int64]]:
        """The rows of each question."""
        starts, ends = self.offsets[:-1], self.offsets[1:]
        return {name: self.documents[start:end] for name, start, end in zip(self.questions, starts, ends, strict=True)}


@dataclass(frozen=True)
class Rules:
    """What is declared for a collection rather than read from it."""

    instruction: str | None = None
    first_stage_instruction: str | None = None
    """What an instructed first stage is told where there is no `instruction`; rerankers keep their own default."""
    main_measure: str = "nDCG@10"
    drop_identical_ids: bool = False
    """Remove the document that has the query's own id from its candidates (ArguAna, Quora)."""
    allow: tuple[str, ...] = ()
    """Names of known dirt that is let through, counted and shown; see `harness.data.sources.dirt`."""
    note: str | None = None
    """What a reader has to know of the collection; shown wherever its numbers are."""


@dataclass(frozen=True)
class Counts:
    """What was found while reading; every number is shown to the user."""

    documents: int
    queries: int
    """Queries with at least one judgment: the denominator."""
    judgments: int
    judged_zero: int
    empty_documents: int
    duplicate_texts: int
    """Documents whose text another document already has."""
    queries_without_relevant: int
    """Judged queries that no document of the corpus is relevant to; they count, with the value 0, as in trec_eval."""
    queries_without_judgments: int
    """Queries of the file that the split does not judge; they do not count."""
    let_through: dict[str, int] = field(default_factory=dict)
    """Known dirt that a declared rule let through, by name."""
    empty_queries: int = 0
    repeated_candidates: int = 0
    """Texts that one reranking row lists more than once with the same label; they are one candidate."""
    queries_all_relevant: int = 0
    """Queries whose given candidates are all relevant: no order of them is wrong."""
    missing_judgments: int = 0
    """Judgments of documents that the corpus lacks; they are among `judgments`."""
    missing_documents: int = 0
    """The documents that these judgments name, each once."""
    shares: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Of each rule in `let_through` and each file: `[what was let through, lines of the file]`."""


@dataclass(frozen=True)
class Collection:
    """One collection, one split, one language."""

    name: str
    split: str
    language: str | None
    corpus: Texts
    queries: Texts
    qrels: Qrels
    given: GivenCandidates | None
    rules: Rules
    counts: Counts
    fingerprint: str
    """Digest of the content: ids, texts, judgments, candidate lists, rules that change a number. Not of the name."""
    sampled_from: int | None = None
    """The number of queries before some were taken."""
    part_of: str | None = None
    """The fingerprint of the whole collection where this is some of its queries."""
    group: str | None = None
    """Collections of one group are averaged first and count as one in a macro average."""
    changes: Changes | None = None
    """What p-MRR compares; None where no query is asked twice."""
    published: AsPublished | None = None
    """The judgments of the whole collection as their source has them; None for a collection that was made in memory."""
    detected_language: str | None = None
    """What a sample of the texts is written in; see `harness.data.detection`. None where `language` is declared, and
    where no language is clear enough."""
    language_sought: bool = True
    """False where no language is declared and nobody could look: the package that detects one is not installed."""
    parallel: str | None = None
    """The name of the parallel set whose questions its queries ask; None where they are questions of their own. In one
    set, queries with one id are one question. It is part of no fingerprint; see `harness.data.parallel`."""
    parallel_by: KnownBy | None = None
    """How `parallel` is known; None where nothing is, and then `parallel` is None too."""
    same_ids: tuple[str, int] | None = None
    """Where nothing is known: the collection of the same set that has many of its query ids too, and how many."""

    @property
    def spoken(self) -> str | None:
        """The language that its terms are cut for: the declared one, else the detected one."""
        return self.language or self.detected_language


def changes_of(documents: Mapping[str, Sequence[int] | npt.NDArray[np.int64]]) -> Changes:
    """The changes of the rows of each question's documents; a question without any is left out, as mteb does it."""
    kept = {name: np.asarray(rows, np.int64) for name, rows in documents.items() if len(rows)}
    offsets = np.cumsum([0, *map(len, kept.values())]).astype(np.int64)
    return Changes(tuple(kept), offsets, np.concatenate([np.empty(0, np.int64), *kept.values()]))


def sample_queries(collection: Collection, n: int, seed: int = 0) -> Collection:
    """The collection with `n` of its queries, chosen by a hash of the query id: the order of the file does not matter,
    and a larger sample of the same seed holds the smaller one. With `n` at or above all queries nothing changes. Of a
    collection with changes whole questions are taken: as many as have `n` queries, and at least one.

    Raises:
        UsageError: `n` is below 1.
    """
    if n < 1:
        raise UsageError(f"a sample of {n} queries measures nothing; take at least 1")
    if n >= len(collection.queries):
        return collection
    return with_queries(collection, sampled_rows(collection, n, seed))


def with_queries(collection: Collection, rows: npt.NDArray[np.int64]) -> Collection:
    """The collection with only these rows of its queries, in their old order. The corpus stays whole; the fingerprint
    is the whole collection's with the ids of the queries, so the same part of the same content is the same value."""
    ids = collection.queries.ids()
    chosen = np.unique(rows)
    if len(chosen) == len(ids):
        return collection
    given = collection.given and _sampled_given(collection.given, chosen)
    queries = Texts(collection.queries.table.take(pa.array(chosen)))
    qrels = _sampled_qrels(collection.qrels, chosen, len(ids))
    whole = collection.part_of or collection.fingerprint
    return replace(
        collection,
        queries=queries,
        qrels=qrels,
        given=given,
        changes=collection.changes and _sampled_changes(collection.changes, queries),
        counts=replace(collection.counts, **counts_of_queries(queries, qrels, given), **counts_of_missing(qrels)),
        fingerprint=digest({"collection": whole, "queries": [ids[row] for row in chosen]}),
        sampled_from=collection.sampled_from or len(ids),
        part_of=whole,
    )


def sampled_rows(collection: Collection, n: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """The rows of the queries that a sample of `n` takes."""
    ids = collection.queries.ids()
    if collection.changes is None or n >= len(ids):
        return sampling_order(ids, seed)[:n]
    questions = [question_of(name) for name in ids]
    order = sampling_order(questions, seed)
    sizes = Counter(questions)
    ends = np.cumsum([sizes[name] for name in dict.fromkeys(questions[row] for row in order)])
    return order[: max(ends[0], int(ends[ends <= n].max(initial=0)))]


def question_of(query_id: str) -> str:
    """A query id without the end that tells the original query from the changed one."""
    return query_id.removesuffix(ORIGINAL).removesuffix(CHANGED)


def sampling_order(query_ids: Sequence[str], seed: int = 0) -> npt.NDArray[np.int64]:
    """All rows of the queries, in the order in which samples take them."""
    return np.array(sorted(range(len(query_ids)), key=lambda row: _lot(query_ids[row], seed)), np.int64)


def counts_of_queries(queries: Texts, qrels: Qrels, given: GivenCandidates | None) -> dict[str, Any]:
    """The fields of `Counts` that depend on which queries there are."""
    relevant = np.bincount(qrels.queries[qrels.grades > 0], minlength=len(queries))
    refused = np.bincount(qrels.queries[qrels.grades == 0], minlength=len(queries))
    return {
        "queries": len(queries),
        "empty_queries": sum(not text for text in queries),
        "judgments": len(qrels.all_grades),
        "judged_zero": int((qrels.all_grades == 0).sum()),
        "queries_without_relevant": int((relevant == 0).sum()),
        "queries_all_relevant": int((refused == 0).sum()) if given is not None else 0,
    }


def counts_of_missing(qrels: Qrels) -> dict[str, Any]:
    """The fields of `Counts` on judged documents that the corpus lacks."""
    return {"missing_judgments": len(qrels.missing), "missing_documents": len(set(qrels.missing.ids))}


def _lot(query_id: str, seed: int) -> bytes:
    return blake2b(f"{seed}:{query_id}".encode(), digest_size=16).digest()


def _sampled_qrels(qrels: Qrels, chosen: npt.NDArray[np.int64], queries: int) -> Qrels:
    new_row = np.full(queries, -1, np.int32)
    new_row[chosen] = np.arange(len(chosen))
    keep = new_row[qrels.queries] >= 0
    missing = qrels.missing.of(new_row)
    return Qrels(new_row[qrels.queries[keep]], qrels.documents[keep], qrels.grades[keep], missing)


def _sampled_changes(changes: Changes, queries: Texts) -> Changes:
    asked = {question_of(name) for name in queries.ids()}
    return changes_of({name: rows for name, rows in changes.by_question().items() if name in asked})


def _sampled_given(given: GivenCandidates, chosen: npt.NDArray[np.int64]) -> GivenCandidates:
    lists = [given.documents[given.offsets[row] : given.offsets[row + 1]] for row in chosen]
    offsets = np.concatenate([[0], np.cumsum([len(documents) for documents in lists])]).astype(np.int64)
    return GivenCandidates(offsets, np.concatenate(lists))

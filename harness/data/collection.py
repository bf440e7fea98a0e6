"""A collection: its documents, queries and judgments, as columns rather than dicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError
from adapters.identity import digest
from harness.data.as_published import AsPublished
from harness.data.qrels import Qrels, Rows
from harness.data.texts import Texts

KnownBy = Literal["option", "declared", "detected"]
"""How it is known whether a collection belongs to a parallel set."""
ORIGINAL, CHANGED = "-og", "-changed"
"""Suffixes of query ids in FollowIR's data: each question occurs with its original and with a changed instruction."""


@dataclass(frozen=True)
class GivenCandidates:
    """The candidate lists of a reranking set: documents[offsets[q]:offsets[q + 1]] for query q."""

    offsets: npt.NDArray[np.int64]
    documents: Rows


@dataclass(frozen=True)
class Changes:
    """Questions that are two queries each, `<question>-og` and `<question>-changed`, and the documents that the changed
    instruction makes irrelevant: documents[offsets[i]:offsets[i + 1]] for question i."""

    questions: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]
    """Rows of the corpus; -1 for a document that it lacks. A document that is listed twice counts twice, as in mteb."""

    def by_question(self) -> dict[str, npt.NDArray[np.int64]]:
        """The rows of each question."""
        starts, ends = self.offsets[:-1], self.offsets[1:]
        return {name: self.documents[start:end] for name, start, end in zip(self.questions, starts, ends, strict=True)}


@dataclass(frozen=True)
class Rules:
    """Settings of a collection that are declared, not read from its files."""

    instruction: str | None = None
    first_stage_instruction: str | None = None
    """The instruction for a first stage if `instruction` is None. Rerankers then use their own default."""
    main_measure: str = "nDCG@10"
    drop_identical_ids: bool = False
    """Remove the document with the query's id from its candidates (ArguAna, Quora)."""
    allow: tuple[str, ...] = ()
    """Names of known faults of the data that are let through, counted and shown; see `harness.data.sources.dirt`."""
    note: str | None = None
    """A remark on the collection, shown wherever its numbers are."""


@dataclass(frozen=True)
class Counts:
    """Counts from reading the files; every number is shown to the user."""

    documents: int
    queries: int
    """Queries with at least one judgment: the denominator of every mean."""
    judgments: int
    judged_zero: int
    empty_documents: int
    duplicate_texts: int
    """Documents with the same text as an earlier document."""
    queries_without_relevant: int
    """Judged queries without a relevant document in the corpus; they count with the value 0, as in trec_eval."""
    queries_without_judgments: int
    """Queries in the file without judgments in this split; they do not count."""
    let_through: dict[str, int] = field(default_factory=dict)
    """How often a declared rule let a known fault through, by the name of the rule."""
    empty_queries: int = 0
    repeated_candidates: int = 0
    """Texts that a reranking row lists more than once with the same label; each is one candidate."""
    queries_all_relevant: int = 0
    """Queries whose given candidates are all relevant, so that every order has the same value."""
    missing_judgments: int = 0
    """Judgments of documents that the corpus lacks; `judgments` includes them."""
    missing_documents: int = 0
    """Different documents that these judgments name."""
    shares: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """For each rule in `let_through` and each file: `[number let through, lines of the file]`."""


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
    """Digest of the content: ids, texts, judgments, candidate lists, rules that change a number. Not the name."""
    sampled_from: int | None = None
    """For a sample, the number of queries of the whole collection."""
    part_of: str | None = None
    """For a sample, the fingerprint of the whole collection."""
    labels_of: str | None = None
    """For a label version or a sample of one, the fingerprint of the published collection, which has the same queries
    and texts."""
    group: str | None = None
    """Collections of one group are averaged first and count as one in a macro average."""
    changes: Changes | None = None
    """The pairs of queries that p-MRR compares; None if the collection has none."""
    published: AsPublished | None = None
    """The judgments of the whole collection as their source has them; None for a collection made in memory."""
    detected_language: str | None = None
    """The language of a sample of the texts; see `harness.data.detection`. None if `language` is declared, or if no
    language is clear enough."""
    language_sought: bool = True
    """False if no language is declared and the package that detects one is not installed."""
    parallel: str | None = None
    """The name of the parallel set; None if the collection is in none. Queries with the same id in a parallel set are
    one question. The name is not part of the fingerprint; see `harness.data.parallel`."""
    parallel_by: KnownBy | None = None
    """How `parallel` is known; None if it is unknown, and then `parallel` is None too."""
    same_ids: tuple[str, int] | None = None
    """If `parallel` is unknown: another collection of the set that shares many query ids, and how many."""

    @property
    def spoken(self) -> str | None:
        """The language of the texts: the declared one, else the detected one."""
        return self.language or self.detected_language


def changes_of(documents: Mapping[str, Sequence[int] | npt.NDArray[np.int64]]) -> Changes:
    """Make `Changes` from the document rows of each question. Questions without documents are left out, as in mteb."""
    kept = {name: np.asarray(rows, np.int64) for name, rows in documents.items() if len(rows)}
    offsets = np.cumsum([0, *map(len, kept.values())]).astype(np.int64)
    return Changes(tuple(kept), offsets, np.concatenate([np.empty(0, np.int64), *kept.values()]))


def sample_queries(collection: Collection, n: int, seed: int = 0) -> Collection:
    """Return the collection with `n` of its queries, chosen by a hash of the query id.

    The order of the file does not matter, and a larger sample with the same seed contains the smaller one. If `n` is at
    least the number of queries, the collection is returned unchanged. In a collection with `changes`, both queries of a
    question are kept together: the sample has at most `n` queries, but at least one question.

    Raises:
        UsageError: `n` is below 1.
    """
    if n < 1:
        raise UsageError(f"a sample of {n} queries measures nothing; take at least 1")
    if n >= len(collection.queries):
        return collection
    return with_queries(collection, sampled_rows(collection, n, seed))


def with_queries(collection: Collection, rows: npt.NDArray[np.int64]) -> Collection:
    """Return the collection with only these rows of its queries, in their old order. The corpus stays whole. The new
    fingerprint is a digest of the whole collection's fingerprint and the ids of the queries."""
    ids = collection.queries.ids()
    chosen = np.unique(rows)
    if len(chosen) == len(ids):
        return collection
    given = collection.given and _sampled_given(collection.given, chosen)
    queries = Texts.of(collection.queries.ids(chosen), collection.queries.take(chosen))
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
    """The rows of the queries in a sample of `n`."""
    ids = collection.queries.ids()
    if collection.changes is None or n >= len(ids):
        return sampling_order(ids, seed)[:n]
    questions = [question_of(name) for name in ids]
    order = sampling_order(questions, seed)
    sizes = Counter(questions)
    ends = np.cumsum([sizes[name] for name in dict.fromkeys(questions[row] for row in order)])
    return order[: max(ends[0], int(ends[ends <= n].max(initial=0)))]


def question_of(query_id: str) -> str:
    """A query id without the suffix of the original or the changed query."""
    return query_id.removesuffix(ORIGINAL).removesuffix(CHANGED)


def sampling_order(query_ids: Sequence[str], seed: int = 0) -> npt.NDArray[np.int64]:
    """All rows of the queries, in the order in which samples take them."""
    return np.array(sorted(range(len(query_ids)), key=lambda row: _sampling_key(query_ids[row], seed)), np.int64)


def counts_of_queries(queries: Texts, qrels: Qrels, given: GivenCandidates | None) -> dict[str, Any]:
    """The fields of `Counts` that depend on the queries."""
    relevant = np.bincount(qrels.queries[qrels.grades > 0], minlength=len(queries))
    refused = np.bincount(qrels.queries[qrels.grades == 0], minlength=len(queries))
    return {
        "queries": len(queries),
        "empty_queries": sum(not text.strip() for text in queries),
        "judgments": len(qrels.all_grades),
        "judged_zero": int((qrels.all_grades == 0).sum()),
        "queries_without_relevant": int((relevant == 0).sum()),
        "queries_all_relevant": int((refused == 0).sum()) if given is not None else 0,
    }


def counts_of_missing(qrels: Qrels) -> dict[str, Any]:
    """The fields of `Counts` on judged documents that the corpus lacks."""
    return {"missing_judgments": len(qrels.missing), "missing_documents": len(set(qrels.missing.ids))}


def _sampling_key(query_id: str, seed: int) -> bytes:
    return blake2b(f"{seed}:{query_id}".encode(), digest_size=16).digest()


def _sampled_qrels(qrels: Qrels, chosen: npt.NDArray[np.int64], queries: int) -> Qrels:
    new_row = np.full(queries, -1, np.int32)
    new_row[chosen] = np.arange(len(chosen))
    keep = new_row[qrels.queries] >= 0
    missing = qrels.missing.of(new_row)
    return Qrels(new_row[qrels.queries[keep]], qrels.documents[keep], qrels.grades[keep], missing)


def _sampled_changes(changes: Changes, queries: Texts) -> Changes:
    kept = {question_of(name) for name in queries.ids()}
    return changes_of({name: rows for name, rows in changes.by_question().items() if name in kept})


def _sampled_given(given: GivenCandidates, chosen: npt.NDArray[np.int64]) -> GivenCandidates:
    lists = [given.documents[given.offsets[row] : given.offsets[row + 1]] for row in chosen]
    offsets = np.concatenate([[0], np.cumsum([len(documents) for documents in lists])]).astype(np.int64)
    return GivenCandidates(offsets, np.concatenate(lists))

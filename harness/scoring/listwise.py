"""Listwise reranking: order the whole candidate list of a query. The ledger keeps the order, so a list is ordered once.

A position depends on the other candidates, so scores are not kept by pair: the key of a list is its query with all of
its documents in first-stage order. An output that is not a permutation is repaired, counted and reported.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import ModelError
from adapters.identity import Digests, digest, text_digest
from adapters.protocols import Floats, Identity, Integers, ListwiseReranker
from adapters.spec import identity_of
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.measuring.alarms.alarm import Alarm
from harness.scoring.ledger.store import Entries
from harness.scoring.session import Session

_FLUSH_SECONDS = 2.0
_VERSION = 1
_FAULTS = np.frombuffer(text_digest("listwise: faults of the output"), "<u8").reshape(1, 2)
"""An extra document of every list; its score is the number of faults."""


@dataclass(frozen=True)
class CandidateList:
    """The candidates of one query, in first-stage order; equal texts are one document."""

    query: int
    rows: Integers
    """Rows of the run."""
    documents: Integers
    """Rows of the corpus, one for each distinct text."""
    place: Integers
    """For each of `rows`, the index of its document in `documents`."""
    key: Digests
    """Digest of the query's text and of all documents' texts in their order, shape [1, 2]."""


@dataclass(frozen=True)
class Ordered:
    """A repaired output."""

    order: Integers
    """A permutation, best first."""
    missing: int
    """Documents that the output did not name; they are last, in first-stage order."""
    repeated: int
    """Documents that the output named again."""
    invalid: int
    """Entries that are not the number of a document."""

    @property
    def faults(self) -> int:
        """0 for a permutation."""
        return self.missing + self.repeated + self.invalid


@dataclass(frozen=True)
class Reordered:
    """A run in the order of the reranker."""

    run: Run
    """Scores are minus the position, from 0."""
    fresh: int
    """Candidates of lists that were ordered now, not known from the ledger."""
    seconds: float
    faulty: int
    """Lists whose output was not a permutation."""
    lists: int

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """`malformed-output`, with its counts."""
        if not self.faulty:
            return ()
        message = (
            f"{self.faulty} of {self.lists} outputs were not permutations of the list; the documents that they named "
            "keep that order"
        )
        return (Alarm("malformed-output", message),)


def listwise_identity(reranker: ListwiseReranker) -> Identity:
    """What the scores of a listwise reranker depend on, besides the lists."""
    return {"listwise": _VERSION, "order": dict(identity_of(reranker)), "lists": "first-stage order"}


def reorder(
    collection: Collection, candidates: Run, reranker: ListwiseReranker, session: Session, title: str
) -> Reordered:
    """Order the candidate lists that are not in the ledger.

    Raises:
        ModelError: more than half of the outputs are not permutations.
    """
    ledger, scorer = session.ledger, session.ledger.scorer(dict(listwise_identity(reranker)))
    lists = list(candidate_lists(collection, candidates))
    unknown = [each for each in lists if _known(collection, each, scorer, session) is None]
    if unknown:
        session.reporter.note(f"{title}: {len(unknown):,} of {len(lists):,} lists to order")
    started, faulty = time.perf_counter(), 0
    with session.reporter.stage(title, len(unknown)) as advance:
        for chunk in _chunks(collection, unknown, reranker):
            for candidate_list, ordered in chunk:
                entries = _entries(collection, candidate_list, ordered)
                ledger.record(scorer, candidate_list.key, *entries)
            faulty += sum(ordered.faults > 0 for _, ordered in chunk)
            _refuse(faulty, len(lists), title)
            advance(len(chunk))
    seconds = time.perf_counter() - started if unknown else 0.0
    scores, faulty = np.zeros(len(candidates), np.float32), 0
    for each in lists:
        known = _known(collection, each, scorer, session)
        if known is None:
            raise ModelError(f"{title}: a list came back without an order")
        scores[each.rows], faulty = known[:-1][each.place], faulty + bool(known[-1])
    _refuse(faulty, len(lists), title)
    fresh = sum(len(each.rows) for each in unknown)
    return Reordered(candidates.rescored(scores), fresh, seconds, faulty, len(lists))


def candidate_lists(collection: Collection, candidates: Run) -> Iterator[CandidateList]:
    """The lists of all queries that have candidates."""
    order = candidates.order()
    for query in range(len(candidates.offsets) - 1):
        rows = order[candidates.offsets[query] : candidates.offsets[query + 1]]
        if len(rows):
            documents = candidates.documents[rows].astype(np.int64)
            words = np.ascontiguousarray(collection.corpus.digests[documents]).view("V16").ravel()
            _, first, same = np.unique(words, return_index=True, return_inverse=True)
            by_rank = np.argsort(first)
            distinct = documents[first[by_rank]]
            key = _key(collection.queries.digests[query], collection.corpus.digests[distinct])
            yield CandidateList(query, rows, distinct, np.argsort(by_rank)[same], key)


def ordered(reranker: ListwiseReranker, query: str, documents: Sequence[str]) -> Ordered:
    """Call the reranker for a list, and repair an output that is not a permutation."""
    return mended(reranker.order(query, documents), len(documents))


def mended(output: object, count: int) -> Ordered:
    """Repair an output: the valid entries in their order, then the other documents in first-stage order."""
    numbers = [entry for entry in map(_whole, listed(output)) if entry is not None and 0 <= entry < count]
    named = list(dict.fromkeys(numbers))
    rest = sorted(set(range(count)) - set(named))
    invalid = len(listed(output)) - len(numbers)
    return Ordered(np.array(named + rest, np.int64), len(rest), len(numbers) - len(named), invalid)


def listed(output: object) -> list[object]:
    """The entries of an output. An output that is not a list is one invalid entry."""
    if isinstance(output, np.ndarray):
        return list(output.tolist()) if output.ndim == 1 else [None]
    return list(output) if isinstance(output, Sequence) and not isinstance(output, str | bytes) else [None]


def _whole(entry: object) -> int | None:
    return int(entry) if isinstance(entry, int | np.integer) and not isinstance(entry, bool) else None


def _key(query: Digests, documents: Digests) -> Digests:
    name = digest({"query": query.tobytes().hex(), "documents": documents.tobytes().hex()})
    return np.frombuffer(bytes.fromhex(name), "<u8").reshape(1, 2)


def _known(collection: Collection, candidates: CandidateList, scorer: int, session: Session) -> Floats | None:
    """Scores of the documents of a list, then the number of faults; None if the ledger lacks the list."""
    documents = np.concatenate([collection.corpus.digests[candidates.documents], _FAULTS])
    known, entries = session.ledger.known(scorer, candidates.key, documents, _pairs(len(documents)))
    return entries.score if known.all() else None


def _entries(collection: Collection, candidates: CandidateList, ordered: Ordered) -> tuple[Digests, Integers, Entries]:
    """The documents, pairs and scores that the ledger records for a list."""
    documents = np.concatenate([collection.corpus.digests[candidates.documents], _FAULTS])
    entries = Entries.unknown(len(documents))
    entries.score[ordered.order] = -np.arange(len(ordered.order), dtype=np.float32)
    entries.score[-1] = ordered.faults
    return documents, _pairs(len(documents)), entries


def _pairs(count: int) -> Integers:
    return np.stack([np.zeros(count, np.int64), np.arange(count)], axis=1)


def _chunks(
    collection: Collection, lists: Sequence[CandidateList], reranker: ListwiseReranker
) -> Iterator[list[tuple[CandidateList, Ordered]]]:
    """Yield the ordered lists of about two seconds at a time. Lists before an error are yielded before it is raised."""
    held: list[tuple[CandidateList, Ordered]] = []
    since = time.monotonic()
    try:
        for each in lists:
            documents = collection.corpus.take(each.documents)
            held.append((each, ordered(reranker, collection.queries[each.query], documents)))
            if time.monotonic() - since > _FLUSH_SECONDS:
                yield held
                held, since = [], time.monotonic()
    except (Exception, KeyboardInterrupt):
        if held:
            yield held
        raise
    if held:
        yield held


def _refuse(faulty: int, lists: int, title: str) -> None:
    if 2 * faulty > lists:
        raise ModelError(
            f"{title}: {faulty} of {lists} outputs are not permutations of the list; `order` has to return every "
            "number from 0 to len(documents) - 1 once, best first"
        )

"""Listwise reranking: a query's whole candidate list becomes an order, every list once, ever, through the ledger.

A position depends on the other candidates, so nothing is kept by pair: the key of a list is its query with all of its
documents in first-stage order. An output that is no permutation is mended, counted and told.
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
"""Stands beside the documents of a list: its score is the number of faults."""


@dataclass(frozen=True)
class CandidateList:
    """The candidates of one query, in first-stage order; equal texts are one document."""

    query: int
    rows: Integers
    """Rows of the run."""
    documents: Integers
    """Rows of the corpus, one for each distinct text."""
    place: Integers
    """For each of `rows`, its document among `documents`."""
    key: Digests
    """[1, 2]: digest of the query's text and of all the documents' texts in their order."""


@dataclass(frozen=True)
class Ordered:
    """A mended output."""

    order: Integers
    """A permutation, best first."""
    missing: int
    """Documents that the output did not name; they follow in first-stage order."""
    repeated: int
    invalid: int
    """Entries that are no whole number, or not one of a document."""

    @property
    def faults(self) -> int:
        """0 for a permutation."""
        return self.missing + self.repeated + self.invalid


@dataclass(frozen=True)
class Reordered:
    """A run in the order that the reranker gave."""

    run: Run
    """Scores are minus the position, from 0."""
    fresh: int
    """Candidates of lists that were ordered now."""
    seconds: float
    faulty: int
    """Lists whose output was no permutation."""
    lists: int

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """`malformed-output`, with its counts."""
        if not self.faulty:
            return ()
        told = f"{self.faulty} of {self.lists} outputs were no permutation of the list; what they named keeps its order"
        return (Alarm("malformed-output", told),)


def listwise_identity(reranker: ListwiseReranker) -> Identity:
    """What the scores of a listwise reranker depend on, beside the lists."""
    return {"listwise": _VERSION, "order": dict(identity_of(reranker)), "lists": "first-stage order"}


def reorder(
    collection: Collection, candidates: Run, reranker: ListwiseReranker, session: Session, title: str
) -> Reordered:
    """Order every candidate list that the ledger does not know yet.

    Raises:
        ModelError: more than half of the outputs are no permutation.
    """
    ledger, scorer = session.ledger, session.ledger.scorer(dict(listwise_identity(reranker)))
    lists = list(candidate_lists(collection, candidates))
    unknown = [one for one in lists if _known(collection, one, scorer, session) is None]
    if unknown:
        session.reporter.note(f"{title}: {len(unknown):,} of {len(lists):,} lists to order")
    started, faulty = time.perf_counter(), 0
    with session.reporter.stage(title, len(unknown)) as advance:
        for chunk in _chunks(collection, unknown, reranker):
            for one, ordered in chunk:
                ledger.record(scorer, one.key, *_entries(collection, one, ordered))
            faulty += sum(ordered.faults > 0 for _, ordered in chunk)
            _refuse(faulty, len(lists), title)
            advance(len(chunk))
    seconds = time.perf_counter() - started if unknown else 0.0
    scores, faulty = np.zeros(len(candidates), np.float32), 0
    for one in lists:
        found = _known(collection, one, scorer, session)
        if found is None:
            raise ModelError(f"{title}: a list came back without an order")
        scores[one.rows], faulty = found[:-1][one.place], faulty + bool(found[-1])
    _refuse(faulty, len(lists), title)
    fresh = sum(len(one.rows) for one in unknown)
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
    """Ask for the order of a list, and mend what is no permutation of it."""
    return mended(reranker.order(query, documents), len(documents))


def mended(output: object, count: int) -> Ordered:
    """The valid entries in their order, then the documents that were not named, in first-stage order."""
    numbers = [entry for entry in map(_whole, listed(output)) if entry is not None and 0 <= entry < count]
    named = list(dict.fromkeys(numbers))
    rest = sorted(set(range(count)) - set(named))
    invalid = len(listed(output)) - len(numbers)
    return Ordered(np.array(named + rest, np.int64), len(rest), len(numbers) - len(named), invalid)


def listed(output: object) -> list[object]:
    """The entries of an output; what is no list is one entry that means nothing."""
    if isinstance(output, np.ndarray):
        return list(output.tolist()) if output.ndim == 1 else [None]
    return list(output) if isinstance(output, Sequence) and not isinstance(output, str | bytes) else [None]


def _whole(entry: object) -> int | None:
    return int(entry) if isinstance(entry, int | np.integer) and not isinstance(entry, bool) else None


def _key(query: Digests, documents: Digests) -> Digests:
    name = digest({"query": query.tobytes().hex(), "documents": documents.tobytes().hex()})
    return np.frombuffer(bytes.fromhex(name), "<u8").reshape(1, 2)


def _known(collection: Collection, one: CandidateList, scorer: int, session: Session) -> Floats | None:
    """Scores of the documents of a list, then the number of faults."""
    documents = np.concatenate([collection.corpus.digests[one.documents], _FAULTS])
    known, entries = session.ledger.known(scorer, one.key, documents, _pairs(len(documents)))
    return entries.score if known.all() else None


def _entries(collection: Collection, one: CandidateList, ordered: Ordered) -> tuple[Digests, Integers, Entries]:
    """What the ledger records of a list: documents, pairs, scores."""
    documents = np.concatenate([collection.corpus.digests[one.documents], _FAULTS])
    entries = Entries.unknown(len(documents))
    entries.score[ordered.order] = -np.arange(len(ordered.order), dtype=np.float32)
    entries.score[-1] = ordered.faults
    return documents, _pairs(len(documents)), entries


def _pairs(count: int) -> Integers:
    return np.stack([np.zeros(count, np.int64), np.arange(count)], axis=1)


def _chunks(
    collection: Collection, lists: Sequence[CandidateList], reranker: ListwiseReranker
) -> Iterator[list[tuple[CandidateList, Ordered]]]:
    """Ordered lists, as many as come in two seconds; those before an error are handed out before it is raised."""
    held: list[tuple[CandidateList, Ordered]] = []
    since = time.monotonic()
    try:
        for one in lists:
            documents = collection.corpus.take(one.documents)
            held.append((one, ordered(reranker, collection.queries[one.query], documents)))
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
            f"{title}: {faulty} of {lists} outputs are no permutation of the list; `order` returns every number from 0 "
            "to len(documents) - 1 once, best first"
        )

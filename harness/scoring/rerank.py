"""Reranking: score candidates. The ledger keeps every (query text, document text) pair, so a pair is scored once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from adapters.errors import ModelError
from adapters.identity import Digests, text_digests
from adapters.protocols import Floats, IndexPairs, Integers, Reranker, Scored
from adapters.spec import identity_of
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.scoring.engine import AdapterSource, PairChunk, chunk_numbers, stays_in_process
from harness.scoring.ledger.records import FIELDS
from harness.scoring.ledger.store import Entries, Ledger
from harness.scoring.session import Session

BLOCK = 250_000
"""Number of pairs that are looked up and scored at a time, which bounds memory. Blocks are cut from the whole run, not
from the missing pairs, so that a resumed run makes the same batches and gets bit-identical scores."""
_FLUSH_SECONDS = 2.0
_FLUSH_PAIRS = 4096


@dataclass(frozen=True)
class Reranked:
    """A scored run, with the ledger entries of its rows."""

    run: Run
    entries: Entries
    fresh: int
    """Pairs that the model scored now; the others were in the ledger."""
    seconds: float
    """Seconds that the model took for these pairs, on one GPU or on all cores."""


@dataclass(frozen=True)
class _Block:
    """Consecutive queries with their candidates. Equal texts occur once."""

    rows: slice
    queries: Integers
    documents: Integers
    pairs: IndexPairs
    """Unique pairs of indices into `queries` and `documents`."""
    inverse: Integers
    """For every row of the run the index of its pair."""


def rerank(  # noqa: PLR0917
    collection: Collection,
    candidates: Run,
    reranker: Reranker,
    session: Session,
    title: str,
    source: AdapterSource | None = None,
) -> Reranked:
    """Score the candidates that are not in the ledger, and record the scores as they arrive.

    Args:
        source: what other processes open the reranker from. Default: only this process can call it.

    Raises:
        ModelError: a score is not finite, or the reranker left out pairs or returned a pair twice.
    """
    ledger = session.ledger
    scorer = ledger.scorer(dict(identity_of(reranker)))
    blocks = list(_blocks(collection, candidates))
    missing = sum(int((~_known(ledger, scorer, collection, block)[0]).sum()) for block in blocks)
    if missing:
        session.reporter.note(f"{title}: {missing:,} of {sum(len(block.pairs) for block in blocks):,} pairs to score")
    parts, seconds = [], 0.0
    with session.reporter.stage(title, missing) as advance:
        for block in blocks:
            known, entries = _known(ledger, scorer, collection, block)
            if not known.all():
                started = time.perf_counter()
                chunks = _chunks(collection, block, ~known, whole=stays_in_process(reranker))
                for scored, rows in scored_chunks(chunks, reranker, title, session, source):
                    pairs = block.pairs[rows]
                    ledger.record(scorer, *_digests(collection, block), pairs, scored)
                    advance(len(pairs))
                seconds += (time.perf_counter() - started) * session.engine.devices(reranker, source)
                known, entries = _known(ledger, scorer, collection, block)
                if not known.all():
                    raise ModelError(f"{title}: {int((~known).sum())} pairs came back without a score")
            parts.append([getattr(entries, field)[block.inverse] for field in FIELDS])
    if missing:
        ledger.compact(scorer)
    entries = Entries(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else Entries.unknown(0)
    return Reranked(candidates.rescored(entries.score), entries, missing, seconds)


def score_texts(
    asked: Sequence[tuple[str, str]],
    reranker: Reranker,
    session: Session,
    title: str,
    source: AdapterSource | None = None,
) -> Floats:
    """Return the scores of pairs of a query and a document that are no candidates of a collection, float32 [asked].

    The ledger keeps them like all others. Chunks are cut from all pairs, not from the missing ones.

    Args:
        source: as in `rerank`.

    Raises:
        ModelError: as in `rerank`.
    """
    queries, documents, pairs, inverse = _numbered(asked)
    scorer, texts = session.ledger.scorer(dict(identity_of(reranker))), (text_digests(queries), text_digests(documents))
    known, entries = session.ledger.known(scorer, *texts, pairs)
    missing = int((~known).sum())
    with session.reporter.stage(title, missing) as advance:
        chunks = _text_chunks(queries, documents, pairs, ~known, whole=stays_in_process(reranker))
        for scored, rows in scored_chunks(chunks, reranker, title, session, source) if missing else ():
            session.ledger.record(scorer, *texts, pairs[rows], scored)
            advance(len(rows))
    if missing:
        session.ledger.compact(scorer)
        known, entries = session.ledger.known(scorer, *texts, pairs)
    if not known.all():
        raise ModelError(f"{title}: {int((~known).sum())} pairs came back without a score")
    return entries.score[inverse]


def _numbered(asked: Sequence[tuple[str, str]]) -> tuple[list[str], list[str], IndexPairs, Integers]:
    """Return different queries and documents, the different pairs of their numbers, and the pair of each asked one."""
    queries, documents = (dict.fromkeys(column) for column in ((q for q, _ in asked), (d for _, d in asked)))
    query, document = ({text: place for place, text in enumerate(column)} for column in (queries, documents))
    numbers = np.array([(query[q], document[d]) for q, d in asked], np.int64).reshape(-1, 2)
    pairs, inverse = np.unique(numbers, axis=0, return_inverse=True)
    return list(queries), list(documents), pairs, inverse.reshape(-1)


def _text_chunks(
    queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs, wanted: npt.NDArray[np.bool_], *, whole: bool
) -> Iterator[PairChunk]:
    """The wanted pairs in chunks of whole queries that are cut from all pairs, each with only its own texts."""
    numbers = np.zeros(len(pairs), np.int64) if whole else chunk_numbers(pairs[:, 0])
    rows = np.flatnonzero(wanted)
    for some in np.split(rows, np.flatnonzero(np.diff(numbers[rows])) + 1):
        own, query = np.unique(pairs[some, 0], return_inverse=True)
        theirs, document = np.unique(pairs[some, 1], return_inverse=True)
        texts = [queries[row] for row in own.tolist()], [documents[row] for row in theirs.tolist()]
        yield PairChunk(*texts, np.stack([query.reshape(-1), document.reshape(-1)], axis=1), some)


def is_known(collection: Collection, candidates: Run, reranker: Reranker, ledger: Ledger) -> bool:
    """Whether the ledger has every candidate, so that the reranker would not be called."""
    return not unscored(collection, candidates, reranker, ledger)


def unscored(collection: Collection, candidates: Run, reranker: Reranker, ledger: Ledger) -> int:
    """The number of different pairs of texts that the ledger lacks."""
    scorer = ledger.scorer(dict(identity_of(reranker)))
    blocks = _blocks(collection, candidates)
    return sum(int((~_known(ledger, scorer, collection, block)[0]).sum()) for block in blocks)


def scored_chunks(
    chunks: Iterable[PairChunk], reranker: Reranker, title: str, session: Session, source: AdapterSource | None = None
) -> Iterator[tuple[Entries, Integers]]:
    """Let the session's engine call the reranker, and check the scores. Yields (entries, rows) as they arrive; `rows`
    are the caller's numbers of the pairs, every one once.

    Raises:
        ModelError: a score is not finite, or a pair was not requested or came twice.
    """
    results = session.engine.score(reranker, source, chunks)
    for scored in _flushed(_checked(results, title)):
        yield Entries(scored.scores, scored.tokens, scored.kept, scored.inputs), scored.rows


def _blocks(collection: Collection, run: Run) -> Iterator[_Block]:
    starts = np.unique(np.searchsorted(run.offsets, np.arange(0, len(run), BLOCK), side="right") - 1)
    for first, last in itertools.pairwise([*starts.tolist(), len(run.offsets) - 1]):
        rows = slice(int(run.offsets[first]), int(run.offsets[last]))
        if rows.start < rows.stop:
            yield _block(collection, run, rows)


def _block(collection: Collection, run: Run, rows: slice) -> _Block:
    queries, query = _unique(run.queries[rows], collection.queries.digests)
    documents, document = _unique(run.documents[rows].astype(np.int64), collection.corpus.digests)
    code, inverse = np.unique(query * len(documents) + document, return_inverse=True)
    pairs = np.stack([code // len(documents), code % len(documents)], axis=1)
    return _Block(rows, queries, documents, pairs, inverse)


def _unique(rows: Integers, digests: Digests) -> tuple[Integers, Integers]:
    """Rows with different texts, and for every given row the index of its text in them."""
    distinct, inverse = np.unique(rows, return_inverse=True)
    words = np.ascontiguousarray(digests[distinct])
    _, first, same = np.unique(words.view("V16").ravel(), return_index=True, return_inverse=True)
    return distinct[first], same[inverse]


def _known(ledger: Ledger, scorer: int, collection: Collection, block: _Block) -> tuple[npt.NDArray[np.bool_], Entries]:
    return ledger.known(scorer, *_digests(collection, block), block.pairs)


def _digests(collection: Collection, block: _Block) -> tuple[Digests, Digests]:
    return collection.queries.digests[block.queries], collection.corpus.digests[block.documents]


def _chunks(
    collection: Collection, block: _Block, wanted: npt.NDArray[np.bool_], *, whole: bool
) -> Iterator[PairChunk]:
    """The wanted pairs in chunks that are cut from all pairs of the block."""
    numbers = np.zeros(len(block.pairs), np.int64) if whole else chunk_numbers(block.pairs[:, 0])
    rows = np.flatnonzero(wanted)
    for some in np.split(rows, np.flatnonzero(np.diff(numbers[rows])) + 1):
        yield _chunk(collection, block, some)


def _chunk(collection: Collection, block: _Block, rows: Integers) -> PairChunk:
    pairs = block.pairs[rows]
    used_queries, query = np.unique(pairs[:, 0], return_inverse=True)
    used_documents, document = np.unique(pairs[:, 1], return_inverse=True)
    queries = collection.queries.take(block.queries[used_queries])
    documents = collection.corpus.take(block.documents[used_documents])
    return PairChunk(queries, documents, np.stack([query, document], axis=1), rows)


def _flushed(stream: Iterator[Scored]) -> Iterator[Scored]:
    """Join batches, so that the ledger commits every few seconds instead of every few milliseconds. Batches before an
    error are yielded before it is raised."""
    held: list[Scored] = []
    since = time.monotonic()
    try:
        for scored in stream:
            held.append(scored)
            if time.monotonic() - since > _FLUSH_SECONDS or sum(len(part.rows) for part in held) >= _FLUSH_PAIRS:
                yield _joined(held)
                held, since = [], time.monotonic()
    except (Exception, KeyboardInterrupt):
        if held:
            yield _joined(held)
        raise
    if held:
        yield _joined(held)


def _joined(parts: list[Scored]) -> Scored:
    columns = ("rows", "scores", "tokens", "kept", "inputs")
    return Scored(*(np.concatenate([getattr(part, column) for part in parts]) for column in columns))


def _checked(results: Iterator[tuple[PairChunk, Scored]], title: str) -> Iterator[Scored]:
    """Check the results of chunks, and give them the caller's rows."""
    answered: dict[int, npt.NDArray[np.bool_]] = {}
    for chunk, scored in results:
        before = answered.setdefault(int(chunk.rows[0]), np.zeros(len(chunk), bool))
        _check_rows(scored, before, title)
        if (bad := np.flatnonzero(~np.isfinite(scored.scores))).size:
            query, document = chunk.pairs[scored.rows[bad[0]]]
            raise ModelError(
                f"{title}: {bad.size} scores are not finite, first for query {chunk.queries[query][:60]!r} and "
                f"document {chunk.documents[document][:60]!r}; no score of this batch was kept"
            )
        before[scored.rows] = True
        yield replace(scored, rows=chunk.rows[scored.rows])


def _check_rows(scored: Scored, answered: npt.NDArray[np.bool_], title: str) -> None:
    rows = scored.rows
    if {len(column) for column in (scored.scores, scored.tokens, scored.kept, scored.inputs)} != {len(rows)}:
        raise ModelError(f"{title}: a batch of {len(rows)} pairs has columns of other lengths")
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(answered):
        raise ModelError(f"{title}: scores came for pairs that were not requested; rows are indices into `pairs`")
    if answered[rows].any() or len(np.unique(rows)) < len(rows):
        raise ModelError(f"{title}: a pair came back twice; every pair has one score")

"""`harness latency`: the time of a query, with the candidates of one query at a time, as a service scores them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.protocols import Reranker
from adapters.spec import identity_of
from harness.checks.memory import watched
from harness.checks.trials import Request, natural, request_of
from harness.data.collection import Collection, sample_queries
from harness.result.store import Results
from harness.scoring.ground import CandidatePool, prepare
from harness.scoring.retrieve import GIVEN
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker, System, systems

QUERIES, DEPTH = 30, 100
_WARM = 2
"""Queries that are scored before timing begins, because the first calls of a model are slower."""


@dataclass(frozen=True)
class Latency:
    """The latency of one reranker on one collection, on this machine."""

    collection: str
    queries: int
    candidates: float
    """The mean number of candidates per query."""
    p50: float
    """The median time of a query, in seconds; `p95` is the 95th percentile."""
    p95: float
    megabytes: float | None
    """Peak memory in MB: of the GPU if torch used one, else of this process; None if unknown."""
    evaluations: tuple[str, ...] = ()
    """The stored evaluations of the same reranker, collection and depth, which now have this latency."""


def latency(
    spec: str,
    collections: Sequence[Collection],
    session: Session,
    *,
    first_stage: str | None = None,
    depth: int = DEPTH,
    queries: int = QUERIES,
) -> list[Latency]:
    """Time a reranker on the candidates of some queries of each collection, one query at a time, without the ledger.

    Args:
        first_stage: a spec. Default: the candidate lists if all collections have them, else BM25.
        queries: the number of queries of each collection.

    Raises:
        UsageError: the spec runs no model that scores pairs.
    """
    first = first_stage or (GIVEN if all(one.given is not None for one in collections) else "bm25")
    _, system = systems(first, [spec], depth, session.workspace)
    if not isinstance(system.reranker, ModelReranker):
        raise UsageError(f"'{spec}' runs no model that scores pairs, so there is nothing to time; name a reranker")
    return [_of(one, system, system.reranker, queries, session) for one in collections]


def _of(whole: Collection, system: System, stage: ModelReranker, queries: int, session: Session) -> Latency:
    ground = prepare(sample_queries(whole, queries), system.first_stage, system.depth, ["nDCG@10"], session)
    reranker = stage.on(ground.collection)
    asked = list(_single(request_of(ground)))
    if not asked:
        raise UsageError(f"{whole.name}: the first stage found no candidates; name another --first-stage")
    with session.reporter.stage(f"{whole.name}: {stage.name}, one query at a time", len(asked)) as advance:
        for request in asked[:_WARM]:
            natural(reranker, request)
        with watched() as peak:
            seconds = [_timed(reranker, request, advance) for request in asked]
    p50, p95 = np.quantile(seconds, (0.5, 0.95)).tolist()
    found = Latency(whole.name, len(asked), len(ground.candidates) / len(asked), p50, p95, peak.megabytes)
    return _kept(found, ground, reranker, system, session)


def _single(request: Request) -> Iterator[Request]:
    for query in range(len(request.queries)):
        mine = request.pairs[request.pairs[:, 0] == query]
        documents = [request.documents[row] for row in mine[:, 1]]
        pairs = np.stack([np.zeros(len(mine), np.int64), np.arange(len(mine))], axis=1)
        yield Request([request.queries[query]], documents, pairs)


def _timed(reranker: Reranker, request: Request, advance: object) -> float:
    started = time.perf_counter()
    natural(reranker, request)
    taken = time.perf_counter() - started
    advance(1)  # type: ignore[operator]
    return taken


def _kept(found: Latency, ground: CandidatePool, reranker: Reranker, system: System, session: Session) -> Latency:
    whole, mine = ground.collection.part_of or ground.collection.fingerprint, digest(identity_of(reranker))
    ids = []
    with Results(session.workspace.results) as results:
        for one in results.all():
            same = one.collection.fingerprint == whole and one.depth == system.depth and one.reranker
            if same and digest(one.identity["reranker"]) == mine:  # type: ignore[arg-type]
                results.keep_latency(one.id, found.p50, found.p95, megabytes=found.megabytes, queries=found.queries)
                ids.append(one.id)
    return Latency(found.collection, found.queries, found.candidates, found.p50, found.p95, found.megabytes, tuple(ids))

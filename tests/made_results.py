"""Stored results without a store: as many systems, collections and values as a test of tables needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import numpy as np

from harness.data.collection import Rules
from harness.measuring.alarms.alarm import Alarm
from harness.result.facts import AuditFacts, CollectionFacts, Controls, CountFacts, Environment, Timing
from harness.result.gathered import Grid, grids
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result
from harness.result.stored import Stored

MEASURE = "nDCG@10"


def collection(
    name: str = "mine/one",
    queries: int = 4,
    *,
    language: str | None = None,
    group: str | None = None,
    sampled_from: int | None = None,
    measure: str = MEASURE,
) -> CollectionKey:
    """A collection whose fingerprint follows from its name and size."""
    fingerprint = blake2b(f"{name}{queries}".encode(), digest_size=16).hexdigest()
    return CollectionKey(name, "test", fingerprint, language, group, queries, sampled_from, measure)


def system(name: str | None, first: str = "bm25", depth: int = 100) -> SystemKey:
    """A reranker, or with None the first stage."""
    return SystemKey(name or f"{first} (first stage)", first, depth, name)


def result(
    of: SystemKey,
    on: CollectionKey,
    values: Sequence[float],
    *,
    measure: str = MEASURE,
    candidates: str | None = None,
    alarms: Iterable[Mapping[str, str]] = (),
    reranker: Mapping[str, object] | None = None,
    imported: bool = False,
    parallel: str | None = None,
) -> Result:
    """One measure of one system on one collection."""
    id = blake2b(f"{of}{on.fingerprint}".encode(), digest_size=6).hexdigest()
    identity: dict[str, object] = {"retriever": {"k": 1}, "reranker": dict(reranker or {"name": of.reranker})}
    stored = Stored(
        id=id,
        collection=CollectionFacts(
            on.name, on.split, on.fingerprint, CountFacts(on.queries, documents=8), Rules(main_measure=on.main_measure),
            language=on.language, group=on.group, sampled_from=on.sampled_from, parallel=parallel,
        ),
        first_stage=of.first_stage, reranker=of.reranker, depth=of.depth, candidates=candidates or on.fingerprint,
        identity=identity | ({"imported": {"by": "somebody"}} if imported else {}),
        audit=AuditFacts(
            candidates=10 * on.queries, alarms=tuple(Alarm(**one) for one in alarms), ties={measure: (0.5, 0.5)}
        ),
        controls=Controls({"chance": {measure: 0.1}, "oracle": {measure: 0.9}}),
        environment=Environment("3.11.2", "a machine", {"torch": "2.2"}),
        command="harness run mine", created="2026-01-01T00:00:00+00:00", updated="2026-01-02T00:00:00+00:00",
        means={measure: float(np.mean(values))},
    )  # fmt: skip
    ids = tuple(f"q{place}" for place in range(len(values)))
    return Result(
        stored, of, on, measure, np.array(values, np.float64), ids, Timing(25, 1.0) if of.reranker else Timing()
    )


def grid(*results: Result) -> Grid:
    """The one grid of the results."""
    (found,) = grids(results)
    return found

"""Evaluations as a store would give them, without a run."""

from __future__ import annotations

from collections.abc import Mapping

from harness.data.collection import Rules
from harness.result.facts import AuditFacts, CollectionFacts, Controls, CountFacts, Environment
from harness.result.stored import Stored


def stored(
    id: str,
    reranker: str | None,
    name: str = "coll",
    *,
    fingerprint: str | None = None,
    first_stage: str = "bm25",
    depth: int = 10,
    queries: int = 4,
    sampled_from: int | None = None,
    part_of: str | None = None,
    weights: str | None = None,
    means: Mapping[str, float] | None = None,
    split: str = "test",
) -> Stored:
    identity = {"adapter": "cross-encoder", "encoder": {"weights": weights}} if weights else {"adapter": "plain"}
    collection = CollectionFacts(
        name, split, fingerprint or f"finger-{name}", CountFacts(queries), Rules(), sampled_from=sampled_from,
        part_of=part_of,
    )  # fmt: skip
    return Stored(
        id=id, collection=collection, first_stage=first_stage, reranker=reranker, depth=depth, candidates="same",
        identity={"evaluator": 1, "reranker": identity if reranker else None, "retriever": {"adapter": "bm25"}},
        audit=AuditFacts(), controls=Controls(), environment=Environment(), command="", created="", updated="",
        means=dict(means or {"nDCG@10": 0.5}),
    )  # fmt: skip

"""Results without a store: as many systems and collections as a test wants, with values that it can count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.data.collection import Rules
from harness.result.facts import AuditFacts, CollectionFacts, Controls, CountFacts, Environment, Timing
from harness.result.gathered import Grid, grids
from harness.result.keys import FIRST_STAGE, CollectionKey, SystemKey
from harness.result.result import Result
from harness.result.stored import Stored

Floats64 = npt.NDArray[np.float64]
BM25 = "bm25"


def system(label: str | None, *, first_stage: str = BM25, depth: int = 100) -> SystemKey:
    """A reranker; None is the first stage alone."""
    return SystemKey(label or first_stage + FIRST_STAGE, first_stage, depth, label)


def collection(name: str, queries: int, language: str | None = "en", group: str | None = None) -> CollectionKey:
    return CollectionKey(name, "test", f"print of {name}", language, group, queries, None, "nDCG@10")


def result(
    one: SystemKey,
    on: CollectionKey,
    values: Sequence[float] | Floats64,
    *,
    ceiling: float | None = 0.9,
    speed: float | None = None,
    **more: Any,
) -> Result:
    """A result whose ceiling and candidates are what the test says."""
    audit = AuditFacts(**{"candidates": 100 * on.queries, **more.get("audit", {})})
    facts = CollectionFacts(on.name, on.split, on.fingerprint, CountFacts(on.queries), Rules())
    stored = Stored(
        id=f"{one.label} {on.name}", collection=facts, first_stage=one.first_stage,
        reranker=one.reranker,
        depth=one.depth, candidates=more.get("candidates", f"of {on.name}"), identity={"retriever": {}},
        audit=audit, controls=Controls({} if ceiling is None else {"oracle": {"nDCG@10": ceiling}}),
        environment=Environment(), command="harness run", created="", updated="", means={},
    )  # fmt: skip
    ids = tuple(f"q{place}" for place in range(len(values)))
    return Result(
        stored, one, on, "nDCG@10", np.asarray(values, np.float64), ids, Timing(1, 1 / speed) if speed else Timing()
    )


def many(
    systems: Sequence[str],
    collections: Sequence[CollectionKey],
    *,
    missing: Sequence[tuple[int, int]] = (),
    seed: int = 0,
) -> list[Result]:
    """A first stage and rerankers that gain more or less, some of them nothing. `missing`: (system, collection)."""
    draw = np.random.default_rng(seed)
    found = []
    for column, on in enumerate(collections):
        before = np.clip(draw.beta(1.2, 1.6, on.queries), 0, 1)
        ceiling = min(1.0, float(before.mean()) + 0.25 + 0.2 * draw.random())
        found.append(result(system(None), on, before, ceiling=ceiling))
        for row, label in enumerate(systems):
            moved = np.where(draw.random(on.queries) < 0.55, draw.normal(0.09 - 0.012 * row, 0.22, on.queries), 0.0)
            values = np.clip(before + moved * (0.4 + draw.random()), 0, 1)
            if (row, column) not in missing:
                speed = float(40 * 1.35**row)
                found.append(result(system(label), on, values, ceiling=max(ceiling, values.mean()), speed=speed))
    return found


def grid(results: Sequence[Result]) -> Grid:
    (found,) = grids(results)
    return found

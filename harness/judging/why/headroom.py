"""What separates a system from a perfect value. Every lost point has one cause, and the causes sum to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from harness.judging.why.facing import ComparedSystem, Floats64
from harness.measuring.judged import Judged
from harness.measuring.measures import Measure, evaluate

BLIND = 0.5
"""The share of its tokens that a document must lose to count as truncated away."""


@dataclass(frozen=True, eq=False)
class Headroom:
    """Five parts that sum to 1, each float64 [queries] and at least 0. All but `value` are the loss, 1 - value."""

    value: Floats64
    misordered: Floats64
    """What a perfect order of the documents that the model saw would gain."""
    truncated: Floats64
    """The most that is lost because relevant candidates lost half of their tokens or more: the ceiling minus the
    ceiling with these documents ranked last, but not more than the actual loss below the ceiling."""
    not_retrieved: Floats64
    """What no order of the candidates can gain."""
    unreachable: Floats64
    """What no system can gain with these judgments: queries without relevant documents, P@10 with three relevant
    documents, relevant documents that the corpus lacks."""

    def mean(self, weights: Floats64) -> dict[str, float]:
        """Return the weighted mean of every part, by name; `weights` sum to 1."""
        return {field.name: float(weights @ getattr(self, field.name)) for field in fields(self)}


def headroom(side: ComparedSystem, judged: Judged, measure: Measure) -> Headroom:
    """Divide the loss of one system by cause. If tokens are not known, nothing counts as truncated."""
    oracle = judged.oracle()
    blinded = oracle.copy()
    blinded[(judged.grades >= 1) & (np.nan_to_num(side.lost) >= BLIND)] = -1
    best = evaluate(measure, judged.reachable, judged.ideal)
    value, ceiling, seen = (judged.values([measure], scores)[0] for scores in (side.run.scores, oracle, blinded))
    below = np.maximum(ceiling - value, 0)
    truncated = np.clip(ceiling - seen, 0, below)
    not_retrieved = np.maximum(best - ceiling, 0)
    return Headroom(value, below - truncated, truncated, not_retrieved, 1 - best)


def joined(parts: Sequence[Headroom]) -> Headroom:
    """Join the queries of several collections, one collection after the other."""
    return Headroom(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Headroom)))

"""Paired differences as a test wants them."""

from __future__ import annotations

import numpy as np

from harness.judging.compare.paired import PairedValues, weights
from harness.judging.gate.policy import Policy
from harness.judging.gate.rule import judge
from harness.judging.gate.verdict import Verdict
from harness.measuring.statistics.design import Questions

SPREAD = 0.1


def paired(
    name: str,
    delta: float,
    queries: int = 400,
    *,
    spread: float = SPREAD,
    language: str | None = None,
    of: str | None = None,
    **more: object,
) -> PairedValues:
    """Differences with exactly this mean and this standard deviation (fractions). The collections of one parallel set
    `of` have the same questions, whose differences are the same but for the mean."""
    drawn = np.random.default_rng(sum((of or name).encode())).normal(size=queries)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1) if queries > 1 else np.zeros(queries)
    baseline = np.full(queries, 0.5)
    asked = Questions(of or name, tuple(f"{of or name}-{i}" for i in range(queries)))
    given = {"baseline_id": f"a-{name}", "candidate_id": f"b-{name}", "same_candidates": True, **more}
    return PairedValues(name, "test", language, None, name, asked, baseline, baseline + delta + spread * drawn, **given)  # type: ignore[arg-type]


def judged(*pairs: PairedValues, policy: Policy = Policy(), **more: object) -> Verdict:  # noqa: B008
    """The verdict over them, each with an equal vote."""
    return judge(pairs, weights(pairs), policy, **more)  # type: ignore[arg-type]

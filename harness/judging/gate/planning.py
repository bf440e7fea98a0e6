"""What a verdict will probably take: pairs, seconds, and the chances of an equal candidate. Nothing is scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from harness.data.collection import Collection
from harness.judging.gate.anchor import wanted
from harness.judging.gate.blocks import Blocks, plan
from harness.judging.gate.claims import PartClaim
from harness.judging.gate.early import claimed_places, rule_of
from harness.judging.gate.looks import Look, LookLog
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.sequential import Monitor
from harness.judging.gate.spread import AVERAGE, Spreads, asked, earlier_spreads, planned_claims
from harness.judging.gate.stage import Stage
from harness.measuring.statistics.anytime import BETS, SHARES, Evidence, balanced
from harness.measuring.statistics.chance import chance, size_of
from harness.measuring.statistics.design import Design, Floats64
from harness.measuring.votes import shares
from harness.result.gathered import speed_of
from harness.result.store import Results
from harness.scoring.costs.calibration import calibrate
from harness.scoring.costs.plan import WITHOUT_MODEL, RunPlan
from harness.scoring.costs.plan import plan as planned_run

LOSS = 0.03
"""The loss everywhere for which a sequential refusal is simulated."""
_RESAMPLES = 5
_ZERO = 0.5
"""The simulated share of questions that do not move."""


@dataclass(frozen=True)
class SystemWork:
    """The work for one system."""

    name: str
    pairs: int
    """At most this number of pairs is scored: pairs in the ledger cost nothing."""
    seconds: float | None
    """None if the speed on this machine is not known."""
    stored: bool = False
    """Whether only stored scores are used, so that nothing is scored."""


@dataclass(frozen=True)
class SequentialWork:
    """What a sequential gate reads. Counts are pairs of one system unless they say otherwise."""

    draws: int
    """The number of equal draws that a pass needs before the end even if nothing differs."""
    available: float
    """The number of equal draws that the tier has: its questions, or fewer if collections differ in size."""
    pass_pairs: int
    """The pairs that a pass reads if nothing differs."""
    equal_pairs: int
    """The median for a simulated equal candidate."""
    loss_pairs: int
    """The median for a simulated candidate that loses 3 points everywhere."""


@dataclass(frozen=True)
class GatePlan:
    """What a gate would take and what it could show."""

    candidate: str | None
    anchor: str
    measure: str
    tier: Tier
    policy: Policy
    taken: int
    """The number of looks that the release has taken at these queries."""
    queries: int
    questions: int
    average_chance: float
    """The probability that an equal candidate is shown not to lose the margin on average."""
    claims: tuple[PartClaim, ...]
    spreads: Spreads
    work: tuple[SystemWork, ...]
    sequential: SequentialWork | None
    """None if the collections have pairs of queries, which a sequential gate refuses."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values. Numbers are fractions."""
        plain = asdict(self)
        del plain["policy"]
        return {"format": 1, **plain, "alpha": self.policy.alpha_of(self.tier), "margin": self.policy.margin}


def planned_gate(stage: Stage, candidate: str | None, logs: Sequence[LookLog]) -> GatePlan:
    """Plan a gate. No look is reserved, and nothing is scored; a model whose speed is not known is timed for a few
    seconds on made-up texts.

    Args:
        candidate: the spec of the reranker; None plans without its speed.
        logs: the looks of the gate's workspace, and of the anchor's.

    Raises:
        UsageError: the anchor is not known.
        HarnessError: a model cannot be opened.
    """
    looks = {look.id: look for log in logs for look in log.all()}
    spreads = earlier_spreads(stage, sorted(looks.values(), key=lambda look: (look.at, look.id)))
    whole = Design(
        tuple(asked(one).questions for one in stage.collections), shares([c.group for c in stage.collections])
    )
    claims, alpha = planned_claims(stage, spreads), stage.policy.alpha_of(stage.tier)
    sd = spreads.sds.get(AVERAGE, stage.policy.local.sd)
    costs = planned_run(stage.collections, stage.policy.depth, first_stage=stage.first_stage)
    return GatePlan(
        candidate=candidate,
        anchor=spreads.anchor,
        measure=stage.measure,
        tier=stage.tier,
        policy=stage.policy,
        taken=_taken(stage, logs),
        queries=whole.queries,
        questions=whole.questions,
        average_chance=chance(stage.policy.margin, sd, size_of(whole), alpha),
        claims=claims,
        spreads=spreads,
        work=tuple(_work(stage, candidate, spreads.anchor, costs, logs)),
        sequential=_sequential(stage, whole, claims, [one.amounts.pairs for one in costs.costs]),
    )


def _taken(stage: Stage, logs: Sequence[LookLog]) -> int:
    spent: list[Look] = [look for log in logs for look in log.spent(stage.policy, stage.tier, stage.whole)]
    return len({look.id for look in spent})


def _work(
    stage: Stage, candidate: str | None, anchor: str, costs: RunPlan, logs: Sequence[LookLog]
) -> list[SystemWork]:  # fmt: skip
    opened, pairs = wanted(stage, logs[-1]), costs.total.pairs
    work = [] if candidate is None else [SystemWork(candidate, pairs, _seconds(stage, candidate, costs))]
    if opened.system is None:
        return [*work, SystemWork(anchor, 0, 0.0, stored=True)]
    return [*work, SystemWork(anchor, pairs, _seconds(stage, opened.name, costs))]


def _seconds(stage: Stage, spec: str, costs: RunPlan) -> float | None:
    """Return the seconds for all pairs: by the speed of earlier results of this system on this machine, else by timing
    the model."""
    if spec == stage.first_stage or spec.startswith(WITHOUT_MODEL):
        return 0.0
    with Results(stage.session.workspace.results) as results:
        ids = [one.id for one in results.all() if one.system == spec and not one.imported]
        speed = speed_of({one.id: one for one in results.results(ids)}.values())
    if speed is None and hasattr(stage.system(spec).reranker, "score"):
        rate = calibrate(spec, costs)
        return costs.total.pair_tokens / rate
    return None if speed is None else costs.total.pairs / speed


def _sequential(
    stage: Stage, whole: Design, claims: Sequence[PartClaim], pairs: Sequence[int]
) -> SequentialWork | None:  # fmt: skip
    if any(one.changes is not None for one in stage.collections):
        return None
    blocks, places = plan(whole), claimed_places(stage.collections, claims)
    rule, sds = rule_of(stage.policy, stage.tier, places), [_sd(one, claims) for one in stage.collections]

    def read(truth: float | None) -> int:
        used = [_used(Monitor.of(rule, blocks), _drawn(blocks, sds, truth, seed)) for seed in range(_RESAMPLES)]
        return round(float(np.median([_pairs_of(one, blocks, pairs) for one in used])))

    needed = fewest_draws(stage.policy.margin, rule.alpha * rule.early)
    return SequentialWork(needed, balanced(whole)[1], read(None), read(0.0), read(-LOSS))


def fewest_draws(margin: float, alpha: float) -> int:
    """Return the number of draws after which betting excludes a loss of the margin if every difference is 0."""
    wanted_log = math.log(1 / alpha)
    low, high = 0, 1
    while high - low > 1 or not _enough(high, margin, wanted_log):
        if _enough(high, margin, wanted_log):
            middle = (low + high) // 2
            low, high = (low, middle) if _enough(middle, margin, wanted_log) else (middle, high)
        else:
            low, high = high, 2 * high
    return high


def _enough(draws: int, margin: float, wanted_log: float) -> bool:
    return Evidence(SHARES, BETS * draws).against(-margin) >= wanted_log


def _sd(collection: Collection, claims: Sequence[PartClaim]) -> float:
    return next(one.sd for one in claims if (one.kind, one.key) == ("collection", collection.fingerprint))


def _drawn(blocks: Blocks, sds: Sequence[float], truth: float | None, seed: int) -> list[Floats64]:
    """Return simulated differences of all collections in the order of the questions; zeros if `truth` is None. The
    questions of a parallel set move alike in all its languages."""
    if truth is None:
        return [np.zeros(size) for size in blocks.sizes]
    sets = list(blocks.whole.sets)
    drawn = []
    for one, sd, size in zip(blocks.whole.collections, sds, blocks.sizes, strict=True):
        generator = np.random.default_rng([seed, sets.index(one.drawn_from)])
        moved = generator.random(size) < _ZERO
        drawn.append(np.clip(np.where(moved, generator.laplace(truth / _ZERO, sd, size), 0.0), -1, 1))
    return drawn


def _used(monitor: Monitor, values: Sequence[Floats64]) -> Sequence[int]:
    """Return the number of queries of each collection that a sequential gate reads of these differences."""
    while monitor.wanted.any():
        rows = zip(values, monitor.used, monitor.wanted, strict=True)
        monitor = monitor.fed([own[start : start + more] for own, start, more in rows])
    return [int(count) for count in monitor.used]


def _pairs_of(used: Sequence[int], blocks: Blocks, pairs: Sequence[int]) -> float:
    read = (count * all_of / size for count, all_of, size in zip(used, pairs, blocks.sizes.tolist(), strict=True))
    return float(sum(read))

"""Connects the sequential gate to the rule, the store and the other checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.checks.before import BeforeScoring
from harness.data.collection import Collection
from harness.judging.gate import reasons
from harness.judging.gate.blockwise import Stopped, run_blocks
from harness.judging.gate.claims import PartClaim, claimed
from harness.judging.gate.local import local
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.rule import assembled, judge, measured
from harness.judging.gate.sequential import SequentialRule
from harness.judging.gate.stage import Stage
from harness.judging.gate.verdict import CheckpointCost, Findings, Verdict
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.statistics.design import Floats64
from harness.measuring.statistics.difference import Difference
from harness.numbers import points
from harness.result.evaluation import Evaluation
from harness.scoring.ground import CandidatePool
from harness.scoring.system import System

if TYPE_CHECKING:
    from harness.judging.compare.paired import PairedValues


def rule_of(policy: Policy, tier: Tier, claimed: Sequence[int] = ()) -> SequentialRule:
    """Return the sequential rule of a policy.

    Args:
        claimed: the places of the collections that a pass claims. Default: none.
    """
    return SequentialRule(
        margin=policy.margin,
        alpha=policy.alpha_of(tier),
        refusal_alpha=policy.alpha,
        local_alpha=policy.alpha,
        min_drop=policy.local.min_drop,
        min_drop_small=policy.local.min_drop_small,
        small=policy.local.small,
        hard_bound=policy.local.hard_bound,
        claimed=tuple(claimed),
    )


def claimed_places(collections: Sequence[Collection], claims: Sequence[PartClaim]) -> list[int]:
    """Return the places of the collections that a pass claims, themselves or through their language."""
    keys = {(one.kind, one.key) for one in claimed(claims)}
    return [
        place for place, one in enumerate(collections)
        if ("collection", one.fingerprint) in keys or ("language", one.language) in keys
    ]  # fmt: skip


def stopped(
    stage: Stage,
    grounds: Sequence[CandidatePool],
    anchor: System,
    candidate: System,
    claims: Sequence[PartClaim] = (),
) -> Stopped:
    """Score both systems on blocks of queries until the answer is certain."""
    before = BeforeScoring(stage.collections, stage.session)
    alarms = [before.look(ground, candidate) for ground in grounds]
    places = claimed_places(stage.collections, claims)
    found = run_blocks(grounds, anchor, candidate, rule_of(stage.policy, stage.tier, places), stage.session)
    return replace(found, candidate=tuple(map(_with_alarms, found.candidate, alarms)))


def _with_alarms(evaluation: Evaluation, alarms: tuple[Alarm, ...]) -> Evaluation:
    return replace(evaluation, audit=replace(evaluation.audit, alarms=(*alarms, *evaluation.audit.alarms)))


def judge_early(
    found: Stopped,
    pairs: Sequence[PairedValues],
    shares: Floats64,
    policy: Policy,
    *,
    tier: Tier,
    findings: Findings,
    costs: Sequence[CheckpointCost],
    claims: Sequence[PartClaim] = (),
) -> Verdict:
    """Return the verdict of a sequential gate.

    After an early stop it has the anytime interval, which is valid at every block. A p-value or an interval for a fixed
    number of queries would not be. If every query was scored, the fixed-size rule decides with the rest of each alpha.
    """
    decision, saved = found.decision, _saved(found)
    found_too = replace(findings, cautions=(saved, *findings.cautions))
    if findings.hard or decision.verdict is None:
        rest = replace(policy, alpha=policy.alpha * (1 - rule_of(policy, tier).early))
        return judge(pairs, shares, rest, tier=tier, findings=found_too, costs=costs, claims=claims)
    low, high = decision.interval
    macro = measured(pairs, shares, policy, policy.alpha_of(tier))
    macro = replace(macro, difference=_untested(macro.difference), anytime=(low, high), lower=low, upper=high)
    passed = decision.verdict == "pass"
    parts = [
        replace(
            part, p=float("nan"), adjusted=float("nan"), collapsed=place in decision.collapsed, uncertain=False,
            bound=float("nan"), shown=part.claimed and passed,
        )
        for place, part in enumerate(local(pairs, shares, policy, claims=claims)[: len(pairs)])
    ]  # fmt: skip
    lost = sorted((part for part in parts if part.collapsed), key=lambda part: part.delta)
    refused = [
        f"collection {part.name} lost {points(-part.delta)} points on {part.queries:,} queries: a certain drop"
        for part in lost
    ]
    if decision.verdict == "refused" and not lost:
        refused += reasons.worse("refused", macro)
    return assembled(
        pairs, shares, policy, macro, parts, refused, (), findings=found_too, costs=costs, tier=tier, claims=claims
    )  # fmt: skip


def _untested(found: Difference) -> Difference:
    nan = float("nan")
    return Difference(found.value, (nan, nan), nan, nan, found.family, nan)


def _saved(found: Stopped) -> str:
    pairs = found.candidate_pairs
    known = "; every score of the anchor was known, so its headroom was used" if found.headroom else ""
    return (
        f"stopped after block {found.decision.blocks}: {sum(found.decision.used):,} queries, {pairs.used:,} of "
        f"{pairs.planned:,} pairs ({100 * pairs.saved / max(pairs.planned, 1):.0f} % saved){known}"
    )

"""The rule that makes a verdict from differences per query, a policy and other findings. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.judging.gate import reasons, robust
from harness.judging.gate.claims import PartClaim, claims_of
from harness.judging.gate.drawn import drawn
from harness.judging.gate.local import Part, asked, local
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.verdict import (
    NOTHING_FOUND,
    REASONS,
    AttackLimit,
    CheckpointCost,
    Findings,
    Macro,
    State,
    Verdict,
)
from harness.measuring.statistics.design import Floats64
from harness.measuring.statistics.difference import difference
from harness.measuring.statistics.equivalence import upper_bound
from harness.measuring.statistics.error import detectable, standard_error
from harness.measuring.statistics.rare import cautious_bound

if TYPE_CHECKING:
    from harness.judging.compare.paired import PairedValues


def judge(
    pairs: Sequence[PairedValues],
    shares: Floats64,
    policy: Policy,
    *,
    tier: Tier = "gate",
    findings: Findings = NOTHING_FOUND,
    costs: Sequence[CheckpointCost] = (),
    claims: Sequence[PartClaim] | None = None,
    attacks: Sequence[AttackLimit] = (),
) -> Verdict:
    """Judge a candidate by its paired differences from the anchor.

    The rule checks, in this order: integrity, the collapse of a part, the macro average, costs, attacks, the claimed
    parts, and what else makes the answer inconclusive. A candidate that is the anchor itself passes unless it costs too
    much or is deceived too often, and the verdict says that nothing was tested.

    Args:
        shares: the weights of the collections in the macro average, summing to 1.
        claims: the parts, as planned before anything was scored. Default: planned with `[local] sd`.
        attacks: the limits for attacks, with their figures. Default: none.
    """
    if findings.hard:
        return Verdict("invalid", _cut(findings.hard), costs=tuple(costs), findings=findings)
    alpha = policy.alpha_of(tier)
    if claims is None:
        claims = claims_of(asked(pairs), shares, policy, tier)
    same = is_anchor(pairs)
    state: State = "pass" if same else decide(pairs, shares, policy, alpha)
    parts, macro = local(pairs, shares, policy, alpha, claims), measured(pairs, shares, policy, alpha)
    refused = [*reasons.collapsed(parts), *reasons.worse(state, macro)]
    undecided = reasons.undecided(state, macro, pairs, shares, policy)
    undecided += [] if same else reasons.not_shown(parts, claims, policy, alpha)
    return assembled(
        pairs, shares, policy, macro, parts, refused, undecided,
        findings=findings, costs=costs, tier=tier, claims=claims, attacks=attacks,
    )  # fmt: skip


def is_anchor(pairs: Sequence[PairedValues]) -> bool:
    """Whether the candidate is the anchor itself: the same evaluations."""
    return bool(pairs) and all(one.baseline_id == one.candidate_id for one in pairs)


def assembled(  # noqa: PLR0917
    pairs: Sequence[PairedValues],
    shares: Floats64,
    policy: Policy,
    macro: Macro,
    parts: Sequence[Part],
    refused: Sequence[str],
    undecided: Sequence[str],
    *,
    tier: Tier,
    findings: Findings,
    costs: Sequence[CheckpointCost],
    claims: Sequence[PartClaim],
    attacks: Sequence[AttackLimit] = (),
) -> Verdict:
    """Return the verdict from the statistics, costs, noise and all other findings."""
    refused = [*refused, *reasons.expensive(costs), *robust.refused(attacks)]
    undecided = [
        *undecided,
        *reasons.unmeasured(costs),
        *robust.undecided(attacks, policy),
        *reasons.noisy(pairs, shares, policy),
    ]
    state: State = "refused" if refused else "inconclusive" if undecided else "pass"
    above = macro.difference.value > reasons.noise_of(pairs, shares)
    better, same = state == "pass" and ahead(macro) and above, is_anchor(pairs)
    lines = [*refused, *undecided, *reasons.nothing_tested(same), *reasons.figures(macro), *reasons.ahead(better, tier)]
    lines += robust.kept(attacks)
    lines += [*findings.cautions, *reasons.too_small(parts, policy), *reasons.tail(pairs, shares, policy)]
    return Verdict(
        state, _cut(lines), macro, tuple(parts), tuple(costs), findings, better, tuple(claims), same, tuple(attacks)
    )


def decide(pairs: Sequence[PairedValues], shares: Floats64, policy: Policy, alpha: float) -> State:
    """Return the verdict of the macro average alone: non-inferiority by the declared margin.

    The verdict is refused if the candidate is certainly worse by the margin or more, and pass if that is excluded at
    `alpha`. With fewer questions than the policy requires, nothing is excluded. The bound is lower
    than Student's t if few questions lose much; see `harness.measuring.statistics.rare`.
    """
    design, deltas = drawn(pairs, shares)
    if upper_bound(design, deltas, policy.alpha) <= -policy.margin:
        return "refused"
    enough = design.questions >= policy.min_queries
    return "pass" if enough and cautious_bound(design, deltas, alpha).value > -policy.margin else "inconclusive"


def ahead(macro: Macro) -> bool:
    """Whether the difference is significant and above zero, also one-sided at the alpha of this look."""
    found = macro.difference
    return found.significant and found.value > 0 and found.greater_p <= macro.alpha


def measured(pairs: Sequence[PairedValues], shares: Floats64, policy: Policy, alpha: float) -> Macro:
    """Return the figures of the primary endpoint."""
    design, deltas = drawn(pairs, shares)
    lower = cautious_bound(design, deltas, alpha)
    return Macro(
        baseline=float(sum(share * one.baseline.mean() for one, share in zip(pairs, shares, strict=True))),
        candidate=float(sum(share * one.candidate.mean() for one, share in zip(pairs, shares, strict=True))),
        difference=difference(design, deltas),
        lower=lower.value,
        upper=upper_bound(design, deltas, policy.alpha),
        margin=policy.margin,
        alpha=alpha,
        detectable=detectable(standard_error(design, deltas), alpha, policy.power),
        queries=design.queries,
        questions=design.questions,
        lower_by=lower.test,
    )


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= REASONS:
        return tuple(lines)
    return (*lines[: REASONS - 1], f"and {len(lines) - REASONS + 1} more")

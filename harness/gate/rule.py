"""The rule: differences per query, a policy and what else was found become one verdict. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.gate import reasons
from harness.gate.local import Part, local
from harness.gate.policy import Policy, Tier
from harness.gate.verdict import NOTHING_FOUND, REASONS, Cost, Findings, Macro, State, Verdict
from harness.statistics.equivalence import lower_bound, upper_bound
from harness.statistics.error import detectable, estimate
from harness.statistics.intervals import stratified_interval
from harness.statistics.randomisation import randomisation_p
from harness.statistics.strata import Floats64

if TYPE_CHECKING:
    from harness.compare.paired import Paired


def judge(
    pairs: Sequence[Paired],
    shares: Floats64,
    policy: Policy,
    *,
    tier: Tier = "gate",
    findings: Findings = NOTHING_FOUND,
    costs: Sequence[Cost] = (),
) -> Verdict:
    """Judge a candidate by its paired differences to the anchor.

    In this order: integrity, the collapse of one part, the macro average, costs; then whatever leaves it open. A
    candidate that is the anchor itself passes, and the verdict says that nothing was tested.

    Args:
        shares: of the collections in the macro average, summing to 1.
    """
    if findings.hard:
        return Verdict("invalid", _cut(findings.hard), costs=tuple(costs), findings=findings)
    alpha = policy.alpha_of(tier)
    same = bool(pairs) and all(one.baseline_id == one.candidate_id for one in pairs)
    state: State = "pass" if same else decide(pairs, shares, policy, alpha)
    parts, macro = local(pairs, shares, policy), measured(pairs, shares, policy, alpha)
    refused = [*reasons.collapsed(parts), *reasons.worse(state, macro)]
    undecided = reasons.undecided(state, macro, pairs, shares, policy)
    return assembled(
        pairs, shares, policy, macro, parts, refused, undecided, findings=findings, costs=costs, tier=tier
    )  # fmt: skip


def assembled(  # noqa: PLR0917
    pairs: Sequence[Paired],
    shares: Floats64,
    policy: Policy,
    macro: Macro,
    parts: Sequence[Part],
    refused: Sequence[str],
    undecided: Sequence[str],
    *,
    tier: Tier,
    findings: Findings,
    costs: Sequence[Cost],
) -> Verdict:
    """What the statistics say, joined by costs, noise and everything that is told beside a verdict."""
    refused = [*refused, *reasons.expensive(costs)]
    undecided = [*undecided, *reasons.unmeasured(costs), *reasons.noisy(pairs, shares, policy)]
    state: State = "refused" if refused else "inconclusive" if undecided else "pass"
    better = state == "pass" and macro.p_better is not None and macro.p_better <= macro.alpha
    same = bool(pairs) and all(one.baseline_id == one.candidate_id for one in pairs)
    told = [*refused, *undecided, *reasons.nothing_tested(same), *reasons.figures(macro), *reasons.ahead(better, tier)]
    told += [*findings.cautions, *reasons.too_small(parts, policy), *reasons.tail(pairs, policy)]
    return Verdict(state, _cut(told), macro, tuple(parts), tuple(costs), findings, better)


def decide(pairs: Sequence[Paired], shares: Floats64, policy: Policy, alpha: float) -> State:
    """What the macro average alone says: non-inferiority by the declared margin.

    Refused where the candidate is certainly worse by the margin or more, pass where that is excluded at `alpha`.
    Fewer queries than the policy asks for exclude nothing.
    """
    strata = [one.deltas for one in pairs]
    if upper_bound(strata, shares, policy.alpha) <= -policy.margin:
        return "refused"
    enough = sum(map(len, strata)) >= policy.min_queries
    return "pass" if enough and lower_bound(strata, shares, alpha) > -policy.margin else "inconclusive"


def measured(pairs: Sequence[Paired], shares: Floats64, policy: Policy, alpha: float) -> Macro:
    """The figures of the primary endpoint."""
    strata = [one.deltas for one in pairs]
    found = estimate(strata, shares)
    return Macro(
        baseline=float(sum(share * one.baseline.mean() for one, share in zip(pairs, shares, strict=True))),
        candidate=float(sum(share * one.candidate.mean() for one, share in zip(pairs, shares, strict=True))),
        delta=found.mean,
        interval=stratified_interval(strata, shares),
        lower=lower_bound(strata, shares, alpha),
        upper=upper_bound(strata, shares, policy.alpha),
        margin=policy.margin,
        alpha=alpha,
        detectable=detectable(found.se, alpha, policy.power),
        queries=sum(map(len, strata)),
        p_better=randomisation_p(strata, shares, alternative="greater") if found.mean > 0 else None,
    )


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= REASONS:
        return tuple(lines)
    return (*lines[: REASONS - 1], f"and {len(lines) - REASONS + 1} more")

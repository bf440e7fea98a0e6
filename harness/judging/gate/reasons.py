"""The reasons for a verdict, as lines for people. Numbers are in points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from harness.judging.gate.claims import PartClaim
from harness.judging.gate.drawn import drawn
from harness.judging.gate.local import Part
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.verdict import CheckpointCost, Macro, State
from harness.measuring.statistics.design import TIE, Floats64
from harness.measuring.statistics.error import more_queries
from harness.numbers import points, rounded_up, signed, signed_interval

if TYPE_CHECKING:
    from harness.judging.compare.paired import PairedValues

_LISTED = 5


def collapsed(parts: Sequence[Part]) -> list[str]:
    """Return lines about collapsed collections and languages, the largest drop first."""
    fallen = sorted((one for one in parts if one.collapsed), key=lambda one: one.delta)
    lines = [
        f"{one.kind} {one.name} lost {points(-one.delta)} points (p {_p(one.adjusted)} after Holm, "
        f"{counted(one.queries, one.questions)}; at most {points(one.limit)} is accepted)"
        for one in fallen[:_LISTED]
    ]
    rest = ", ".join(one.name for one in fallen[_LISTED:])
    return [*lines, *([f"and {len(fallen) - _LISTED} more collapsed: {rest}"] if rest else [])]


def worse(state: State, macro: Macro) -> list[str]:
    """Return a line if the macro average is certainly worse by the margin."""
    if state != "refused":
        return []
    return [
        f"the macro average is certainly worse by the margin of {points(macro.margin)} or more: "
        f"{signed(macro.difference.value)} points, upper bound {signed(macro.upper)}"
    ]


def expensive(costs: Sequence[CheckpointCost]) -> list[str]:
    """Return lines about costs above their limits."""
    return [f"{one.name}: {one.value:,.4g} {one.unit}, over the limit of {one.limit:,.4g}" for one in costs if one.over]


def undecided(
    state: State, macro: Macro, pairs: Sequence[PairedValues], shares: Floats64, policy: Policy
) -> list[str]:  # fmt: skip
    """Return lines if the bounds do not decide, with the number of queries or questions that would."""
    if state != "inconclusive":
        return []
    if macro.questions < policy.min_queries:
        have = counted(macro.queries, macro.questions)
        return [f"{have} are too few; the policy requires {policy.min_queries} or more"]
    if math.isnan(macro.lower):
        return ["a collection with a single query has no bound; give it more queries, or leave it out"]
    open_end = (
        f"a loss of the margin is not excluded: lower {level(macro.alpha)} bound {signed(macro.lower)}, "
        f"margin {points(macro.margin)}"
    )
    if macro.lower_by == "betting":
        return [f"{open_end}, by betting: few questions lose much, so Student's t is not valid"]
    return [open_end, _needed(macro, pairs, shares, policy)]


def _needed(macro: Macro, pairs: Sequence[PairedValues], shares: Floats64, policy: Policy) -> str:
    plan = more_queries(*drawn(pairs, shares), margin=policy.margin, alpha=macro.alpha, power=policy.power)
    needed = plan.questions
    if needed is None:
        return f"the observed difference is the margin itself: no number of {macro.unit} would decide"
    answer = "a pass" if macro.difference.value > -policy.margin else "a refusal"
    more = f"{rounded_up(max(needed - macro.questions, 1)):,} more {macro.unit}"
    if macro.unit == "questions":
        more += ", each in all its languages"
    return f"needs about {more}; if the difference stays as it is, that would be {answer}"


def not_shown(parts: Sequence[Part], claims: Sequence[PartClaim], policy: Policy, alpha: float) -> list[str]:
    """Return a line about claimed parts in which a loss of `hard_bound` is not excluded, and about claimed parts that
    were not measured."""
    open_ends = (one for one in parts if one.claimed and not one.shown and not one.collapsed)
    missing = sorted(open_ends, key=lambda one: one.bound)
    named = [
        f"{one.name} ({signed(one.bound)}{', by betting' if one.bound_by == 'betting' else ''})" for one in missing
    ]
    there = {(one.kind, one.name) for one in parts}
    named += [f"{one.name} (not measured)" for one in claims if one.claimed and (one.kind, one.name) not in there]
    if not named:
        return []
    shown = ", ".join(named[:_LISTED]) + (f" and {len(named) - _LISTED} more" if len(named) > _LISTED else "")
    return [
        f"a loss of {100 * policy.local.hard_bound:g} points is not excluded in claimed parts: {shown}; "
        f"lower {level(alpha)} bounds"
    ]


def unmeasured(costs: Sequence[CheckpointCost]) -> list[str]:
    """Return lines about limits of costs that were not measured."""
    return [
        f"{one.name} has a limit of {one.limit:,.4g} {one.unit}, but is not known: this process scored no pair"
        for one in costs
        if one.unknown
    ]


def noise_of(pairs: Sequence[PairedValues], shares: Floats64) -> float:
    """Return how much the macro average changes when the same checkpoint is scored again, as far as it was measured: by
    a check, or in the other batches of half precision."""
    return float(sum(share * (one.noise or 0.0) for one, share in zip(pairs, shares, strict=True)))


def noisy(pairs: Sequence[PairedValues], shares: Floats64, policy: Policy) -> list[str]:
    """Return a line if the margin is too small compared with the noise of the same checkpoint."""
    noise = noise_of(pairs, shares)
    if policy.margin >= policy.noise.margin_factor * noise:
        return []
    return [
        f"the same checkpoint scored twice differs by {points(noise)} points; a margin of {points(policy.margin)} "
        f"has to be {policy.noise.margin_factor:g} times that"
    ]


def nothing_tested(same: bool) -> list[str]:
    """Return a line if the candidate is the anchor."""
    return ["the candidate is the anchor itself (same weights, same settings): nothing was tested"] if same else []


def figures(macro: Macro) -> list[str]:
    """Return lines about the primary endpoint and the smallest difference that it can detect."""
    found = f"macro average {signed(macro.difference.value)} points, {_interval(macro)}margin {points(macro.margin)}"
    if not macro.detectable > 0:
        return [found]
    seen = f"a true difference of {points(macro.detectable)} points or more"
    return [found, f"with {counted(macro.queries, macro.questions)} this look detects {seen}"]


def _interval(macro: Macro) -> str:
    """Return the interval of the difference: the anytime interval if the gate stopped early."""
    if macro.anytime is not None:
        return f"anytime interval {signed_interval(macro.anytime)}, "
    bound, within = f"lower {level(macro.alpha)} bound {signed(macro.lower)}, ", macro.difference.interval
    return bound if math.isnan(within[0]) else f"95 % interval {signed_interval(within)}, {bound}"


def ahead(better: bool, tier: Tier) -> list[str]:
    """Return a line if the candidate is significantly better."""
    if not better:
        return []
    return ["better than the anchor, beyond chance" + ("" if tier == "final" else "; confirm it with --tier final")]


def too_small(parts: Sequence[Part], policy: Policy) -> list[str]:
    """Return a line about parts with too few queries to exclude a large drop."""
    small = [one.name for one in parts if one.uncertain]
    named = ", ".join(small[:_LISTED]) + (", ..." if len(small) > _LISTED else "")
    bound = f"{100 * policy.local.hard_bound:g}"
    return [f"too few queries to exclude a drop of {bound} points: {named}"] if small else []


def tail(pairs: Sequence[PairedValues], shares: Floats64, policy: Policy) -> list[str]:
    """Return a line if significantly more questions lost much than gained as much, by McNemar's exact test (1947). The
    difference of a question is the average over its languages."""
    design, each = drawn(pairs, shares)
    deltas = design.sums(each) / design.share
    lost = int((deltas < -policy.warn.tail - TIE).sum())
    gained = int((deltas > policy.warn.tail + TIE).sum())
    if at_least(lost, lost + gained) > policy.alpha:
        return []
    bound = f"{100 * policy.warn.tail:g}"
    unit = "queries" if design.questions == design.queries else "questions"
    return [f"{lost} of {len(deltas):,} {unit} lost more than {bound} points, {gained} gained as much"]


def at_least(heads: int, coins: int) -> float:
    """Return P(at least `heads` heads of `coins` fair coins); above 2,000 coins, by the normal distribution."""
    if coins > 2000:
        return 1 - NormalDist(coins / 2, math.sqrt(coins) / 2).cdf(heads - 0.5)
    return float(sum(math.comb(coins, k) for k in range(heads, coins + 1)) / 2**coins)


def counted(queries: int, questions: int) -> str:
    """Return the number of queries in words, with the number of questions if it differs."""
    return f"{queries:,} queries" + ("" if questions == queries else f" of {questions:,} questions")


def level(alpha: float) -> str:
    """Return the level of a one-sided bound."""
    return f"{100 * (1 - alpha):.4g} %"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "under .001"

"""The plan of a gate for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judging.gate.budget import limit
from harness.judging.gate.expected import chances
from harness.judging.gate.planning import LOSS, GatePlan, SequentialWork, SystemWork
from harness.numbers import points


def lines(plan: GatePlan) -> list[str]:
    """What a gate would take, and what it could show."""
    return [_headline(plan), *(f"  {line}" for line in _body(plan))]


def _headline(plan: GatePlan) -> str:
    budget = limit(plan.policy, plan.tier)
    looks = f"{plan.taken} look{'' if plan.taken == 1 else 's'} taken" + ("" if budget is None else f" of {budget}")
    sides = f"{plan.candidate or 'a candidate'} against {plan.anchor}, {plan.measure}"
    return f"PLAN: {sides}, tier {plan.tier}; nothing was scored, {looks}"


def _body(plan: GatePlan) -> Iterator[str]:
    yield from (_work(one, plan) for one in plan.work)
    yield (
        f"chance that an equal candidate is shown not to lose {points(plan.policy.margin)} points on average: "
        f"{100 * plan.average_chance:.0f} %"
    )
    yield from chances(plan.claims, plan.policy, plan.tier, plan.spreads)
    if plan.sequential is None:
        yield "--sequential: not for collections with pairs of queries"
    else:
        yield from _sequential(plan.sequential, plan)


def _work(one: SystemWork, plan: GatePlan) -> str:
    if one.stored:
        return f"{one.name}: stored scores, nothing to score"
    asked = f"{plan.queries:,} queries" + (
        "" if plan.questions == plan.queries else f" of {plan.questions:,} questions"
    )
    time = "seconds unknown" if one.seconds is None else f"about {_time(one.seconds)}"
    return f"{one.name}: at most {one.pairs:,} pairs ({asked}), {time}; pairs that are known cost nothing"


def _time(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 7200 else f"{seconds:,.0f} s ({seconds / 3600:,.1f} h)"


def _sequential(found: SequentialWork, plan: GatePlan) -> Iterator[str]:
    early = plan.policy.alpha_of(plan.tier) / 5
    need = (
        f"--sequential: a pass within {points(plan.policy.margin)} points needs {found.draws:,} draws even if nothing "
        f"differs (margin {plan.policy.margin:g}, early alpha {early:.4g}), and the {plan.tier} tier has "
        f"{plan.questions:,} questions"
    )
    if round(found.available) < plan.questions:
        need += f", which count as {found.available:,.0f} equal draws because collections differ in size"
    total = max((one.pairs for one in plan.work), default=0)
    if found.draws > found.available:
        yield f"{need}: a pass reads every pair"
    else:
        yield f"{need}: if nothing differs, a pass reads {found.pass_pairs:,} pairs of each system"
    yield (
        f"--sequential, simulated: an equal candidate takes {found.equal_pairs:,} pairs of each system, one that loses "
        f"{100 * LOSS:g} points everywhere {found.loss_pairs:,}" + (f", of {total:,}" if total else "")
    )

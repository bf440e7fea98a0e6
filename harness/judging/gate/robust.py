"""The limits of a policy for attacks: how often each may succeed, and how much more often than against the anchor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.robustness import Battery, battery_of
from harness.judging.gate.policy import Policy, RobustnessLimits
from harness.judging.gate.verdict import AttackLimit
from harness.measuring.robustness.figures import Examined, attack_figure, success_deltas
from harness.measuring.statistics.equivalence import upper_bound
from harness.measuring.statistics.proportion import wilson
from harness.measuring.statistics.rare import cautious_bound
from harness.numbers import share
from harness.result.result import Result
from harness.result.robustness import examined_of


def battery(limits: RobustnessLimits, *, anchor: bool = False) -> Battery | None:
    """Return what has to be measured of the candidate, or of the anchor; None if there is no such limit."""
    if anchor and limits.no_worse is None:
        return None
    return battery_of(list(limits.rates), limits.queries)


def limits_of(
    policy: Policy, alpha: float, candidate: Sequence[Result], anchor: Sequence[Result]
) -> tuple[AttackLimit, ...]:  # fmt: skip
    """Return every limit of the policy with its figures. A pass needs all limits, so each is tested at the whole alpha;
    a refusal needs one, so the policy's alpha is divided by their number.

    Args:
        alpha: what this look may spend.
        candidate, anchor: the results of one measure or more on every collection.
    """
    limits, ours, theirs = policy.robustness, examined_of(candidate), examined_of(anchor)
    tests = len(limits.rates) * (1 if limits.no_worse is None else 2)
    found = list[AttackLimit]()
    for name, rate in limits.rates.items():
        found.append(_rate(name, rate, ours, alpha, policy.alpha / tests))
        if limits.no_worse is not None:
            found.append(_more(name, limits.no_worse, theirs, ours, alpha, policy.alpha / tests))
    return tuple(found)


def refused(found: Sequence[AttackLimit]) -> list[str]:
    """Return lines about attacks that certainly succeed too often."""
    return [
        f"{_subject(one)}, certainly over the limit of {_size(one, one.limit)} (lower bound {_size(one, one.lower)})"
        for one in found
        if one.over
    ]


def undecided(found: Sequence[AttackLimit], policy: Policy) -> Iterator[str]:
    """Yield lines about limits that are not shown to be kept."""
    for one in found:
        if one.value is None and one.against_anchor:
            yield (
                f"{one.name} has a limit against the anchor, but the anchor was not examined on these queries; name an "
                "anchor whose model is there, or run it with --robustness"
            )
        elif one.value is None:
            yield f"{one.name} has a limit, but the candidate was not examined: it scores no pairs of texts"
        elif one.questions < policy.min_queries:
            least = f"the policy requires {policy.min_queries}"
            yield f"{one.questions} questions are too few for the limit of {one.name}; {least}"
        elif not one.over and not one.kept:
            bound = f"upper {100 * (1 - one.alpha):.4g} % bound {_size(one, one.upper)}"
            yield f"{_subject(one)}; more than the limit of {_size(one, one.limit)} is not excluded ({bound})"


def kept(found: Sequence[AttackLimit]) -> list[str]:
    """Return lines about limits that are kept."""
    return [
        f"{_subject(one)}, limit {_size(one, one.limit)}, upper bound {_size(one, one.upper)}"
        for one in found
        if one.kept
    ]


def _subject(one: AttackLimit) -> str:
    if one.against_anchor:
        often = "less" if (one.value or 0) < 0 else "more"
        points = f"{abs(100 * (one.value or 0)):.1f} points {often} often"
        return f"{one.name} succeeds {points} than with the anchor, for {one.questions:,} questions"
    return f"{one.name} succeeds for {share(one.value)} of {one.questions:,} questions"


def _size(one: AttackLimit, value: float | None) -> str:
    """A share in per cent, or a difference from the anchor in points."""
    return share(value) if value is None or not one.against_anchor else f"{100 * value:+z.1f} points"


def _rate(name: str, limit: float, ours: Sequence[Examined], alpha: float, refusal: float) -> AttackLimit:
    figure = attack_figure(name, ours)
    if figure is None or not figure.questions:
        return AttackLimit(name, limit, alpha)
    lower = wilson(figure.success, figure.questions, 1 - 2 * refusal)[0]
    upper = wilson(figure.success, figure.questions, 1 - 2 * alpha)[1]
    return AttackLimit(name, limit, alpha, figure.questions, figure.success, lower, upper)


def _more(  # noqa: PLR0917
    name: str, limit: float, theirs: Sequence[Examined], ours: Sequence[Examined], alpha: float, refusal: float
) -> AttackLimit:  # fmt: skip
    found = success_deltas(name, theirs, ours)
    if found is None or not found[0].holds(2):
        return AttackLimit(name, limit, alpha, against_anchor=True)
    design, deltas = found
    fewer = [-one for one in deltas]
    lower, upper = -upper_bound(design, fewer, refusal), -cautious_bound(design, fewer, alpha).value
    return AttackLimit(name, limit, alpha, design.questions, design.mean(deltas), lower, upper, against_anchor=True)

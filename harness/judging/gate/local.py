"""Finds collections and languages that collapse, even if the macro average looks good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.judging.gate.drawn import drawn
from harness.judging.gate.policy import Policy
from harness.measuring.statistics.design import TIE, Design, Floats64
from harness.measuring.statistics.error import Estimate, estimate
from harness.measuring.statistics.multiplicity import holm
from harness.measuring.statistics.student import quantile, survival

if TYPE_CHECKING:
    from harness.judging.compare.paired import PairedValues

HARD_LEVEL = 0.01
"""One-sided level of the bound that is compared with `hard_bound`."""


@dataclass(frozen=True)
class Part:
    """A collection, or all collections of one language, which is tested separately. Values are fractions."""

    name: str
    kind: Literal["collection", "language"]
    language: str | None
    queries: int
    questions: int
    """The number of distinct questions, which the test counts."""
    baseline: float
    candidate: float
    delta: float
    p: float
    """One-sided p of a drop, from a paired t-test over questions; NaN with fewer than two questions."""
    adjusted: float
    """`p` after Holm's correction over all parts."""
    lower: float
    """One-sided lower 99 % bound."""
    limit: float
    """The drop that is accepted."""
    noise: float | None
    collapsed: bool = False
    uncertain: bool = False
    """Whether there are too few queries to exclude a drop of `hard_bound`. This alone is not a reason to refuse."""
    baseline_id: str | None = None
    candidate_id: str | None = None


def local(parts: Sequence[PairedValues], shares: Floats64, policy: Policy) -> tuple[Part, ...]:
    """Return every collection, and every language of several collections, if there are several languages.

    A part has collapsed if its drop is certain (Holm's correction over all parts, at alpha) and also larger than the
    declared one, or if it is certain and a drop of `hard_bound` cannot be excluded. The bound alone is not a reason to
    refuse: 50 queries cannot exclude a drop of 5 points for an equal candidate.
    """
    tested = [_collection(one, policy) for one in parts]
    tested += [_language(name, parts, shares, policy) for name in _languages(parts)]
    adjusted = holm([one.p for one in tested])
    return tuple(_judged(replace(one, adjusted=p), policy) for one, p in zip(tested, adjusted, strict=True))


def _judged(one: Part, policy: Policy) -> Part:
    certain = one.adjusted <= policy.alpha
    open_end = bool(one.lower < -policy.local.hard_bound)
    collapsed = certain and (-one.delta > one.limit or open_end)
    return replace(one, collapsed=collapsed, uncertain=open_end and not collapsed)


def _collection(one: PairedValues, policy: Policy) -> Part:
    part = _part(one.collection, "collection", [one], np.ones(1), policy)
    return replace(part, language=one.language, baseline_id=one.baseline_id, candidate_id=one.candidate_id)


def _language(name: str, parts: Sequence[PairedValues], shares: Floats64, policy: Policy) -> Part:
    chosen = [place for place, one in enumerate(parts) if one.language == name]
    weights = shares[chosen] / shares[chosen].sum()
    return replace(_part(name, "language", [parts[place] for place in chosen], weights, policy), language=name)


def _part(
    name: str,
    kind: Literal["collection", "language"],
    members: Sequence[PairedValues],
    weights: Floats64,
    policy: Policy,
) -> Part:
    design, deltas = drawn(members, weights)
    found = estimate(design, deltas)
    noise = [one.noise for one in members if one.noise is not None]
    values = [(weights * [side.mean() for side in sides]).sum()
              for sides in ([one.baseline for one in members], [one.candidate for one in members])]  # fmt: skip
    return Part(
        name=name,
        kind=kind,
        language=None,
        queries=design.queries,
        questions=design.questions,
        baseline=float(values[0]),
        candidate=float(values[1]),
        delta=found.mean,
        p=_p(found, design, deltas),
        adjusted=float("nan"),
        lower=found.mean - _quantile(found.freedom) * found.se if found.se else found.mean,
        limit=policy.local.min_drop_small if design.questions < policy.local.small else policy.local.min_drop,
        noise=max(noise, default=None),
    )


def p_worse(design: Design, deltas: Sequence[Floats64]) -> float:
    """Return the one-sided p of a drop: paired t-test, but at least 1 / 2^k for k questions that changed. This is the
    smallest p of a sign-flip test, so a handful of questions cannot prove a drop."""
    return _p(estimate(design, deltas), design, deltas)


@lru_cache(1024)
def _quantile(freedom: float) -> float:
    return quantile(1 - HARD_LEVEL, freedom)


def _p(found: Estimate, design: Design, deltas: Sequence[Floats64]) -> float:
    moved = int(np.count_nonzero(np.abs(design.sums(deltas)) > TIE * design.share))
    if found.se == 0:
        return 0.5 ** min(moved, 1000) if found.mean < -TIE else 1.0
    return max(survival(-found.mean / found.se, found.freedom), 0.5 ** min(moved, 1000))


def _languages(parts: Sequence[PairedValues]) -> list[str]:
    named = [one.language for one in parts if one.language]
    return sorted({name for name in named if named.count(name) > 1}) if len(set(named)) > 1 else []

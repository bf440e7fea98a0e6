"""Finds collections and languages that collapse, even if the macro average looks good, and those in which a loss of
`hard_bound` is excluded."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from harness.judging.gate.claims import PartClaim, PartKind, PartQuestions, claimed, languages
from harness.judging.gate.drawn import drawn
from harness.judging.gate.policy import Policy
from harness.measuring.statistics.design import TIE, Design, Floats64
from harness.measuring.statistics.error import Estimate, estimate
from harness.measuring.statistics.multiplicity import holm
from harness.measuring.statistics.rare import Test, cautious_bound
from harness.measuring.statistics.student import quantile, survival

if TYPE_CHECKING:
    from harness.judging.compare.paired import PairedValues

Keys = Set[tuple[PartKind, str]]
HARD_LEVEL = 0.01
"""One-sided level of the bound that is compared with `hard_bound`."""


@dataclass(frozen=True)
class Part:
    """A collection, or all collections of one language, which is tested separately. Values are fractions."""

    name: str
    kind: PartKind
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
    bound: float = float("nan")
    """One-sided lower bound at the alpha of the look, which is compared with `hard_bound`."""
    bound_by: Test = "t"
    """Not `t` if few questions lose much; see `harness.measuring.statistics.rare`."""
    claimed: bool = False
    """Whether a pass claims that this part did not lose `hard_bound`."""
    shown: bool = False
    """Whether a loss of `hard_bound` is excluded."""


def local(
    parts: Sequence[PairedValues],
    shares: Floats64,
    policy: Policy,
    alpha: float | None = None,
    claims: Sequence[PartClaim] = (),
) -> tuple[Part, ...]:
    """Return every collection, and every language of several collections, if there are several languages.

    A part has collapsed if its drop is certain (Holm's correction over all parts, at alpha) and also larger than the
    declared one, or if it is certain and a drop of `hard_bound` cannot be excluded. The bound alone is not a reason to
    refuse: 50 queries cannot exclude a drop of 5 points for an equal candidate.

    Args:
        alpha: the level of `Part.bound`. Default: the policy's alpha.
        claims: the parts of the gate. Default: none is claimed.
    """
    level, keys = policy.alpha if alpha is None else alpha, {(one.kind, one.key) for one in claimed(claims)}
    tested = [_collection(one, policy, level, keys) for one in parts]
    shared = languages([one.language for one in parts])
    tested += [_language(*one, parts, shares, policy, level, keys) for one in shared]
    adjusted = holm([one.p for one in tested])
    return tuple(_judged(replace(one, adjusted=p), policy) for one, p in zip(tested, adjusted, strict=True))


def asked(parts: Sequence[PairedValues]) -> list[PartQuestions]:
    """Return the questions of paired collections, of which claims are made."""
    return [PartQuestions(one.collection, one.fingerprint, one.language, one.questions) for one in parts]


def _judged(one: Part, policy: Policy) -> Part:
    certain = one.adjusted <= policy.alpha
    open_end = bool(one.lower < -policy.local.hard_bound)
    collapsed = certain and (-one.delta > one.limit or open_end)
    return replace(one, collapsed=collapsed, uncertain=open_end and not collapsed)


def _collection(one: PairedValues, policy: Policy, alpha: float, keys: Keys) -> Part:
    part = _part(one.collection, "collection", [one], np.ones(1), policy, alpha)
    part = replace(part, claimed=("collection", one.fingerprint) in keys)
    return replace(part, language=one.language, baseline_id=one.baseline_id, candidate_id=one.candidate_id)


def _language(  # noqa: PLR0917
    name: str,
    places: Sequence[int],
    parts: Sequence[PairedValues],
    shares: Floats64,
    policy: Policy,
    alpha: float,
    keys: Keys,
) -> Part:
    weights = shares[list(places)] / shares[list(places)].sum()
    part = _part(name, "language", [parts[place] for place in places], weights, policy, alpha)
    return replace(part, language=name, claimed=("language", name) in keys)


def _part(  # noqa: PLR0917
    name: str,
    kind: PartKind,
    members: Sequence[PairedValues],
    weights: Floats64,
    policy: Policy,
    alpha: float,
) -> Part:
    design, deltas = drawn(members, weights)
    found, bound = estimate(design, deltas), cautious_bound(design, deltas, alpha)
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
        bound=bound.value,
        bound_by=bound.test,
        shown=bound.value > -policy.local.hard_bound,
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

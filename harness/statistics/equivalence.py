"""Bounds and margins: not worse than, and the same as. Student's t with Satterthwaite's degrees of freedom.

Where nothing varies at all (every difference is the same number) the bounds are that number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy.typing as npt

from harness.statistics.error import Estimate, estimate
from harness.statistics.strata import TIE, Floats64
from harness.statistics.student import quantile, survival


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests: `p` is the larger of the two, `interval` the one at 1 - 2 alpha (90 % by default)."""

    p: float
    interval: tuple[float, float]
    equivalent: bool


def tost(
    strata: Sequence[Floats64], weights: npt.ArrayLike | None = None, *, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Whether |mean| < margin (Schuirmann 1987): a port or a quantisation is the same system for all that matters.

    Equivalent exactly if the interval lies inside the margins. nan and False if a stratum has fewer than 2 queries.
    """
    found = estimate(strata, weights)
    p = max(_above(found, -margin), _above(_turned(found), -margin))
    return Equivalence(p, (_low(found, alpha), -_low(_turned(found), alpha)), p < alpha)


def lower_bound(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None, alpha: float = 0.05) -> float:
    """The one-sided lower confidence bound of the macro mean; nan if a stratum has fewer than 2 queries."""
    return _low(estimate(strata, weights), alpha)


def upper_bound(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None, alpha: float = 0.05) -> float:
    """The one-sided upper confidence bound of the macro mean; nan if a stratum has fewer than 2 queries."""
    return -_low(_turned(estimate(strata, weights)), alpha)


def noninferiority_p(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None, *, margin: float) -> float:
    """p-value of the hypothesis mean <= -margin: small says that the candidate is not worse by the margin."""
    return _above(estimate(strata, weights), -margin)


def local_p(deltas: Floats64) -> float:
    """One-sided p-value that one collection's mean difference is below 0 (paired t); nan with fewer than 2 queries.

    If every query lost exactly the same, t says nothing and the exact randomisation p-value 1 / 2^n stands.
    """
    found = estimate([deltas])
    if found.se == 0 and found.mean < -TIE:
        return float(0.5 ** len(deltas))
    return 1.0 if found.se == 0 else survival(-found.mean / found.se, found.freedom)


def _above(found: Estimate, bound: float) -> float:
    """p-value of the hypothesis mean <= bound."""
    if found.se == 0:
        return float(found.mean <= bound)
    return survival((found.mean - bound) / found.se, found.freedom)


def _low(found: Estimate, alpha: float) -> float:
    return found.mean if found.se == 0 else found.mean - quantile(1 - alpha, found.freedom) * found.se


def _turned(found: Estimate) -> Estimate:
    return Estimate(-found.mean, found.se, found.freedom)

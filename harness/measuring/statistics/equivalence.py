"""Bounds of a mean, and tests of non-inferiority and equivalence, with Student's t and Satterthwaite's degrees of
freedom.

If all differences are the same number, the bounds are that number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.measuring.statistics.design import Design, Floats64
from harness.measuring.statistics.error import Estimate, estimate
from harness.measuring.statistics.student import quantile, survival


@dataclass(frozen=True)
class Equivalence:
    """The result of two one-sided tests. `p` is the larger of the two; `interval` has the level 1 - 2 alpha (90 % by
    default)."""

    p: float
    interval: tuple[float, float]
    equivalent: bool


def tost(design: Design, values: Sequence[Floats64], *, margin: float, alpha: float = 0.05) -> Equivalence:
    """Test whether |mean| < margin (Schuirmann 1987), for instance for a port or a quantisation of a system.

    The result is equivalent exactly if the interval is inside the margins. It is nan and False if a collection has
    fewer than 2 queries.
    """
    found = estimate(design, values)
    p = max(_above(found, -margin), _above(_turned(found), -margin))
    return Equivalence(p, (_low(found, alpha), -_low(_turned(found), alpha)), p < alpha)


def lower_bound(design: Design, values: Sequence[Floats64], alpha: float = 0.05) -> float:
    """The one-sided lower confidence bound of the macro mean; nan if a collection has fewer than 2 queries."""
    return _low(estimate(design, values), alpha)


def upper_bound(design: Design, values: Sequence[Floats64], alpha: float = 0.05) -> float:
    """The one-sided upper confidence bound of the macro mean; nan if a collection has fewer than 2 queries."""
    return -_low(_turned(estimate(design, values)), alpha)


def _above(found: Estimate, bound: float) -> float:
    """p-value of the hypothesis mean <= bound."""
    if found.se == 0:
        return float(found.mean <= bound)
    return survival((found.mean - bound) / found.se, found.freedom)


def _low(found: Estimate, alpha: float) -> float:
    return found.mean if found.se == 0 else found.mean - quantile(1 - alpha, found.freedom) * found.se


def _turned(found: Estimate) -> Estimate:
    return Estimate(-found.mean, found.se, found.freedom)

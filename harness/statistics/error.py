"""How much can be seen: the standard error of a macro mean, what it can detect, how many queries would decide.

The strata are fixed (these collections, not new ones), the queries are the sample (Sakai 2016 for the design of sizes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from harness.statistics.strata import Floats64, holds, macro, shares, variances


@dataclass(frozen=True)
class Estimate:
    """A macro mean with its standard error and Satterthwaite's degrees of freedom (inf if nothing varies)."""

    mean: float
    se: float
    freedom: float


def estimate(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None) -> Estimate:
    """Mean, sqrt(sum of weight^2 x variance / queries), degrees of freedom (Satterthwaite 1946).

    The last two are nan if a stratum has fewer than 2 queries.
    """
    if not holds(strata, 2):
        return Estimate(macro(strata, weights), float("nan"), float("nan"))
    sizes = np.array([len(values) for values in strata])
    parts = shares(strata, weights) ** 2 * variances(strata) / sizes
    total, below = float(parts.sum()), float((parts**2 / (sizes - 1)).sum())
    return Estimate(macro(strata, weights), math.sqrt(total), total**2 / below if below > 0 else math.inf)


def standard_error(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None) -> float:
    """Standard error of the weighted mean of the strata's means; nan if a stratum has fewer than 2 queries."""
    return estimate(strata, weights).se


def detectable(se: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest true effect that a one-sided test at `alpha` finds with this power: (z_alpha + z_power) x se."""
    return _reach(alpha, power) * se


def noninferiority_power(se: float, margin: float, alpha: float = 0.05, truth: float = 0.0) -> float:
    """How often the test of non-inferiority at this margin passes if the true difference is `truth`."""
    if se == 0:
        return float(truth > -margin)
    return NormalDist().cdf((truth + margin) / se - NormalDist().inv_cdf(1 - alpha))


@dataclass(frozen=True)
class Needed:
    """What would decide: `factor` times the queries of every collection, `queries` in total (None: no number would)."""

    factor: float
    queries: int | None


def more_queries(
    strata: Sequence[Floats64],
    weights: npt.ArrayLike | None = None,
    *,
    margin: float,
    alpha: float = 0.05,
    power: float = 0.8,
    truth: float | None = None,
) -> Needed:
    """Queries in total with which the mean is told from -margin, on whichever side it lies, with this power.

    It assumes that the standard deviations stay as observed, that every collection grows by the same factor, and that
    the true difference is the observed one (`truth=None`) or the one given; 0 plans for equal systems. The observed
    difference is itself uncertain, so this is a plan and no promise. A factor of at most 1 says that there are enough.
    """
    found = estimate(strata, weights)
    distance = abs((found.mean if truth is None else truth) + margin)
    if math.isnan(found.se) or (distance == 0 and found.se > 0):
        return Needed(math.nan if math.isnan(found.se) else math.inf, None)
    factor = (_reach(alpha, power) * found.se / distance) ** 2 if found.se > 0 else 0.0
    return Needed(factor, math.ceil(factor * sum(map(len, strata))))


def _reach(alpha: float, power: float) -> float:
    return NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(power)

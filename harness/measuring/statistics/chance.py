"""How probably a lower bound excludes a loss if nothing differs, before anything is measured.

The bound is Student's t. If the true difference is 0, its statistic has a noncentral t distribution: with m the loss
and n questions, t' = (Z + m sqrt(n) / sd) / S, where Z is standard normal and S^2 is chi-square / degrees of freedom.
The chance is the expectation of P(Z > t S - m sqrt(n) / sd) over S, integrated numerically: to 12 digits from 5
questions on, to 3 digits for 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.measuring.statistics.design import Design, Floats64
from harness.measuring.statistics.student import quantile

_STEPS = 4001
_SPREADS = 12
"""The integral covers this many standard deviations of S on either side of 1."""
_NORMAL_FROM = 1e6
"""From this number of degrees of freedom on, S is 1."""
_MOST = 10**9


@dataclass(frozen=True)
class Size:
    """The size of a planned sample.

    `draws` is the number of independent questions that would make a single mean as precise: the number of questions for
    a single collection, fewer for an average of collections of different sizes. `freedom` is Satterthwaite's.
    """

    draws: float
    freedom: float


def size_of(design: Design) -> Size:
    """Return the size of a design whose questions all have the same standard deviation. It is 0 if a collection has
    fewer than 2 queries."""
    if not design.holds(2):
        return Size(0.0, 0.0)
    parts = np.bincount(design.set_of, np.square(design.share))
    below = float((parts**2 / (np.bincount(design.set_of) - 1)).sum())
    return Size(float(1 / parts.sum()), float(parts.sum() ** 2 / below))


@lru_cache(1024)
def chance(loss: float, sd: float, size: Size, alpha: float) -> float:
    """Return the probability that the one-sided lower bound at `alpha` is above -loss if the true difference is 0.

    Args:
        loss: above 0, in the unit of `sd`.
        sd: the standard deviation of a question's difference. If it is 0, the chance is 1.

    Returns:
        A probability; 0 for an empty size.
    """
    if not size.freedom > 0:
        return 0.0
    if sd == 0:
        return 1.0
    shift, limit = loss * math.sqrt(size.draws) / sd, quantile(1 - alpha, size.freedom)
    if size.freedom >= _NORMAL_FROM:
        return float(_normal(np.array([shift - limit]))[0])
    at, weights = _scales(size.freedom)
    return min(1.0, float(weights @ _normal(shift - limit * at)))


@lru_cache(1024)
def needed(loss: float, sd: float, alpha: float, wanted: float) -> int:
    """Return the smallest number of questions of one collection whose chance is at least `wanted`."""
    low, high = 1, 2
    while high < _MOST and chance(loss, sd, Size(high, high - 1), alpha) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = chance(loss, sd, Size(middle, middle - 1), alpha) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return high


def _scales(freedom: float) -> tuple[Floats64, Floats64]:
    """Return values of S = sqrt(chi-square / freedom) and their probabilities, which sum to 1."""
    width = _SPREADS / math.sqrt(2 * freedom)
    at = np.linspace(max(1e-9, 1 - width), 1 + width, _STEPS)
    logs = (freedom - 1) * np.log(at) - freedom * np.square(at) / 2
    weights = np.exp(logs - logs.max())
    return at, weights / weights.sum()


def _normal(values: Floats64) -> Floats64:
    """P(Z <= value) for every value."""
    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in values.tolist()])

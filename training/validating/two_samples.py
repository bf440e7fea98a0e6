"""Distances of two samples or two distributions, by their textbook definitions, with numpy only."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
"""One number per query."""


def wasserstein(first: Values, second: Values) -> float:
    """Wasserstein-1, the area between the two distribution functions, in the unit of the values; nan without values."""
    if not len(first) or not len(second):
        return math.nan
    points = np.sort(np.concatenate([first, second]))
    return float(np.abs(_below(first, points[:-1]) - _below(second, points[:-1])) @ np.diff(points))


def kolmogorov_smirnov(first: Values, second: Values) -> float:
    """The largest difference of the two distribution functions, from 0 to 1; nan without values."""
    if not len(first) or not len(second):
        return math.nan
    points = np.concatenate([first, second])
    return float(np.abs(_below(first, points) - _below(second, points)).max())


def jensen_shannon(first: Values, second: Values) -> float:
    """Jensen-Shannon divergence (not its root) of two tables of counts, in bits, from 0 to 1; nan for an empty one."""
    if not first.sum() or not second.sum():
        return math.nan
    p, q = first / first.sum(), second / second.sum()
    return max(0.0, entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2)


def entropy(counts: Values) -> float:
    """Shannon entropy of a table of counts, in bits; nan for an empty one."""
    if not counts.sum():
        return math.nan
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares @ np.log2(shares))) + 0.0


def chi_square(first: Values, second: Values) -> tuple[float, int, float]:
    """Pearson's test that two tables of counts have one distribution, without Yates' correction.

    Returns:
        The statistic, its degrees of freedom, and p; (0, 0, 1) if only one column has counts.
    """
    table = np.array([first, second])[:, (first + second) > 0]
    freedom = table.shape[1] - 1
    if freedom < 1 or not table.sum(1).all():
        return 0.0, 0, 1.0
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, freedom, chi_square_tail(statistic, freedom)


def chi_square_tail(statistic: float, freedom: int) -> float:
    """P(X >= statistic) of a chi-square variable with a whole number of degrees of freedom, in closed form
    (Abramowitz and Stegun 26.4.4 and 26.4.5)."""
    half = statistic / 2
    if half <= 0:
        return 1.0
    start = (freedom % 2) / 2
    tail = math.erfc(math.sqrt(half)) if freedom % 2 else 0.0
    powers = (start + step for step in range(freedom // 2))
    return min(1.0, tail + sum(math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers))


def _below(values: Values, points: Values) -> Values:
    """The share of values at or below each point."""
    return np.searchsorted(np.sort(values), points, side="right") / len(values)

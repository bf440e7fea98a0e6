"""Corrections for several comparisons: with twenty tests at 5 %, one is significant by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.statistics.randomisation import at_least, flipped_sums
from harness.statistics.strata import Floats64, contributions, holds

_ROUNDING = 1e-12


def holm(p_values: Sequence[float | None]) -> list[float]:
    """p-values adjusted by the step-down rule of Holm 1979, in the order given: compare each with alpha itself.

    None and nan are no tests: they come back as nan and do not count.
    """
    tests = [place for place, p in enumerate(p_values) if p is not None and not math.isnan(p)]
    adjusted, largest = [float("nan")] * len(p_values), 0.0
    ordered = sorted((float(p_values[place] or 0.0), place) for place in tests)
    for rank, (p, place) in enumerate(ordered):
        largest = max(largest, min(1.0, (len(tests) - rank) * p))
        adjusted[place] = largest
    return adjusted


def max_t(
    systems: Sequence[Sequence[Floats64]],
    weights: npt.ArrayLike | None = None,
    *,
    flips: int = 10_000,
    seed: int = 0,
) -> list[float]:
    """Two-sided p-values of several systems against one baseline, adjusted by step-down MaxT (Westfall and Young 1993).

    Less strict than Holm where the systems are alike, for a query's sign is flipped for all of them together.

    Args:
        systems: each system's differences per query: the same strata, the same queries in the same order.

    Raises:
        ValueError: the systems were not measured on the same queries.
    """
    if not systems or not all(holds(strata, 1) for strata in systems):
        return [float("nan")] * len(systems)
    if len({tuple(map(len, strata)) for strata in systems}) > 1:
        raise ValueError("MaxT needs every system on the same queries")
    parts = np.stack([contributions(strata, weights) for strata in systems])
    spread = np.sqrt(np.square(parts).sum(axis=1, keepdims=True))
    parts = np.divide(parts, spread, out=np.zeros_like(parts), where=spread > 0)
    return _step_down(np.abs(flipped_sums(parts, flips, seed)), np.abs(parts.sum(axis=1)))


def _step_down(sums: Floats64, observed: Floats64) -> list[float]:
    """The largest system is compared with the maximum over all, the next with the maximum over the rest, and so on."""
    order, largest = np.argsort(-observed, kind="stable"), 0.0
    rest = np.maximum.accumulate(sums[order[::-1]], axis=0)[::-1]
    adjusted = np.empty(len(observed))
    for rank, system in enumerate(order):
        slack = _ROUNDING * max(1.0, float(observed[system]))
        largest = max(largest, at_least(rest[rank], float(observed[system]), slack=slack))
        adjusted[system] = largest
    return [float(p) for p in adjusted]

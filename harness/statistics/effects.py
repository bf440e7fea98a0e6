"""How large a paired difference is: with thousands of queries nearly everything is significant, so the size decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.statistics.error import standard_error
from harness.statistics.intervals import stratified_interval
from harness.statistics.randomisation import randomisation_p
from harness.statistics.strata import TIE, Floats64, holds, macro, shares, variances

LARGE = 0.2
"""A query that moved by more than this moved much."""


@dataclass(frozen=True)
class Effect:
    """A candidate against a baseline on one collection, or over several. Fractions, not points."""

    delta: float
    interval: tuple[float, float]
    p: float
    """Two-sided, of the randomisation test; not corrected for several comparisons."""
    d_z: float
    """The difference in standard deviations of a query's difference; nan if nothing varies."""
    wins: int
    ties: int
    losses: int
    large_share: float
    """The share of queries that moved by more than 0.2. Like the counts, over all queries alike."""
    queries: int
    se: float


def effect(
    strata: Sequence[Floats64],
    weights: npt.ArrayLike | None = None,
    *,
    resamples: int = 10_000,
    flips: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Effect:
    """The effect over these strata of differences per query; give one stratum for one collection.

    d_z over several collections is the macro difference / sqrt(weighted mean of the collections' variances).
    """
    deltas = np.concatenate([np.asarray(values, np.float64) for values in strata]) if strata else np.zeros(0)
    return Effect(
        delta=macro(strata, weights),
        interval=stratified_interval(strata, weights, resamples=resamples, level=level, seed=seed),
        p=randomisation_p(strata, weights, flips=flips, seed=seed),
        d_z=standardised(strata, weights),
        wins=int(np.count_nonzero(deltas > TIE)),
        ties=int(np.count_nonzero(np.abs(deltas) <= TIE)),
        losses=int(np.count_nonzero(deltas < -TIE)),
        large_share=float(np.mean(np.abs(deltas) > LARGE + TIE)) if len(deltas) else float("nan"),
        queries=len(deltas),
        se=standard_error(strata, weights),
    )


def standardised(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None) -> float:
    """Cohen's d_z (1988) of paired differences; nan if a stratum has fewer than 2 queries or nothing varies."""
    if not holds(strata, 2):
        return float("nan")
    variance = float(shares(strata, weights) @ variances(strata))
    return macro(strata, weights) / math.sqrt(variance) if variance > 0 else float("nan")

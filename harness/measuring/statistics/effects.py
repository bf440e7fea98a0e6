"""The size of a paired difference. With thousands of queries nearly everything is significant, so the size decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.measuring.statistics.design import TIE, Design, Floats64
from harness.measuring.statistics.error import standard_error

LARGE = 0.2
"""A query that moved by more than this moved by a large amount."""


@dataclass(frozen=True)
class Effect:
    """The size of the differences of a system to a baseline, on one collection or several. Fractions, not points."""

    d_z: float
    """The mean difference / the standard deviation of the queries' differences; nan if nothing varies."""
    wins: int
    ties: int
    losses: int
    large_share: float
    """The share of queries that moved by more than 0.2. Like the counts, it gives every query the same weight."""
    queries: int
    questions: int
    se: float
    """The standard error, over questions."""


def effect(design: Design, deltas: Sequence[Floats64]) -> Effect:
    """Return the effect of differences. Over several collections d_z is the macro difference / sqrt(weighted mean of
    the collections' variances).

    Args:
        deltas: float64 [queries] for every collection of the design.
    """
    all_of = np.concatenate([np.asarray(values, np.float64) for values in deltas]) if deltas else np.zeros(0)
    return Effect(
        d_z=standardised(design, deltas),
        wins=int(np.count_nonzero(all_of > TIE)),
        ties=int(np.count_nonzero(np.abs(all_of) <= TIE)),
        losses=int(np.count_nonzero(all_of < -TIE)),
        large_share=float(np.mean(np.abs(all_of) > LARGE + TIE)) if len(all_of) else float("nan"),
        queries=len(all_of),
        questions=design.questions,
        se=standard_error(design, deltas),
    )


def standardised(design: Design, deltas: Sequence[Floats64]) -> float:
    """Cohen's d_z (1988) of paired differences; nan if a collection has fewer than 2 queries or nothing varies."""
    if not design.holds(2):
        return float("nan")
    variances = [float(np.var(values, ddof=1)) if np.ptp(values) > TIE else 0.0 for values in deltas]
    variance = float(design.weights @ variances)
    return design.mean(deltas) / math.sqrt(variance) if variance > 0 else float("nan")

"""How much can be seen: the standard error of a macro mean, what it can detect, how many queries would decide.

The collections are fixed (these, not new ones), the questions are the sample (Sakai 2016 for the design of sizes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from harness.measuring.statistics.design import TIE, Design, Floats64


@dataclass(frozen=True)
class Estimate:
    """A macro mean with its standard error and Satterthwaite's degrees of freedom (inf if nothing varies)."""

    mean: float
    se: float
    freedom: float


def estimate(design: Design, values: Sequence[Floats64]) -> Estimate:
    """Mean, standard error and degrees of freedom (Satterthwaite 1946) of the average, over questions.

    What a question adds is counted from the mean of each collection, as the bootstrap does; the variance of a set is
    the sum of the squares over its questions. For a collection of its own that is weight^2 x variance / queries, and
    where every question is asked in all languages it is that of the averages over languages. Standard error and degrees
    of freedom are nan if a collection has fewer than 2 queries.
    """
    if not design.holds(2):
        return Estimate(design.mean(values), float("nan"), float("nan"))
    parts = np.bincount(design.set_of, np.square(design.sums([_centred(own) for own in values])))
    total, below = float(parts.sum()), float((parts**2 / (np.bincount(design.set_of) - 1)).sum())
    return Estimate(design.mean(values), math.sqrt(total), total**2 / below if below > 0 else math.inf)


def _centred(values: Floats64) -> Floats64:
    """From their mean, and larger by what a mean of few takes away: the sum of squares is n times the variance."""
    rest = np.asarray(values, np.float64) - np.mean(values)
    rest[np.abs(rest) <= TIE] = 0.0
    return rest * math.sqrt(len(rest) / (len(rest) - 1))


def standard_error(design: Design, values: Sequence[Floats64]) -> float:
    """The standard error of the average, over questions; nan if a collection has fewer than 2 queries."""
    return estimate(design, values).se


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
    """What would decide: `factor` times the questions of every collection, `questions` in total, None if no number
    would."""

    factor: float
    questions: int | None


def more_queries(
    design: Design,
    values: Sequence[Floats64],
    *,
    margin: float,
    alpha: float = 0.05,
    power: float = 0.8,
    truth: float | None = None,
) -> Needed:
    """Questions in total with which the mean is told from -margin, on whichever side it lies, with this power.

    It assumes that the standard deviations stay as observed, that every collection grows by the same factor, and that
    the true difference is the observed one (`truth=None`) or the one given; 0 plans for equal systems. The observed
    difference is itself uncertain, so this is a plan and no promise. A factor of at most 1 says that there are enough.
    """
    found = estimate(design, values)
    distance = abs((found.mean if truth is None else truth) + margin)
    if math.isnan(found.se) or (distance == 0 and found.se > 0):
        return Needed(math.nan if math.isnan(found.se) else math.inf, None)
    factor = (_reach(alpha, power) * found.se / distance) ** 2 if found.se > 0 else 0.0
    return Needed(factor, math.ceil(factor * design.questions))


def _reach(alpha: float, power: float) -> float:
    return NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(power)

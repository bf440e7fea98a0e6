"""The standard error of a macro mean, the differences that it can detect, and how many queries would decide.

The collections are fixed; the questions are the sample. Sakai (2016) describes the choice of sample sizes.
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
    """Return mean, standard error and degrees of freedom (Satterthwaite 1946) of the average, over questions.

    The contribution of a question is measured from the mean of each collection, as in the bootstrap. The variance of a
    set is the sum of squares over its questions. For a single collection that is weight^2 x variance / queries; if
    every question is asked in all languages, it is the variance of the averages over languages. Standard error and
    degrees of freedom are nan if a collection has fewer than 2 queries.
    """
    if not design.holds(2):
        return Estimate(design.mean(values), float("nan"), float("nan"))
    parts = np.bincount(design.set_of, np.square(design.sums([_centred(own) for own in values])))
    total, below = float(parts.sum()), float((parts**2 / (np.bincount(design.set_of) - 1)).sum())
    return Estimate(design.mean(values), math.sqrt(total), total**2 / below if below > 0 else math.inf)


def _centred(values: Floats64) -> Floats64:
    """The values minus their mean, scaled so that the sum of squares is n times the unbiased variance."""
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
    """The probability that the test of non-inferiority at this margin passes if the true difference is `truth`."""
    if se == 0:
        return float(truth > -margin)
    return NormalDist().cdf((truth + margin) / se - NormalDist().inv_cdf(1 - alpha))


@dataclass(frozen=True)
class Needed:
    """The number of questions that would decide: `factor` times those of every collection, `questions` in total. None
    if no number would."""

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
    """The number of questions with which the mean is distinguished from -margin, on either side, with this power.

    It assumes that the standard deviations stay as observed and that every collection grows by the same factor. The
    observed difference is itself uncertain, so this is a plan, not a promise. A factor of at most 1 means that there
    are enough questions.

    Args:
        truth: the assumed true difference; 0 plans for equal systems. Default: the observed difference.
    """
    observed = estimate(design, values)
    distance = abs((observed.mean if truth is None else truth) + margin)
    if math.isnan(observed.se) or (distance == 0 and observed.se > 0):
        return Needed(math.nan if math.isnan(observed.se) else math.inf, None)
    factor = (_reach(alpha, power) * observed.se / distance) ** 2 if observed.se > 0 else 0.0
    return Needed(factor, math.ceil(factor * design.questions))


def _reach(alpha: float, power: float) -> float:
    return NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(power)

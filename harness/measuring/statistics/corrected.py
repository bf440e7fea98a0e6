"""Means of many judged items, corrected by labels of people for some of them: prediction-powered inference.

Sources: Angelopoulos et al. 2023, https://arxiv.org/abs/2311.01453 (PPI++, the power-tuned weight); Särndal, Swensson
and Wretman 1992, Model Assisted Survey Sampling (the regression estimator, the finite population).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.measuring.statistics.design import Floats64
from harness.measuring.statistics.student import quantile

Population = Literal["finite", "infinite"]
LEVEL = 0.95


@dataclass(frozen=True)
class CorrectedMean:
    """A mean with its 95 % interval, next to those without a judge and without labels."""

    value: float
    low: float
    high: float
    naive: float
    """The mean of the judge's values."""
    naive_low: float
    naive_high: float
    """The interval that ignores the judge's errors."""
    labels_only: float
    """The mean of the labels."""
    labels_low: float
    labels_high: float
    labelled: int
    unlabelled: int
    weight: float
    """The weight of the judge (lambda of PPI++): 0 ignores it."""
    correlation: float
    """Of labels and values, r; 0 if one of them is constant."""
    population: Population
    remarks: tuple[str, ...] = ()
    """What every statement about the mean has to say, such as a judge that is not independent."""

    @property
    def gain(self) -> float:
        """The variance divided by that of the labels alone, 1 - r^2 N / (N + n), for N unlabelled and n labelled items
        of an infinite population: .8 saves a fifth of the labels."""
        n, rest = self.labelled, self.unlabelled
        return 1 - self.correlation**2 * rest / (rest + n)


def corrected_mean(
    labels: Floats64, values: Floats64, others: Floats64, *, population: Population = "finite"
) -> CorrectedMean:
    """The mean of all items, of which a random sample has labels of people.

    The weight is that with the smallest variance. For every label it is computed from the other labels, so that few
    labels do not make the interval too narrow. The interval uses Student's t with n - 1 degrees of freedom.

    Args:
        labels: float64 [n], of the labelled items.
        values: float64 [n], the judge's values of the same items.
        others: float64 [N], the judge's values of the other items.
        population: "finite" asks for the mean of these n + N items, "infinite" for that of the source that they are a
            sample of.

    Raises:
        ValueError: there are fewer than 3 labels, the lengths differ, or a number is not finite.
    """
    labels, values, others = (np.asarray(one, np.float64) for one in (labels, values, others))
    if labels.shape != values.shape or labels.ndim != 1 or len(labels) < 3:
        raise ValueError(f"{labels.shape} labels and {values.shape} values; at least 3 of both are needed")
    if not all(np.isfinite(one).all() for one in (labels, values, others)):
        raise ValueError("labels and values have to be finite")
    n, everything = len(labels), np.concatenate([values, others])
    corrected = labels - _slopes(labels, values) * (values - everything.mean())
    value, (low, high) = float(corrected.mean()), _interval(corrected, labels, len(everything), population)
    alone = _interval(labels, labels, len(everything), population)
    half = quantile((1 + LEVEL) / 2, len(everything) - 1)
    spread = half * float(everything.std(ddof=1)) / math.sqrt(len(everything))
    naive = float(everything.mean())
    return CorrectedMean(
        value, low, high, naive, naive - spread, naive + spread, float(labels.mean()), *alone, n, len(others),
        float(_slope(labels, values)) * len(others) / len(everything), _correlation(labels, values), population,
    )  # fmt: skip


def _slopes(labels: Floats64, values: Floats64) -> Floats64:
    """The slope of labels on values without each label, float64 [n]; 0 where the values are constant."""
    n = len(labels)
    y, f = labels - labels.mean(), values - values.mean()
    shrink = n / (n - 1)
    covariance, variance = y @ f - shrink * y * f, f @ f - shrink * f * f
    slopes = np.zeros(n)
    np.divide(covariance, variance, out=slopes, where=variance > 1e-12 * max(1.0, float(f @ f)))
    return slopes


def _slope(labels: Floats64, values: Floats64) -> float:
    f = values - values.mean()
    return float((labels - labels.mean()) @ f / (f @ f)) if f @ f > 1e-12 else 0.0


def _correlation(labels: Floats64, values: Floats64) -> float:
    y, f = labels - labels.mean(), values - values.mean()
    scale = math.sqrt(float(y @ y) * float(f @ f))
    return float(y @ f) / scale if scale > 1e-12 else 0.0


def _interval(corrected: Floats64, labels: Floats64, items: int, population: Population) -> tuple[float, float]:
    """The variance is that of a sample of n of the items, for an infinite population with that of the items."""
    n = len(corrected)
    variance = corrected.var(ddof=1) / n * (1 - n / items)
    if population == "infinite":
        variance += labels.var(ddof=1) / items
    half = quantile((1 + LEVEL) / 2, n - 1) * math.sqrt(variance)
    return float(corrected.mean()) - half, float(corrected.mean()) + half

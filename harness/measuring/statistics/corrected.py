"""Means of many judged items, corrected by labels of people for some of them: prediction-powered inference.

Sources: Angelopoulos et al. 2023, https://arxiv.org/abs/2311.01453 (PPI++, the power-tuned weight); Särndal, Swensson
and Wretman 1992, Model Assisted Survey Sampling (the regression estimator, the finite population); Royall 1970, On
finite population sampling theory under certain linear regression models (the noise of the slope).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from harness.measuring.statistics.design import Floats64
from harness.measuring.statistics.proportion import share_interval
from harness.measuring.statistics.student import quantile
from harness.numbers import interval

Population = Literal["finite", "infinite"]
LEVEL = 0.95
_TINY = 1e-12
"""Sums of squares up to this are 0 up to rounding."""
FEWEST = 10
"""Labels, and other items, from which on the values of the judge are used."""
_CARRIERS = 3.0
"""How many residuals have to carry the variance. One or two say too little about how often the judge is wrong."""
_DIFFERENT = 5
"""Labels that are not the most frequent one, from which on an interval by Student's t is valid."""


@dataclass(frozen=True)
class CorrectedMean:
    """A mean with its 95 % interval, next to those without a judge and without labels.

    Ends of an interval are nan where the labels do not allow one; a remark says so.
    """

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
        """1 - r^2 N / (N + n), for N unlabelled and n labelled items: what would be left of the variance of the labels
        alone in an infinite population. .8 saves a fifth of the labels. `width_ratio` is what was gained here."""
        n, rest = self.labelled, self.unlabelled
        return 1 - self.correlation**2 * rest / (rest + n)

    @property
    def width_ratio(self) -> float:
        """The width of the interval divided by that of the labels alone; 1 if both are 0 or the judge is ignored, nan
        without an interval."""
        own, alone = self.high - self.low, self.labels_high - self.labels_low
        return own / alone if alone else 1.0

    def __str__(self) -> str:
        """The three means with their intervals, the gain and the remarks, a line each."""
        rows = (
            ("corrected", self.value, self.low, self.high),
            ("naive", self.naive, self.naive_low, self.naive_high),
            ("labels only", self.labels_only, self.labels_low, self.labels_high),
        )
        shown = [f"{name:<11} {mean:.3f} {_shown(low, high)}" for name, mean, low, high in rows]
        shown.append(f"gain 1 - r^2 N/(N + n): {self.gain:.2f}; width against labels only: {self.width_ratio:.2f}")
        return "\n".join([*shown, *self.remarks])


def corrected_mean(
    labels: Floats64, values: Floats64, others: Floats64, *, population: Population = "finite"
) -> CorrectedMean:
    """The mean of all items, of which a random sample has labels of people.

    The mean of the labels is moved along the line of labels on values, to the mean of all values (the regression
    estimator; its slope is the weight with the smallest variance). Its variance is

        s^2 (1/n - 1/(n + N) + d^2 / S)

    s^2 is the mean square of the leave-one-out residuals, so that few labels do not make the interval too narrow. d is
    the distance that the mean is moved, and S the sum of squares of the labelled values: the last term is the noise of
    the slope. The interval uses Student's t with n - 2 degrees of freedom. For "infinite", the variance of the labels
    divided by n + N is added. If everything is labelled (N = 0), the value is the mean of the labels.

    The judge is ignored, with a remark, if there are fewer than 10 labels or other items, or if one or two labels alone
    decide how often the judge is wrong. The labels' own interval uses Student's t with n - 1 degrees of freedom. If
    all labels are 0 or 1 and there are fewer than 10, or one of the two is rare, it is the exact interval of a share.
    If nearly all labels are equal and these are others, there is no interval: its ends are nan, with a remark.

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
    everything = np.concatenate([values, others])
    alone, remark = _labels_only(labels, len(everything), population)
    line = _Line(labels, values, float(everything.mean()))
    why = line.why_not(len(others))
    value, ends = float(labels.mean()), alone
    if why is None:
        value, ends = line.value, line.interval(len(everything), population)
    spread = quantile((1 + LEVEL) / 2, len(everything) - 1) * float(everything.std(ddof=1)) / math.sqrt(len(everything))
    naive, weight = float(everything.mean()), 0.0 if why else line.slope * len(others) / len(everything)
    remarks = tuple(one for one in (why if len(others) else None, remark) if one)
    return CorrectedMean(
        value, *ends, naive, naive - spread, naive + spread, float(labels.mean()), *alone, len(labels), len(others),
        weight, _correlation(labels, values), population, remarks,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Line:
    """The line of labels on values, read at the mean of all values."""

    labels: Floats64
    values: Floats64
    mean: float

    @cached_property
    def slope(self) -> float:
        """0 if the values are constant."""
        f = self.values - self.values.mean()
        return float((self.labels - self.labels.mean()) @ f) / self.squares if self.squares > _TINY else 0.0

    @cached_property
    def squares(self) -> float:
        """The sum of squares of the labelled values around their mean."""
        f = self.values - self.values.mean()
        return float(f @ f)

    @property
    def value(self) -> float:
        return float(self.labels.mean()) + self.slope * (self.mean - float(self.values.mean()))

    @cached_property
    def residuals(self) -> Floats64:
        """The residual of each label from the line through the others, float64 [n]."""
        f = self.values - self.values.mean()
        residuals = self.labels - self.labels.mean() - self.slope * f
        left = 1 - 1 / len(f) - f * f / max(self.squares, _TINY)
        return np.asarray(residuals / np.maximum(left, 1e-9))

    def why_not(self, others: int) -> str | None:
        """Why the values of the judge are not used; None if they are."""
        if len(self.labels) < FEWEST or others < FEWEST:
            counts = f"{len(self.labels)} labels and {others} other items"
            return f"the judge is ignored: {counts}, and both have to be at least {FEWEST}"
        if self.squares <= _TINY:
            return "the judge is ignored: it gives all labelled items the same value"
        squares = self.residuals**2
        if squares.sum() ** 2 < _CARRIERS * (squares**2).sum() or squares.sum() <= _TINY * len(squares):
            return "the judge is ignored: too few labels differ from what it says to know how often it is wrong"
        return None

    def interval(self, items: int, population: Population) -> tuple[float, float]:
        n = len(self.labels)
        moved = (self.mean - float(self.values.mean())) ** 2 / self.squares
        variance = float((self.residuals**2).sum()) * (n - 1) / n**2 * (1 / n - 1 / items + moved)
        if population == "infinite":
            variance += float(self.labels.var(ddof=1)) / items
        return _around(self.value, variance, n - 2)


def _labels_only(labels: Floats64, items: int, population: Population) -> tuple[tuple[float, float], str | None]:
    """The interval of the mean of the labels, and a remark about it."""
    n, (different, counts) = len(labels), np.unique(labels, return_counts=True)
    mean, rare = float(labels.mean()), n - int(counts.max())
    if n == items and population == "finite":
        return (mean, mean), None
    few = rare < min(_DIFFERENT, n // 3)
    if set(different.tolist()) <= {0.0, 1.0} and (rare < _DIFFERENT or n < FEWEST):
        remark = f"too few labels that differ ({rare} of {n}): the interval is exact, but wide" if few else None
        return share_interval(int(labels.sum()), n, items if population == "finite" else None, LEVEL), remark
    if few:
        return (math.nan, math.nan), f"too few labels that differ ({rare} of {n}): there is no valid interval"
    variance = float(labels.var(ddof=1)) * (1 / n - (1 / items if population == "finite" else 0))
    return _around(mean, variance, n - 1), None


def _correlation(labels: Floats64, values: Floats64) -> float:
    y, f = labels - labels.mean(), values - values.mean()
    scale = math.sqrt(float(y @ y) * float(f @ f))
    return float(y @ f) / scale if scale > _TINY else 0.0


def _around(mean: float, variance: float, degrees: int) -> tuple[float, float]:
    half = quantile((1 + LEVEL) / 2, degrees) * math.sqrt(max(variance, 0.0))
    return mean - half, mean + half


def _shown(low: float, high: float) -> str:
    return "(no interval)" if math.isnan(low) else interval((low, high), "{:.3f}".format)

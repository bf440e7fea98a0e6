"""How far values agree with labels of people: pure functions of arrays. Every figure has an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.measuring.statistics.bootstrap import draws, percentile_intervals
from harness.measuring.statistics.design import Floats64

Booleans = npt.NDArray[np.bool_]
BINS = 10
"""Bins of equal width of the reliability plot and of the expected calibration error."""


@dataclass(frozen=True)
class AgreementFigure:
    """A figure with its 95 % interval; nan where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class JudgedClaims:
    """Units with the labels of people and what a judge says of them.

    Args:
        grades: the grades of the labels, ascending.
        truth, given: int64 [units], the numbers of the grades by people and by the judge.
        supported: bool [units], by people.
        decided: bool [units], by the judge.
        values: float64 [units], of the judge, for the order.
        chances: float64 [units], the judge's probability of support.
        clusters: of the units; those of a cluster are drawn together.
        drawn_from: a name from which the draws are derived.
    """

    grades: tuple[float, ...]
    truth: npt.NDArray[np.int64]
    given: npt.NDArray[np.int64]
    supported: Booleans
    decided: Booleans
    values: Floats64
    chances: Floats64
    clusters: tuple[str, ...]
    drawn_from: str

    def __len__(self) -> int:
        return len(self.truth)

    def part(self, rows: Booleans) -> JudgedClaims:
        """Some of the units."""
        return JudgedClaims(
            self.grades, self.truth[rows], self.given[rows], self.supported[rows], self.decided[rows],
            self.values[rows], self.chances[rows], tuple(np.array(self.clusters, object)[rows]), self.drawn_from,
        )  # fmt: skip

    @cached_property
    def figures(self) -> dict[str, AgreementFigure]:
        """All figures by name, with intervals from 10,000 resamples of clusters."""
        names = list(dict.fromkeys(self.clusters))
        places = {name: place for place, name in enumerate(names)}
        of_unit = np.array([places[name] for name in self.clusters], np.int64)
        point = self._figures(np.ones((1, len(self))))
        if len(names) < 2:
            return {name: AgreementFigure(float(own[0]), np.nan, np.nan) for name, own in point.items()}
        parts = [self._figures(times[:, of_unit]) for _, times in draws(self.drawn_from, len(names))]
        return {name: _figure(own, np.concatenate([part[name] for part in parts])) for name, own in point.items()}

    @cached_property
    def reliability(self) -> list[tuple[float, float, int]]:
        """Mean probability, share of supported units and number of units of every bin that is not empty."""
        bins = _bins(self.chances)
        return [
            (
                float(self.chances[bins == one].mean()),
                float(self.supported[bins == one].mean()),
                int((bins == one).sum()),
            )
            for one in range(BINS)
            if (bins == one).any()
        ]

    def _figures(self, weights: Floats64) -> dict[str, Floats64]:
        """Every figure for every row of weights, float64 [resamples]."""
        graded = confusion(self.truth, self.given, len(self.grades), weights)
        binary = confusion(self.supported.astype(np.int64), self.decided.astype(np.int64), 2, weights)
        found = {
            "accuracy": accuracy(graded),
            "kappa": kappa(graded),
            "weighted kappa": kappa(graded, np.array(self.grades)),
            "supported: balanced accuracy": balanced_accuracy(binary),
            "supported: kappa": kappa(binary),
            "AUC": auc(self.supported, self.values, weights),
            "ECE": calibration_error(self.supported, self.chances, weights),
        }
        with np.errstate(invalid="ignore", divide="ignore"):
            for place, grade in enumerate(self.grades):
                right = graded[:, place, place]
                found[f"precision {grade:g}"] = right / graded[:, :, place].sum(axis=1)
                found[f"recall {grade:g}"] = right / graded[:, place].sum(axis=1)
        return found


def confusion(truth: npt.NDArray[np.int64], given: npt.NDArray[np.int64], size: int, weights: Floats64) -> Floats64:
    """Weighted counts, float64 [resamples, truth, given]."""
    cells = np.zeros((len(truth), size * size))
    cells[np.arange(len(truth)), truth * size + given] = 1
    return np.asarray((weights @ cells).reshape(len(weights), size, size))


def accuracy(counts: Floats64) -> Floats64:
    """The share of equal grades."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2)))


def balanced_accuracy(counts: Floats64) -> Floats64:
    """The mean of the recalls of all grades."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((np.diagonal(counts, axis1=1, axis2=2) / counts.sum(axis=2)).mean(axis=1))


def kappa(counts: Floats64, grades: Floats64 | None = None) -> Floats64:
    """Cohen's kappa, with squared differences of the grades as weights if they are given; nan if both raters always
    give one and the same grade."""
    size = counts.shape[1]
    cost = 1 - np.eye(size) if grades is None else np.square(grades[:, None] - grades[None])
    total = counts.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = counts.sum(axis=2)[:, :, None] * counts.sum(axis=1)[:, None] / total[:, None, None]
        return np.asarray(1 - (counts * cost).sum(axis=(1, 2)) / (expected * cost).sum(axis=(1, 2)))


def auc(supported: Booleans, values: Floats64, weights: Floats64) -> Floats64:
    """The probability that a supported unit has the higher value; equal values count half."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(values[order]) > 0]))
    sides = (np.where(supported, weights, 0.0), np.where(supported, 0.0, weights))
    above, below = (np.add.reduceat(side[:, order], starts, axis=1) for side in sides)
    lower = np.cumsum(below, axis=1) - below / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((above * lower).sum(axis=1) / (above.sum(axis=1) * below.sum(axis=1)))


def calibration_error(supported: Booleans, chances: Floats64, weights: Floats64) -> Floats64:
    """The expected calibration error: the mean over the bins of |mean probability - share of supported|, weighted with
    their units."""
    inside = np.zeros((len(chances), BINS))
    inside[np.arange(len(chances)), _bins(chances)] = 1
    apart = np.abs(weights @ (inside * (chances - supported)[:, None])).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(apart / weights.sum(axis=1))


def best_cut(values: Floats64, above: Booleans) -> float:
    """The value from which on a unit counts as above: the middle of two neighbouring values with the highest balanced
    accuracy, the lowest of several. If all values are equal, that value."""
    order = np.argsort(values, kind="stable")
    sorted_values, hits = values[order], above[order]
    starts = np.flatnonzero(np.diff(sorted_values) > 0) + 1
    if not len(starts):
        return float(sorted_values[0])
    lower = np.cumsum(hits)[starts - 1]
    recalls = 1 - lower / max(int(hits.sum()), 1), (starts - lower) / max(int((~hits).sum()), 1)
    best = starts[int(np.argmax(np.round(recalls[0] + recalls[1], 12)))]
    return float((sorted_values[best - 1] + sorted_values[best]) / 2)


def logistic(values: Floats64, supported: Booleans) -> tuple[float, float]:
    """Slope and intercept of the probability of support, with Platt's targets, which keep them finite (Platt 1999)."""
    hits, misses = int(supported.sum()), int((~supported).sum())
    target = np.where(supported, (hits + 1) / (hits + 2), 1 / (misses + 2))
    centre, scale = float(values.mean()), float(values.std()) or 1.0
    design = np.stack([(values - centre) / scale, np.ones(len(values))], axis=1)
    found = np.zeros(2)
    for _ in range(100):
        chances = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        curvature = (design * (chances * (1 - chances))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (target - chances))
        found = found + np.clip(step, -5, 5)
        if float(np.abs(step).max()) < 1e-10:
            break
    return float(found[0] / scale), float(found[1] - found[0] * centre / scale)


def grades_of(labels: Floats64, most: int = 5) -> tuple[float, ...]:
    """The grades of labels: their different values, or 0 and 1 if there are more than `most`."""
    found = np.unique(labels)
    return tuple(found.tolist()) if len(found) <= most else (0.0, 1.0)


def graded(labels: Floats64, grades: Sequence[float], supported_from: float) -> npt.NDArray[np.int64]:
    """The number of the grade of every label."""
    if np.isin(labels, grades).all():
        return np.searchsorted(np.array(grades), labels)
    return (labels >= supported_from).astype(np.int64)


def _bins(chances: Floats64) -> npt.NDArray[np.int64]:
    return np.clip((chances * BINS).astype(np.int64), 0, BINS - 1)


def _figure(point: Floats64, resampled: Floats64) -> AgreementFigure:
    known = resampled[np.isfinite(resampled)]
    if not np.isfinite(point[0]) or len(known) < 0.95 * len(resampled):
        return AgreementFigure(float(point[0]), np.nan, np.nan)
    return AgreementFigure(float(point[0]), *percentile_intervals(known[None])[0])


def as_numbers(figures: Mapping[str, AgreementFigure]) -> dict[str, tuple[float | None, float | None, float | None]]:
    """Figures as JSON can hold them: value, low and high; None for nan."""
    return {name: (_known(one.value), _known(one.low), _known(one.high)) for name, one in figures.items()}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

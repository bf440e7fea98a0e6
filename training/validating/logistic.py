"""Logistic regression with a ridge penalty, and the area under the ROC curve, for the two-sample classifier."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

_STEPS, _SMALL = 25, 1e-4


def fit(features: Matrix, labels: Labels, ridge: float) -> Vector:
    """The weights [dim + 1], with the intercept last, that minimise the sum of log losses plus ridge/2 times the
    squared weights without the intercept. Uses Newton's method (iteratively reweighted least squares)."""
    design = np.hstack([features, np.ones((len(features), 1))])
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 1e-9
    weights = np.zeros(design.shape[1])
    loss = _loss(design, labels, weights, penalty)
    for _ in range(_STEPS):
        step = _newton_step(design, labels, weights, penalty)
        weights, loss, moved = _shortened(design, labels, weights, step, penalty, loss)
        if moved < _SMALL:
            break
    return weights


def scores(features: Matrix, weights: Vector) -> Vector:
    """The log-odds of each row."""
    found: Vector = features @ weights[:-1] + weights[-1]
    return found


def auc(positive: npt.NDArray[np.floating], negative: npt.NDArray[np.floating]) -> float:
    """The share of pairs in which the positive one scores higher, with ties counted half (Mann and Whitney 1947); nan
    without a pair."""
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).sum() / (2 * len(positive) * len(negative)))


def _newton_step(design: Matrix, labels: Labels, weights: Vector, penalty: Vector) -> Vector:
    chance = 0.5 * (1 + np.tanh(design @ weights / 2))
    slope = design.T @ (labels - chance) - penalty * weights
    curve = (design * (chance * (1 - chance))[:, None]).T @ design
    curve[np.diag_indices_from(curve)] += penalty
    return np.asarray(np.linalg.solve(curve, slope))


def _shortened(  # noqa: PLR0917
    design: Matrix, labels: Labels, weights: Vector, step: Vector, penalty: Vector, loss: float
) -> tuple[Vector, float, float]:
    """The weights after the longest of the steps 1, 1/2, 1/4, ... that lowers the loss, the new loss, and the largest
    change of a row's log-odds."""
    for halvings in range(20):
        part = step * 0.5**halvings
        if (new := _loss(design, labels, weights + part, penalty)) <= loss:
            return weights + part, new, float(np.abs(design @ part).max())
    return weights, loss, 0.0


def _loss(design: Matrix, labels: Labels, weights: Vector, penalty: Vector) -> float:
    odds = design @ weights
    return float(np.logaddexp(0, np.where(labels, -odds, odds)).sum() + 0.5 * (penalty * weights**2).sum())

"""Scores of several teachers on one scale: the distribution of each, and their weighted mean. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from adapters.errors import ModelError, UsageError
from training.stages import Map

Scores = npt.NDArray[np.float64]
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True)
class Calibration:
    """The distribution of a teacher's raw scores over the pool."""

    pairs: int
    mean: float
    sd: float
    """The standard deviation over the pool, divided by n."""
    smallest: float
    largest: float
    quantiles: dict[str, float]
    distinct: int
    """The number of different scores. A small number means that the teacher rounds or saturates."""

    def as_dict(self) -> dict[str, object]:
        """The entries of the manifest."""
        return asdict(self)


def calibrate(scores: npt.NDArray[np.floating], name: str) -> Calibration:
    """The distribution of a teacher's scores.

    Raises:
        ModelError: a score is not finite, or all scores are equal.
    """
    exact = scores.astype(np.float64)
    if not np.isfinite(exact).all():
        raise ModelError(
            f"{name}: {int((~np.isfinite(exact)).sum())} scores are not finite; use another teacher or dtype"
        )
    if len(np.unique(exact)) < 2:
        raise ModelError(
            f"{name}: all {len(exact)} scores are {exact[0] if len(exact) else 'missing'}; use another teacher"
        )
    quantiles = {f"{q:g}": float(value) for q, value in zip(_QUANTILES, np.quantile(exact, _QUANTILES), strict=True)}
    return Calibration(
        len(exact), float(exact.mean()), float(exact.std()), float(exact.min()), float(exact.max()), quantiles,
        len(np.unique(exact)),
    )  # fmt: skip


def blended(scores: Sequence[npt.NDArray[np.floating]], weights: Sequence[float], names: Sequence[str]) -> Scores:
    """The raw scores of one teacher, or the weighted mean of the standardised scores of several. Weights are
    normalised.

    Raises:
        UsageError: the number of weights is not the number of teachers, or a weight is not above 0.
        ModelError: see `calibrate`.
    """
    shares = shares_of(weights, len(scores))
    calibrations = [calibrate(one, name) for one, name in zip(scores, names, strict=True)]
    if len(scores) == 1:
        return scores[0].astype(np.float64)
    parts = zip(scores, calibrations, shares, strict=True)
    return np.asarray(sum(share * (one.astype(np.float64) - c.mean) / c.sd for one, c, share in parts))


def shares_of(weights: Sequence[float], teachers: int) -> list[float]:
    """The weights, normalised to sum to 1; equal shares without weights."""
    given = list(weights) or [1.0] * teachers
    if len(given) != teachers or any(not 0 < weight < float("inf") for weight in given):
        raise UsageError(f"give one weight above 0 for each of the {teachers} teachers, or none")
    total = sum(given)
    if total == float("inf"):
        raise UsageError("the sum of the teachers' weights is too large; use smaller ones")
    return [weight / total for weight in given]


def mapped(scores: Scores, map_: Map) -> Scores:
    """Scores on another scale, in the same order. `standard` has mean 0 and standard deviation 1, `logistic` is the
    logistic function of `standard`, and `unit` runs from 0 to 1."""
    if map_ == "none":
        return scores
    if map_ == "unit":
        return np.asarray((scores - scores.min()) / (scores.max() - scores.min()))
    standard = (scores - scores.mean()) / scores.std()
    return np.asarray(standard) if map_ == "standard" else logistic(standard)


def logistic(values: npt.NDArray[np.float64]) -> Scores:
    """The logistic function, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(values / 2)))

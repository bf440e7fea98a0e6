"""Queries in strata (collections, languages): the claim is about the weighted mean of the strata's means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats64 = npt.NDArray[np.float64]

TIE = 1e-12
"""Differences of fractions up to here are rounding, not wins or losses."""


def shares(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None) -> Floats64:
    """The weights of the strata, summing to 1; None gives every stratum the same.

    Raises:
        ValueError: not one weight above 0 for every stratum.
    """
    votes = np.ones(len(strata)) if weights is None else np.asarray(weights, dtype=np.float64)
    if votes.shape != (len(strata),) or not bool((votes > 0).all()):
        raise ValueError(f"{len(strata)} strata need {len(strata)} weights above 0, not {weights!r}")
    return votes / votes.sum() if len(votes) else votes


def macro(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None) -> float:
    """The weighted mean of the strata's means; nan if a stratum is empty or there is none."""
    return float(contributions(strata, weights).sum()) if holds(strata, 1) else float("nan")


def contributions(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None) -> Floats64:
    """The part of every query in the macro mean, float64 [all queries]: value x weight / queries of its stratum."""
    votes = shares(strata, weights)
    parts = [np.asarray(values, np.float64) * (vote / len(values)) for values, vote in zip(strata, votes, strict=True)]
    return np.concatenate(parts) if parts else np.zeros(0)


def variances(strata: Sequence[Floats64]) -> Floats64:
    """The variance of each stratum's values, with n - 1 below the line; 0 where they differ by rounding only.

    Every stratum needs 2 values.
    """
    return np.array([np.var(values, ddof=1) if np.ptp(values) > TIE else 0.0 for values in strata])


def holds(strata: Sequence[Floats64], least: int) -> bool:
    """Whether there is a stratum and every one has at least so many values."""
    return bool(strata) and min(map(len, strata)) >= least

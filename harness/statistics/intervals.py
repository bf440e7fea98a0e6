"""Confidence intervals from resampled queries, for values and for paired differences alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats64 = npt.NDArray[np.float64]

_DRAWS = 1 << 20
"""Values drawn at once; bounds the memory to some 10 MiB."""


def bootstrap_interval(
    values: Floats64, *, resamples: int = 10_000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval (Efron 1979) of the mean of `values`, float64 [n]; (nan, nan) if n < 2.

    For a paired comparison give the differences per query.
    """
    return stratified_interval([values], resamples=resamples, level=level, seed=seed)


def stratified_interval(
    strata: Sequence[Floats64],
    weights: npt.ArrayLike | None = None,
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of the strata's means: queries are resampled within each stratum
    (collection, language). (nan, nan) if one has fewer than 2 values.

    The claim is about these collections, not about new ones.

    Args:
        weights: of the strata, one each, above 0; None gives every stratum the same weight.
    """
    if not strata or min(map(len, strata)) < 2:
        return float("nan"), float("nan")
    seeds = np.random.SeedSequence(seed).spawn(len(strata))
    means = np.zeros(resamples)
    shares = np.ones(len(strata)) if weights is None else np.asarray(weights, dtype=np.float64)
    for values, own, share in zip(strata, seeds, shares, strict=True):
        means += share * _resampled_means(np.asarray(values, dtype=np.float64), resamples, np.random.default_rng(own))
    low, high = np.quantile(means / shares.sum(), ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def _resampled_means(values: Floats64, resamples: int, generator: np.random.Generator) -> Floats64:
    size = len(values)
    means = np.empty(resamples)
    step = max(1, _DRAWS // size)
    dtype = np.uint16 if size <= 1 << 16 else np.uint32
    for first in range(0, resamples, step):
        count = min(step, resamples - first)
        drawn = generator.integers(size, size=(count, size), dtype=dtype)
        means[first : first + count] = values[drawn].mean(axis=1)
    return means

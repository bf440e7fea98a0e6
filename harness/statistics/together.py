"""Intervals of many systems on the same queries: the queries are drawn once for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats64 = npt.NDArray[np.float64]

_DRAWS = 1 << 20
"""As in `intervals`: the same blocks take the same draws from the generator."""


def resampled_macros(
    strata: Sequence[Floats64], weights: npt.ArrayLike | None = None, *, resamples: int = 10_000, seed: int = 0
) -> Floats64:
    """The weighted mean of the strata's means of every system under resampled queries, float64 [systems, resamples].

    Every system meets the same resampled queries, so a difference of two rows is the resampled paired difference. Each
    row has the quantiles that `intervals.stratified_interval` of the same system has.

    Args:
        strata: one array float64 [systems, queries] for each collection, at least 2 queries each.
        weights: of the strata, one each, above 0; None gives every stratum the same weight.
    """
    seeds = np.random.SeedSequence(seed).spawn(len(strata))
    shares = np.ones(len(strata)) if weights is None else np.asarray(weights, dtype=np.float64)
    macros = np.zeros((len(strata[0]), resamples))
    for values, own, share in zip(strata, seeds, shares / shares.sum(), strict=True):
        macros += share * _resampled(np.asarray(values, dtype=np.float64), resamples, np.random.default_rng(own))
    return macros


def percentile_intervals(resampled: Floats64, level: float = 0.95) -> list[tuple[float, float]]:
    """The percentile interval of every row."""
    low, high = np.quantile(resampled, ((1 - level) / 2, (1 + level) / 2), axis=1)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def rank_intervals(resampled: Floats64, level: float = 0.95) -> list[tuple[int, int]]:
    """For every row the ranks that it has between the tails of the resamples, 1 the highest value. Equal values share
    the better rank."""
    order = np.argsort(-resampled, axis=0, kind="stable")
    falling = np.take_along_axis(resampled, order, axis=0)
    places = np.arange(len(resampled))[:, None]
    below = np.vstack([np.ones((1, resampled.shape[1]), bool), falling[1:] < falling[:-1] - 1e-12])
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.maximum.accumulate(np.where(below, places, 0), axis=0) + 1, axis=0)
    low, high = np.quantile(ranks, ((1 - level) / 2, (1 + level) / 2), axis=1, method="nearest")
    return list(zip(low.astype(int).tolist(), high.astype(int).tolist(), strict=True))


def _resampled(values: Floats64, resamples: int, generator: np.random.Generator) -> Floats64:
    size = values.shape[1]
    means = np.empty((len(values), resamples))
    step = max(1, _DRAWS // size)
    dtype = np.uint16 if size <= 1 << 16 else np.uint32
    for first in range(0, resamples, step):
        count = min(step, resamples - first)
        drawn = generator.integers(size, size=(count, size), dtype=dtype) + np.arange(count)[:, None] * size
        times = np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size).astype(np.float64)
        means[:, first : first + count] = values @ times.T / size
    return means

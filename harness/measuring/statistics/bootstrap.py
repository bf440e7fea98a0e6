"""Intervals of values: the percentile bootstrap over questions (Efron 1979). All systems use the same draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from harness.measuring.statistics.design import Design, Floats64

RESAMPLES = 10_000
_COLUMNS = 1_000
"""Number of resamples that are ranked at once."""
_DRAWS = 1 << 20
"""Number of questions drawn at once. It bounds the memory to some tens of MiB."""


def resampled_means(design: Design, values: Sequence[Floats64]) -> Iterator[Floats64]:
    """Yield for every collection the means of the systems over resampled questions, float64 [systems, RESAMPLES].

    From each set of the design as many questions as it has are drawn with replacement, so that the collections of a
    parallel set get the same questions. The claim is about these collections, not about new ones.

    Args:
        values: float64 [systems, queries] for every collection.
    """
    starts = dict(zip(design.sets, np.cumsum([0, *map(len, design.sets.values())]), strict=False))
    for questions, of_collection, units in zip(design.collections, values, design.units, strict=True):
        size, rows = len(design.sets[questions.drawn_from]), units - starts[questions.drawn_from]
        yield _means(questions.drawn_from, size, rows, np.asarray(of_collection, np.float64))


def resampled_macros(design: Design, values: Sequence[Floats64]) -> Floats64:
    """The weighted means of the collections' means under the draws, float64 [systems, RESAMPLES]. The difference of two
    rows is the resampled paired difference."""
    macros = np.zeros((len(values[0]), RESAMPLES))
    for weight, means in zip(design.weights, resampled_means(design, values), strict=True):
        macros += weight * means
    return macros


def value_interval(design: Design, values: Sequence[Floats64]) -> tuple[float, float]:
    """The 95 % interval of the weighted mean of one system. (nan, nan) if a collection has fewer than 2 queries, or so
    few of its set that a draw can miss all of them.

    Args:
        values: float64 [queries] for every collection.
    """
    if not design.holds(2):
        return float("nan"), float("nan")
    return percentile_intervals(resampled_macros(design, [own[None] for own in values]))[0]


def percentile_intervals(resampled: Floats64, level: float = 0.95) -> list[tuple[float, float]]:
    """The percentile interval of every row."""
    low, high = np.quantile(resampled, ((1 - level) / 2, (1 + level) / 2), axis=1)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def rank_intervals(resampled: Floats64, level: float = 0.95) -> list[tuple[int, int]]:
    """The percentile interval of the rank of every row; 1 is the highest value. Equal values share the better rank."""
    ranks = np.empty(resampled.shape, np.int32)
    for first in range(0, resampled.shape[1], _COLUMNS):
        ranks[:, first : first + _COLUMNS] = _ranks(resampled[:, first : first + _COLUMNS])
    low, high = np.quantile(ranks, ((1 - level) / 2, (1 + level) / 2), axis=1, method="nearest")
    return list(zip(low.astype(int).tolist(), high.astype(int).tolist(), strict=True))


def _ranks(values: Floats64) -> npt.NDArray[np.int64]:
    """The ranks of the rows in every column."""
    order = np.argsort(-values, axis=0, kind="stable")
    falling = np.take_along_axis(values, order, axis=0)
    places = np.arange(len(values))[:, None]
    below = np.vstack([np.ones((1, values.shape[1]), bool), falling[1:] < falling[:-1] - 1e-12])
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.maximum.accumulate(np.where(below, places, 0), axis=0) + 1, axis=0)
    return ranks


def draws(drawn_from: str, size: int) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
    """Yield how often each question of a set is drawn, for some resamples at a time, float64 [resamples, size]. The
    draws depend only on the name of the set and its size."""
    seed = blake2b(f"{drawn_from}\0{size}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
    generator = np.random.default_rng(int.from_bytes(seed, "big"))
    step = max(1, _DRAWS // max(1, size))
    for first in range(0, RESAMPLES, step):
        count = min(step, RESAMPLES - first)
        drawn = generator.integers(size, size=(count, size), dtype=np.uint32) + np.arange(count)[:, None] * size
        times = np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size)
        yield slice(first, first + count), times.astype(np.float64)


def _means(drawn_from: str, size: int, rows: npt.NDArray[np.int64], values: Floats64) -> Floats64:
    means = np.empty((len(values), RESAMPLES))
    for resamples, times in draws(drawn_from, size):
        of_rows = times[:, rows]
        with np.errstate(invalid="ignore"):  # a draw can miss all questions of a collection with few questions
            means[:, resamples] = values @ of_rows.T / of_rows.sum(axis=1)
    return means

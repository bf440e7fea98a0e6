"""Several seeds (or folds) of one system: a claim about a method holds over its trainings, not over one checkpoint.

Values are float64 [seeds, queries] for each collection; row s is the same checkpoint in every collection.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.statistics.strata import Floats64, holds, macro, shares

_CELLS = 1 << 20
"""Draws held at once; bounds the memory to some tens of MiB."""


@dataclass(frozen=True)
class SeedEffect:
    """Candidate minus baseline, each the mean of its seeds. Sds are of the macro value between seeds; nan for one."""

    delta: float
    interval: tuple[float, float]
    candidate_sd: float
    baseline_sd: float
    candidate_seeds: int
    baseline_seeds: int


def seed_means(strata: Sequence[Floats64]) -> list[Floats64]:
    """The mean over seeds for every query: what the paired tests take as the system's values."""
    return [np.asarray(values, np.float64).mean(axis=0) for values in strata]


def between_seed_sd(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None) -> float:
    """Standard deviation between seeds of the macro value (n - 1 below the line); nan for one seed."""
    seeds = _seeds(strata)
    return float(np.std(_macros(strata, weights), ddof=1)) if seeds > 1 else float("nan")


def seed_effect(
    candidate: Sequence[Floats64],
    baseline: Sequence[Floats64],
    weights: npt.ArrayLike | None = None,
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> SeedEffect:
    """The difference of two methods with an interval that resamples seeds and queries (two-level percentile bootstrap).

    Queries are paired: both systems get the same resampled ones. Seeds are drawn for each system on its own, and the
    same drawn seeds count in every collection. A resample of S seeds varies too little by (S - 1) / S, which is made
    good (Rao and Wu 1988). One seed has no between-seed part: the interval is then about that checkpoint. With fewer
    than five seeds the interval is still too short, for nobody can know a spread from three values.

    Raises:
        ValueError: other queries in the two systems, or other seeds in the collections of one.
    """
    seeds = (_seeds(candidate), _seeds(baseline))
    if [np.shape(values)[1] for values in candidate] != [np.shape(values)[1] for values in baseline]:
        raise ValueError("seeds are compared on the same queries of the same collections")
    return SeedEffect(
        macro(seed_means(candidate), weights) - macro(seed_means(baseline), weights),
        _interval(candidate, baseline, weights, resamples=resamples, level=level, seed=seed),
        between_seed_sd(candidate, weights),
        between_seed_sd(baseline, weights),
        *seeds,
    )


def _interval(
    candidate: Sequence[Floats64],
    baseline: Sequence[Floats64],
    weights: npt.ArrayLike | None,
    *,
    resamples: int,
    level: float,
    seed: int,
) -> tuple[float, float]:
    both = [np.concatenate([new, -np.asarray(old)]) for new, old in zip(candidate, baseline, strict=True)]
    if not holds([values[0] for values in both], 2):
        return float("nan"), float("nan")
    *own, drawing = np.random.SeedSequence(seed).spawn(len(both) + 1)
    generator = np.random.default_rng(drawing)
    votes = np.hstack([_seed_votes(_seeds(system), resamples, generator) for system in (candidate, baseline)])
    totals = np.zeros(resamples)
    for values, share, source in zip(both, shares(both, weights), own, strict=True):
        totals += share * _resampled(values, votes, np.random.default_rng(source))
    low, high = np.quantile(totals, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def _seed_votes(seeds: int, resamples: int, generator: np.random.Generator) -> Floats64:
    """How much every seed counts in every resample, float64 [resamples, seeds]; a row sums to 1."""
    drawn: Floats64 = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
    return 1 / seeds + (drawn - 1 / seeds) * math.sqrt(seeds / (seeds - 1)) if seeds > 1 else drawn


def _resampled(values: Floats64, votes: Floats64, generator: np.random.Generator) -> Floats64:
    """Means over resampled queries of the voted rows, float64 [resamples]; values are float64 [rows, queries]."""
    size, step = values.shape[1], max(1, _CELLS // values.shape[1])
    means = np.empty(len(votes))
    for first in range(0, len(votes), step):
        own = votes[first : first + step]
        drawn = generator.integers(size, size=(len(own), size)) + np.arange(len(own))[:, None] * size
        counts = np.bincount(drawn.ravel(), minlength=len(own) * size).reshape(len(own), size)
        means[first : first + step] = ((counts @ values.T) * own).sum(axis=1) / size
    return means


def _macros(strata: Sequence[Floats64], weights: npt.ArrayLike | None) -> Floats64:
    return np.array([macro([values[row] for values in strata], weights) for row in range(_seeds(strata))])


def _seeds(strata: Sequence[Floats64]) -> int:
    """The number of seeds, the same in every collection."""
    counts = {np.shape(values)[0] if np.ndim(values) == 2 else 0 for values in strata}
    if len(counts) != 1 or 0 in counts:
        raise ValueError("every collection needs an array [seeds, queries] with the same seeds")
    return int(counts.pop())

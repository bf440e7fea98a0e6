"""Several seeds (or folds) of one system. A claim about a method is about all its training runs, not one checkpoint.

Values are float64 [seeds, queries] for each collection; row s is the same checkpoint in every collection.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from harness.measuring.statistics.bootstrap import RESAMPLES, percentile_intervals, resampled_means
from harness.measuring.statistics.design import Design, Floats64


@dataclass(frozen=True)
class SeedEffect:
    """Candidate minus baseline, each the mean of its seeds. The sds are those of the macro value between seeds; nan for
    one seed."""

    delta: float
    interval: tuple[float, float]
    candidate_sd: float
    baseline_sd: float
    candidate_seeds: int
    baseline_seeds: int


def seed_means(values: Sequence[Floats64]) -> list[Floats64]:
    """The mean over seeds for every query. The paired tests use it as the value of the system."""
    return [np.asarray(of_collection, np.float64).mean(axis=0) for of_collection in values]


def between_seed_sd(design: Design, values: Sequence[Floats64]) -> float:
    """The standard deviation of the macro value between seeds (divided by n - 1); nan for one seed, or if a collection
    has no query."""
    if _seeds(values) < 2 or not design.holds(1):
        return float("nan")
    return float(np.std(design.sums(values).sum(axis=1), ddof=1))


def seed_effect(design: Design, candidate: Sequence[Floats64], baseline: Sequence[Floats64]) -> SeedEffect:
    """Return the difference of two methods with a 95 % interval that resamples seeds and questions (two-level
    percentile bootstrap).

    Questions are paired: both systems get the same resampled questions. Seeds are drawn for each system separately, and
    the same drawn seeds are used in every collection. The variance of resampled seeds is too small by (S - 1) / S for S
    seeds, which is corrected (Rao and Wu 1988). With one seed the interval is only about that checkpoint. With fewer
    than five seeds the interval is still too short, because a spread cannot be estimated well from so few values.

    Raises:
        ValueError: the two systems have different queries, or the collections of a system have different seeds.
    """
    seeds = (_seeds(candidate), _seeds(baseline))
    if [np.shape(own)[1] for own in candidate] != [np.shape(own)[1] for own in baseline]:
        raise ValueError("seeds are compared on the same queries of the same collections")
    return SeedEffect(
        design.mean(seed_means(candidate)) - design.mean(seed_means(baseline)),
        _interval(design, candidate, baseline),
        between_seed_sd(design, candidate),
        between_seed_sd(design, baseline),
        *seeds,
    )


def _interval(design: Design, candidate: Sequence[Floats64], baseline: Sequence[Floats64]) -> tuple[float, float]:
    if not design.holds(2):
        return float("nan"), float("nan")
    new, old = resampled_seed_macros(design, [candidate, baseline])
    return percentile_intervals((new - old)[None])[0]


def resampled_seed_macros(design: Design, systems: Sequence[Sequence[Floats64]]) -> Floats64:
    """The macro values of several systems under the draws of `seed_effect`, float64 [systems, RESAMPLES]. All systems
    get the same questions; the seeds of each are drawn separately.

    Args:
        systems: for each system its values, float64 [seeds, queries] for every collection.
    """
    named = "\0".join(sorted(design.sets)).encode("utf-8", "surrogatepass")
    generator = np.random.default_rng(int.from_bytes(blake2b(named, digest_size=16).digest(), "big"))
    seeds = [_seeds(system) for system in systems]
    votes = [_seed_votes(count, generator) for count in seeds]
    ends = np.cumsum(seeds)
    every = [np.concatenate(of_collection) for of_collection in zip(*systems, strict=True)]
    macros = np.zeros((len(systems), RESAMPLES))
    for weight, means in zip(design.weights, resampled_means(design, every), strict=True):
        for row, (rows, own) in enumerate(zip(np.split(means, ends[:-1]), votes, strict=True)):
            macros[row] += weight * (rows.T * own).sum(axis=1)
    return macros


def _seed_votes(seeds: int, generator: np.random.Generator) -> Floats64:
    """The weight of every seed in every resample, float64 [RESAMPLES, seeds]. Each row sums to 1."""
    drawn: Floats64 = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES) / seeds
    return 1 / seeds + (drawn - 1 / seeds) * math.sqrt(seeds / (seeds - 1)) if seeds > 1 else drawn


def _seeds(values: Sequence[Floats64]) -> int:
    """The number of seeds, the same in every collection."""
    counts = {np.shape(own)[0] if np.ndim(own) == 2 else 0 for own in values}
    if len(counts) != 1 or 0 in counts:
        raise ValueError("every collection needs an array [seeds, queries] with the same seeds")
    return int(counts.pop())

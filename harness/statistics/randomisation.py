"""The stratified paired randomisation test: had the two systems been the same, every difference could have had the
other sign (Fisher 1935; for retrieval Smucker, Allan and Carterette 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.statistics.strata import TIE, Floats64, contributions, holds

Alternative = Literal["two-sided", "less", "greater"]

_BLOCK = 8
"""Queries whose signs come from one random byte: 256 sums are made once and looked up by every flip."""
_SIGNS = 1.0 - 2.0 * np.unpackbits(np.arange(1 << _BLOCK, dtype=np.uint8)[:, None], axis=1)
_ROUNDING = 1e-12
"""Sums this near, as a share of the largest sum possible, are equal: only rounding tells them apart."""


def randomisation_p(
    strata: Sequence[Floats64],
    weights: npt.ArrayLike | None = None,
    *,
    flips: int = 10_000,
    seed: int = 0,
    alternative: Alternative = "two-sided",
    shift: float = 0.0,
) -> float:
    """p-value of the macro mean of paired differences: (1 + flips at least as extreme) / (flips + 1); nan if a stratum
    is empty or a difference is nan. The smallest p-value possible is 1 / (flips + 1).

    Two-sided counts flips whose mean is as large in absolute value (scipy doubles the smaller tail, which estimates
    the same p-value and varies more).

    Args:
        strata: differences per query, one array for each collection; every query's sign is flipped on its own.
        alternative: "greater" asks whether the mean is above 0, "less" whether it is below.
        shift: is added to every difference first: with the margin and "greater" this is the test of non-inferiority,
            mean > -margin. It takes the shifted differences as symmetric, which is nearly so for many queries only.
    """
    if not holds(strata, 1):
        return float("nan")
    moved = [np.asarray(values, np.float64) + shift for values in strata]
    parts = contributions([np.where(np.abs(values) <= TIE, 0.0, values) for values in moved], weights)
    if not np.isfinite(parts).all():
        return float("nan")
    sums, observed = flipped_sums(parts[None, parts != 0], flips, seed)[0], float(parts.sum())
    return at_least(*_sided(sums, observed, alternative), slack=_ROUNDING * float(np.abs(parts).sum()))


def flipped_sums(parts: Floats64, flips: int, seed: int) -> Floats64:
    """Sums of float64 [systems, queries] under random signs: float64 [systems, flips].

    A query has one sign for all systems. Memory does not grow with the queries: they are taken eight at a time.
    """
    generator = np.random.default_rng(seed)
    sums = np.zeros((len(parts), flips))
    for first in range(0, parts.shape[1], _BLOCK):
        block = parts[:, first : first + _BLOCK]
        drawn = np.frombuffer(generator.bytes(flips), dtype=np.uint8)
        sums += np.take(block @ _SIGNS[:, : block.shape[1]].T, drawn, axis=1)
    return sums


def at_least(sums: Floats64, observed: float, *, slack: float) -> float:
    """(1 + sums not below the observed one) / (sums + 1): the observed one is one of the equally likely ones."""
    return float((1 + np.count_nonzero(sums >= observed - slack)) / (len(sums) + 1))


def _sided(sums: Floats64, observed: float, alternative: Alternative) -> tuple[Floats64, float]:
    if alternative == "two-sided":
        return np.abs(sums), abs(observed)
    return (sums, observed) if alternative == "greater" else (-sums, -observed)

"""The figures of the ablation: values of the arms, differences, and the utility ratio. Pure functions of arrays.

Values are fractions, float64 [seeds, queries] for each arm, the same queries in the same order for all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.statistics.intervals import bootstrap_interval
from harness.statistics.multiplicity import holm
from harness.statistics.randomisation import randomisation_p
from harness.statistics.seeds import between_seed_sd, seed_effect, seed_means
from harness.statistics.together import resampled_macros
from training.utility.arms import BASE, CONTRASTS, Contrast

Floats64 = npt.NDArray[np.float64]
Values = Mapping[str, Floats64]
RESAMPLES = 10_000
_LEVEL = 0.95


@dataclass(frozen=True)
class ArmValue:
    """One arm on the test collection."""

    name: str
    seeds: int
    value: float
    """Mean over seeds and queries."""
    interval: tuple[float, float]
    """Query bootstrap of the values that are averaged over seeds."""
    sd: float
    """Between seeds; nan for one."""
    gain: float
    """Above the base."""
    gain_interval: tuple[float, float]
    """Seeds and queries resampled."""


@dataclass(frozen=True)
class Difference:
    """First minus second."""

    contrast: Contrast
    delta: float
    interval: tuple[float, float]
    """Seeds and queries resampled; see `harness.statistics.seeds`."""
    p: float
    """Randomisation test over queries, two-sided."""
    p_holm: float
    """Adjusted over the differences of the ablation."""


@dataclass(frozen=True)
class Ratio:
    """U = (a - base) / (b - base): what synthetic queries bring, as a share of what real annotations bring."""

    value: float | None
    """None: not defined, for real annotations bring nothing that can be told from 0."""
    interval: tuple[float, float] | None
    """Query bootstrap of the ratio; the spread between seeds is not in it."""


@dataclass(frozen=True)
class Utility:
    """All figures."""

    arms: tuple[ArmValue, ...]
    differences: tuple[Difference, ...]
    ratio: Ratio

    def arm(self, name: str) -> ArmValue:
        """One of the arms."""
        return next(one for one in self.arms if one.name == name)


def utility(values: Values, *, seed: int = 0) -> Utility:
    """The figures of an ablation with at least the base and the arms a and b, on two queries or more."""
    arms = tuple(_arm(name, values, seed) for name in values)
    contrasts = [one for one in CONTRASTS if one.first in values and one.second in values]
    p_values = [_p(values, one, seed) for one in contrasts]
    differences = tuple(
        _difference(values, one, p, adjusted, seed)
        for one, p, adjusted in zip(contrasts, p_values, holm(p_values), strict=True)
    )
    return Utility(arms, differences, ratio_of(values, seed=seed))


def ratio_of(values: Values, *, seed: int = 0) -> Ratio:
    """The utility ratio with its interval. It is defined where the gain of real annotations lies clearly above 0: its
    interval over queries and seeds, and that over queries alone."""
    base, ours, real = (seed_means([values[name]])[0] for name in (BASE, "a", "b"))
    means = resampled_macros([np.stack([ours - base, real - base])], resamples=RESAMPLES, seed=seed)
    clear = _effect(values, "b", BASE, seed)[1][0] > 0 and float(np.quantile(means[1], (1 - _LEVEL) / 2)) > 0
    if not clear:
        return Ratio(None, None)
    return Ratio(float((ours - base).mean() / (real - base).mean()), _interval(means[0], means[1]))


def _interval(above: Floats64, below: Floats64) -> tuple[float, float]:
    """A resample in which real annotations bring nothing counts as a ratio without bounds, on the side of the gain of
    the synthetic ones. There are few, for else no ratio is defined."""
    ratios = np.copysign(np.inf, above)
    np.divide(above, below, out=ratios, where=below > 0)
    low, high = np.quantile(ratios, ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2), method="nearest")
    return float(low), float(high)


def _arm(name: str, values: Values, seed: int) -> ArmValue:
    own = values[name]
    mean = seed_means([own])[0]
    gain, interval = (0.0, (0.0, 0.0)) if name == BASE else _effect(values, name, BASE, seed)
    return ArmValue(
        name, len(own), float(mean.mean()), bootstrap_interval(mean, resamples=RESAMPLES, seed=seed),
        between_seed_sd([own]), gain, interval,
    )  # fmt: skip


def _difference(values: Values, contrast: Contrast, p: float, adjusted: float, seed: int) -> Difference:
    return Difference(contrast, *_effect(values, contrast.first, contrast.second, seed), p, adjusted)


def _effect(values: Values, first: str, second: str, seed: int) -> tuple[float, tuple[float, float]]:
    found = seed_effect([values[first]], [values[second]], resamples=RESAMPLES, level=_LEVEL, seed=seed)
    return found.delta, found.interval


def _p(values: Values, contrast: Contrast, seed: int) -> float:
    first, second = (seed_means([values[name]])[0] for name in (contrast.first, contrast.second))
    return randomisation_p([first - second], flips=RESAMPLES, seed=seed)


def finite(value: float | None) -> float | None:
    """For JSON, which has no nan and no infinity."""
    return value if value is not None and math.isfinite(value) else None

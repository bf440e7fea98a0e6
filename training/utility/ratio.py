"""The figures of the ablation: values of the arms, differences, and the utility ratio. Pure functions of arrays.

Values are fractions, float64 [seeds, queries] for each arm, the same queries of the test collection in the same order
for all. A difference is tested on values that are averaged over seeds, by the rule of `statistics.difference`:
it is about these trainings. One that holds for the method has also an interval over seeds and questions without zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.measuring.statistics.bootstrap import resampled_macros, value_interval
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import Difference, differences
from harness.measuring.statistics.seeds import between_seed_sd, seed_effect, seed_means
from training.utility.arms import BASE, CONTRASTS, Contrast

Values = Mapping[str, Floats64]
_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Gap:
    """How far one arm is above another."""

    difference: Difference
    """Over questions, the trainings held fixed; corrected over the gaps that it stands among."""
    seeds_interval: tuple[float, float]
    """95 %, seeds and questions resampled: see `measuring.statistics.seeds`. (nan, nan) where both have one seed."""

    @property
    def sure(self) -> bool:
        """Whether it is significant, and no matter of a lucky seed."""
        return self.difference.significant and not self.seeds_interval[0] <= 0 <= self.seeds_interval[1]


@dataclass(frozen=True)
class ArmValue:
    """One arm on the test collection."""

    name: str
    seeds: int
    value: float
    """Mean over seeds and queries."""
    interval: tuple[float, float]
    """95 % bootstrap over questions of the values that are averaged over seeds."""
    sd: float
    """Between seeds; nan for one."""
    gain: Gap | None
    """Above the base, corrected over the arms; None for the base."""


@dataclass(frozen=True)
class Cause:
    """First minus second, corrected over the causes of the ablation."""

    contrast: Contrast
    gap: Gap


@dataclass(frozen=True)
class Ratio:
    """U = (a - base) / (b - base): what synthetic queries bring, as a share of what real annotations bring."""

    value: float | None
    """None: not defined, for real annotations bring nothing that can be told from 0."""
    interval: tuple[float, float] | None
    """95 % bootstrap of the ratio over questions; the spread between seeds is not in it."""


@dataclass(frozen=True)
class Utility:
    """All figures."""

    arms: tuple[ArmValue, ...]
    causes: tuple[Cause, ...]
    ratio: Ratio

    def arm(self, name: str) -> ArmValue:
        """One of the arms."""
        return next(one for one in self.arms if one.name == name)


def utility(values: Values, questions: Questions) -> Utility:
    """The figures of an ablation with at least the base and the arms a and b, on two queries or more."""
    design = Design((questions,))
    trained = [name for name in values if name != BASE]
    gains = dict(zip(trained, _gaps(design, values, [(name, BASE) for name in trained]), strict=True))
    contrasts = [one for one in CONTRASTS if one.first in values and one.second in values]
    gaps = _gaps(design, values, [(one.first, one.second) for one in contrasts])
    return Utility(
        tuple(_arm(design, name, own, gains.get(name)) for name, own in values.items()),
        tuple(Cause(one, gap) for one, gap in zip(contrasts, gaps, strict=True)),
        _ratio(design, values, gains["b"]),
    )


def _ratio(design: Design, values: Values, real: Gap) -> Ratio:
    """The utility ratio with its interval. It is defined where the gain of real annotations lies clearly above 0."""
    if not (real.sure and real.difference.value > 0):
        return Ratio(None, None)
    base, ours, other = (seed_means([values[name]])[0] for name in (BASE, "a", "b"))
    means = resampled_macros(design, [np.stack([ours - base, other - base])])
    return Ratio(float((ours - base).mean() / (other - base).mean()), _interval(means[0], means[1]))


def _interval(above: Floats64, below: Floats64) -> tuple[float, float]:
    """A resample in which real annotations bring nothing counts as a ratio without bounds, on the side of the gain of
    the synthetic ones. There are few, for else no ratio is defined."""
    ratios = np.copysign(np.inf, above)
    np.divide(above, below, out=ratios, where=below > 0)
    low, high = np.quantile(ratios, _TAILS, method="nearest")
    return float(low), float(high)


def _arm(design: Design, name: str, own: Floats64, gain: Gap | None) -> ArmValue:
    (mean,) = seed_means([own])
    interval = value_interval(design, [mean])
    return ArmValue(name, len(own), float(mean.mean()), interval, between_seed_sd(design, [own]), gain)


def _gaps(design: Design, values: Values, pairs: Sequence[tuple[str, str]]) -> list[Gap]:
    """The first arm of each pair minus the second; they are one family."""
    if not pairs:
        return []
    means = {name: seed_means([own])[0] for name, own in values.items()}
    found = differences(design, [np.stack([means[first] - means[second] for first, second in pairs])])
    return [Gap(one.macro, _over_seeds(design, values[first], values[second]))
            for one, (first, second) in zip(found, pairs, strict=True)]  # fmt: skip


def _over_seeds(design: Design, first: Floats64, second: Floats64) -> tuple[float, float]:
    several = max(len(first), len(second)) > 1
    return seed_effect(design, [first], [second]).interval if several else (float("nan"), float("nan"))


def finite(value: float | None) -> float | None:
    """For JSON, which has no nan and no infinity."""
    return value if value is not None and math.isfinite(value) else None

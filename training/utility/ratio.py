"""The figures of the ablation: values of the arms, differences, and the utility ratio. Pure functions of arrays.

Values are fractions, float64 [seeds, queries] for each arm, with the queries of the test collection in the same order
for all. A difference is tested on values averaged over seeds, by the rule of `statistics.difference`; the result is
about these trained checkpoints. It also holds for the method if the interval over seeds and questions excludes zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.measuring.statistics.bootstrap import resampled_macros, value_interval
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import Difference, differences
from harness.measuring.statistics.seeds import between_seed_sd, resampled_seed_macros, seed_effect, seed_means
from training.utility.arms import BASE, CONTRASTS, Contrast

Values = Mapping[str, Floats64]
_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Gap:
    """The difference between two arms."""

    difference: Difference
    """The difference over questions for these checkpoints, corrected over all gaps that are computed together."""
    seeds_interval: tuple[float, float]
    """95 % interval with seeds and questions resampled, see `measuring.statistics.seeds`; (nan, nan) if both arms have
    one seed."""

    @property
    def sure(self) -> bool:
        """Whether the difference is significant and does not depend on the seeds."""
        return self.difference.significant and not self.seeds_interval[0] <= 0 <= self.seeds_interval[1]


@dataclass(frozen=True)
class ArmValue:
    """One arm on the test collection."""

    name: str
    seeds: int
    value: float
    """The mean over seeds and queries."""
    interval: tuple[float, float]
    """95 % bootstrap interval over questions, with values averaged over seeds."""
    sd: float
    """The standard deviation between seeds; nan for one seed."""
    gain: Gap | None
    """The difference to the base, corrected over the arms; None for the base."""


@dataclass(frozen=True)
class Cause:
    """The difference of a contrast, corrected over all contrasts of the ablation."""

    contrast: Contrast
    gap: Gap


@dataclass(frozen=True)
class Ratio:
    """U = (a - base) / (b - base): the gain of synthetic queries as a share of the gain of real annotations."""

    value: float | None
    """None if the ratio is not defined, because the gain of real annotations cannot be distinguished from 0."""
    interval: tuple[float, float] | None
    """95 % bootstrap interval over questions, seeds held fixed."""
    seeds_interval: tuple[float, float] | None
    """95 % bootstrap interval over seeds and questions; None if every arm has one seed."""

    @property
    def decides(self) -> tuple[float, float] | None:
        """The interval that the answer follows from: over seeds and questions, if there are several seeds."""
        return self.seeds_interval or self.interval


@dataclass(frozen=True)
class Utility:
    """All figures of the ablation."""

    arms: tuple[ArmValue, ...]
    causes: tuple[Cause, ...]
    ratio: Ratio

    def arm(self, name: str) -> ArmValue:
        """The figures of one arm."""
        return next(one for one in self.arms if one.name == name)


def utility(values: Values, questions: Questions) -> Utility:
    """The figures of an ablation. Needs at least the base, the arms a and b, and two queries."""
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
    """The utility ratio with its interval. It is defined if the gain of real annotations is significantly above 0."""
    if not (real.sure and real.difference.value > 0):
        return Ratio(None, None, None)
    three = [values[name] for name in (BASE, "a", "b")]
    base, ours, other = (seed_means([own])[0] for own in three)
    means = resampled_macros(design, [np.stack([ours - base, other - base])])
    value = float((ours - base).mean() / (other - base).mean())
    if max(map(len, three)) == 1:
        return Ratio(value, _interval(means[0], means[1]), None)
    drawn = resampled_seed_macros(design, [[own] for own in three])
    return Ratio(value, _interval(means[0], means[1]), _interval(drawn[1] - drawn[0], drawn[2] - drawn[0]))


def _interval(above: Floats64, below: Floats64) -> tuple[float, float]:
    """The 95 % interval of the ratio. A resample in which real annotations bring nothing counts as an infinite ratio
    with the sign of the synthetic gain. Such resamples are rare if the ratio is defined."""
    ratios = np.copysign(np.inf, above)
    np.divide(above, below, out=ratios, where=below > 0)
    low, high = np.quantile(ratios, _TAILS, method="nearest")
    return float(low), float(high)


def _arm(design: Design, name: str, own: Floats64, gain: Gap | None) -> ArmValue:
    (mean,) = seed_means([own])
    interval = value_interval(design, [mean])
    return ArmValue(name, len(own), float(mean.mean()), interval, between_seed_sd(design, [own]), gain)


def _gaps(design: Design, values: Values, pairs: Sequence[tuple[str, str]]) -> list[Gap]:
    """The first arm of each pair minus the second. All pairs are one family for the correction."""
    if not pairs:
        return []
    means = {name: seed_means([own])[0] for name, own in values.items()}
    results = differences(design, [np.stack([means[first] - means[second] for first, second in pairs])])
    return [Gap(one.macro, _over_seeds(design, values[first], values[second]))
            for one, (first, second) in zip(results, pairs, strict=True)]  # fmt: skip


def _over_seeds(design: Design, first: Floats64, second: Floats64) -> tuple[float, float]:
    several = max(len(first), len(second)) > 1
    return seed_effect(design, [first], [second]).interval if several else (float("nan"), float("nan"))


def finite(value: float | None) -> float | None:
    """The value for JSON: None instead of nan or infinity."""
    return value if value is not None and math.isfinite(value) else None

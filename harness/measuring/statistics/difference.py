"""The rule of significance: one test, one interval and one correction for every difference that is printed.

Test: the two-sided randomisation test over questions, p = min(1, 2 x the smaller one-sided p). A one-sided p is
(1 + flips at least as extreme) / (FLIPS + 1). Interval: the differences that the same flips do not reject at 5 %
(Hartigan 1969), so it excludes zero exactly if p <= .05. Correction: step-down MaxT with the same flips (Westfall and
Young 1993). The adjusted p is never below p, so the interval of a significant difference excludes zero. A family of one
needs no correction. Fewer than 6 questions have at most 2^5 flips, which reject nothing at 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.measuring.statistics.design import TIE, Design, Floats64, Rows
from harness.measuring.statistics.flips import FLIPS, flipped_sums

ALPHA = 0.05
FEWEST = 6
"""With fewer questions no difference is significant or has an interval."""
_TAIL = round(FLIPS * ALPHA / 2)
"""The ends of an interval are the 250th smallest and the 250th largest value."""
_ROUNDING = 1e-12
"""A sum this close to zero, as a share of the largest possible sum, is zero except for rounding."""
_MOST = int(ALPHA * (FLIPS + 1))
"""A statistic is significant if fewer flips than this reach it: (1 + flips) / (FLIPS + 1) is at most ALPHA."""
_FEW = 250
"""Number of flips of many systems that are compared at once. They fit into a cache."""
_CELLS = 1 << 23
"""Number of sums in memory at once, 64 MiB."""


@dataclass(frozen=True)
class Difference:
    """A mean difference with its interval and p-values. Values are fractions, not points."""

    value: float
    interval: tuple[float, float]
    """95 %; (nan, nan) with fewer than 6 questions."""
    p: float
    """Two-sided, not corrected."""
    adjusted_p: float
    """Corrected for the other members of its family."""
    family: int
    """The number of differences in its family."""
    greater_p: float
    """One-sided: a small value means that the difference is above zero."""

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is at most 0.05. Then the interval excludes zero."""
        return self.adjusted_p <= ALPHA


@dataclass(frozen=True)
class DesignPart:
    """Some collections of a design that are averaged.

    Args:
        places: indices of the collections in the design.
        weights: the weights of these collections, summing to 1.
    """

    places: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Differences:
    """The differences of one system to the baseline."""

    macro: Difference
    """Over all collections, corrected over the systems."""
    local: tuple[tuple[Difference, ...], ...]
    """For every family of parts the differences of its parts, corrected over the parts of this system."""


def differences(
    design: Design, deltas: Sequence[Floats64], families: Sequence[Sequence[DesignPart]] = ()
) -> list[Differences]:
    """Test the differences of several systems to one baseline on the same questions.

    Args:
        deltas: system minus baseline, float64 [systems, queries] for every collection of the design. A value within
            rounding of 0 counts as 0. A system with a nan has the difference nan on every part with that nan.
        families: parts of the design that are corrected together, such as its collections.

    Raises:
        ValueError: the deltas do not fit the collections and queries of the design.
    """
    macros, local = list[_Tested](), list[tuple[tuple[Difference, ...], ...]]()
    whole = _Chosen.of(design, DesignPart(tuple(range(len(design.collections))), tuple(design.weights.tolist())))
    chosen = [[_Chosen.of(design, part) for part in family] for family in families]
    for flips in _chunks(design, deltas):
        for system in range(flips.systems):
            macros.append(flips.tested(whole, system))
            of_system = ([flips.tested(part, system) for part in family] for family in chosen)
            local.append(tuple(tuple(_corrected(family)) for family in of_system))
    return [Differences(*both) for both in zip(_corrected(macros), local, strict=True)]


def difference(design: Design, deltas: Sequence[Floats64]) -> Difference:
    """Test the difference of one system; nan without a collection.

    Args:
        deltas: float64 [queries] for every collection.
    """
    of_systems = differences(design, [np.asarray(values)[None] for values in deltas])
    return of_systems[0].macro if of_systems else _untested().found


class Pairwise:
    """The differences between any two of many systems. The signs are drawn once for all pairs.

    Args:
        values: finite, float64 [systems, queries] for every collection of the design, with at least one query each.
    """

    def __init__(self, design: Design, values: Sequence[Floats64]) -> None:
        self._units = design.sums(values)
        self._sums = np.zeros((len(self._units), FLIPS))
        for questions, of_collection, weight in zip(design.collections, values, design.weights, strict=True):
            weighted = np.asarray(of_collection, np.float64) * (weight / len(questions.ids))
            self._sums += flipped_sums(questions, weighted)

    def first_apart(self, best: int, others: Sequence[int]) -> int | None:
        """The index in `others` of the first system that differs significantly from `best`; None if none does. `best`
        is the baseline of all others, and the correction is that of `differences`."""
        if self._units.shape[1] < FEWEST:
            return None
        rest = np.asarray(others, np.int64)
        units = self._units[best] - self._units[rest]
        sums, spread = units.sum(axis=1), np.sqrt(np.square(units).sum(axis=1))
        spread[spread == 0] = 1.0
        least = np.abs(sums) / spread
        least -= _ROUNDING * np.maximum(1.0, least)
        left = np.arange(len(rest))
        # All systems above the limit are rejected at once; the limit of the others is lower. The last needs only its p.
        while len(left) > 1:
            largest = self._largest(best, rest[left], sums[left], spread[left])
            limit = np.sort(largest)[-_MOST]
            kept = left[least[left] <= limit]
            if len(kept) == len(left):
                break
            left = kept
        apart = np.setdiff1d(np.arange(len(rest)), left if len(left) > 1 else [])
        return next((int(place) for place in apart if self._p(best, rest[place], units[place]) <= ALPHA), None)

    def _largest(self, best: int, others: Rows, sums: Floats64, spread: Floats64) -> Floats64:
        """The largest statistic of the others under every flip, float64 [FLIPS]."""
        found = np.empty(FLIPS)
        scale, start = (-2.0 / spread)[:, None], (sums / spread)[:, None]
        for first in range(0, FLIPS, _FEW):
            flips = slice(first, first + _FEW)
            flipped = self._sums[best, flips] - self._sums[others, flips]
            flipped *= scale
            flipped += start
            np.abs(flipped, out=flipped)
            flipped.max(axis=0, out=found[flips])
        return found

    def _p(self, best: int, other: int, units: Floats64) -> float:
        """The two-sided p-value of a difference, not corrected."""
        sums = self._sums[best] - self._sums[other]
        slack = max(TIE, _ROUNDING * float(np.abs(units).sum()))
        return 2 * min(_one_sided(int(np.count_nonzero(side))) for side in (sums <= slack, sums >= -slack))


@dataclass(frozen=True)
class _Tested:
    """A difference before it is corrected."""

    found: Difference
    statistic: float
    """The absolute sum of the questions' differences / the root of the sum of their squares."""
    flipped: Floats64
    """The statistic under the flips, float64 [FLIPS]."""


def _chunks(design: Design, deltas: Sequence[Floats64]) -> Iterator[_Flips]:
    """Yield the flips of some systems at a time, so that memory does not grow with the number of systems."""
    step = max(1, _CELLS // (FLIPS * max(1, len(deltas))))
    for first in range(0, len(deltas[0]) if deltas else 0, step):
        yield _Flips.of(design, [_without_rounding(values[first : first + step]) for values in deltas])


def _without_rounding(values: Floats64) -> Floats64:
    """Set rounding errors to 0: two equal systems would otherwise differ by the sign of their last digits."""
    return np.where(np.abs(values) <= TIE, 0.0, np.asarray(values, np.float64))


@dataclass(frozen=True)
class _Chosen:
    """A part, and the design of its collections."""

    part: DesignPart
    design: Design

    @classmethod
    def of(cls, design: Design, part: DesignPart) -> _Chosen:
        return cls(part, Design(tuple(design.collections[place] for place in part.places), part.weights))


@dataclass(frozen=True)
class _Flips:
    """The means of every collection under the flips. Every average is a weighted sum of them."""

    deltas: Sequence[Floats64]
    sums: tuple[Floats64, ...]
    """For every collection the contribution of the flipped questions to its mean, float64 [systems, FLIPS]."""
    shares: tuple[Floats64, ...]
    """For every collection the share of flipped questions, float64 [FLIPS]."""

    @classmethod
    def of(cls, design: Design, deltas: Sequence[Floats64]) -> _Flips:
        of_collections = []
        for questions, values in zip(design.collections, deltas, strict=True):
            both = np.vstack([values, np.ones((1, len(questions.ids)))]) / max(1, len(questions.ids))
            of_collections.append(flipped_sums(questions, both))
        return cls(deltas, tuple(sums[:-1] for sums in of_collections), tuple(sums[-1] for sums in of_collections))

    @property
    def systems(self) -> int:
        """The number of systems."""
        return len(self.deltas[0])

    def tested(self, chosen: _Chosen, row: int) -> _Tested:
        """The difference of one system on a part, before the correction."""
        part, design = chosen.part, chosen.design
        deltas = [self.deltas[place][row] for place in part.places]
        if not design.holds(1) or not all(np.isfinite(values).all() for values in deltas):
            return _untested()
        weights = zip(part.places, part.weights, strict=True)
        sums, shares = np.zeros(FLIPS), np.zeros(FLIPS)
        for place, weight in weights:
            sums += weight * self.sums[place][row]
            shares += weight * self.shares[place]
        units = design.sums(deltas)
        sums[np.abs(sums) <= _ROUNDING * np.abs(units).sum()] = 0.0
        return _of(units, sums, shares)


def _of(units: Floats64, sums: Floats64, shares: Floats64) -> _Tested:
    """Test a difference.

    Args:
        units: the contributions of the questions.
        sums: the sums of the flipped contributions, float64 [FLIPS].
        shares: the weights of the flipped questions, float64 [FLIPS].
    """
    value, spread = float(units.sum()), float(np.sqrt(np.square(units).sum()))
    few = len(units) < FEWEST
    least = 0.5 ** len(units) if few else 0.0  # the exact minimum over all flips; 10,000 random flips can miss it
    greater, less = (max(least, _one_sided(int(np.count_nonzero(side)))) for side in (sums <= 0, sums >= 0))
    p = min(1.0, 2 * min(greater, less))
    interval = (float("nan"), float("nan")) if few else _interval(sums, shares)
    found = Difference(value, interval, p, p, 1, greater)
    flipped = np.abs(value - 2 * sums) / spread if spread else np.zeros(FLIPS)
    return _Tested(found, abs(value) / spread if spread else 0.0, flipped)


def _untested() -> _Tested:
    nan = float("nan")
    return _Tested(Difference(nan, (nan, nan), nan, nan, 1, nan), nan, np.full(FLIPS, -np.inf))


def _one_sided(count: int) -> float:
    return (1 + count) / (FLIPS + 1)


def _interval(sums: Floats64, shares: Floats64) -> tuple[float, float]:
    """The interval of a difference. Flips whose questions have a mean of at most d do not reject a difference d from
    below. A flip without questions rejects nothing on either side."""
    some = shares > 0
    means = sums[some] / shares[some]
    low = _TAIL - 1 - (FLIPS - len(means))
    if low < 0:
        return float("nan"), float("nan")
    high = len(means) - 1 - low
    return float(np.partition(means, low)[low]), float(np.partition(means, high)[high])


def _corrected(family: Sequence[_Tested]) -> list[Difference]:
    """Apply step-down MaxT. The largest statistic is compared with the largest of all under the flips, the next with
    the largest of the rest, and so on; the last is compared only with itself. Members that could not be tested do not
    count."""
    places = [place for place, member in enumerate(family) if not math.isnan(member.statistic)]
    places.sort(key=lambda place: -family[place].statistic)
    found = [replace(member.found, family=len(places)) for member in family]
    rest = np.full(FLIPS, -np.inf)
    p_values = list[float]()
    for place in reversed(places):
        rest = np.maximum(rest, family[place].flipped)
        slack = _ROUNDING * max(1.0, family[place].statistic)
        above = _one_sided(int(np.count_nonzero(rest >= family[place].statistic - slack)))
        p_values.append(above if p_values else found[place].p)
    largest = 0.0
    for place, p in zip(places, reversed(p_values), strict=True):
        largest = max(largest, p, found[place].p)
        found[place] = replace(found[place], adjusted_p=largest)
    return found

"""The rule of significance: one test, one interval and one correction for every difference that is printed.

Test: the randomisation test over questions, two-sided, p = min(1, 2 x the smaller one-sided p), each one-sided p being
(1 + flips at least as extreme) / (FLIPS + 1). Interval: the differences that the same flips do not reject at 5 %
(Hartigan 1969), so it leaves out zero exactly if p <= .05. Correction: step-down MaxT with the same flips (Westfall and
Young 1993); the adjusted p is never below p, so a significant difference has an interval without zero. A family of one
needs no correction. Fewer than 6 questions have 2^5 flips at most, which reject nothing at 5 %.
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
"""With fewer questions no difference is significant, and none has an interval."""
_TAIL = round(FLIPS * ALPHA / 2)
"""The ends of an interval are the 250th smallest and the 250th largest value."""
_ROUNDING = 1e-12
"""A sum this near to zero, as a share of the largest possible sum, is zero: only rounding tells them apart."""
_MOST = int(ALPHA * (FLIPS + 1))
"""A statistic is significant if fewer flips than these reach it: (1 + flips) / (FLIPS + 1) is at most ALPHA."""
_FEW = 250
"""Flips of many systems that are compared at once: they fit into a cache."""
_CELLS = 1 << 23
"""Sums that are held at once, 64 MiB."""


@dataclass(frozen=True)
class Difference:
    """A mean difference, with what can be said of it. Fractions, not points."""

    value: float
    interval: tuple[float, float]
    """95 %; (nan, nan) with fewer than 6 questions."""
    p: float
    """Two-sided, not corrected."""
    adjusted_p: float
    """Corrected for the other members of its family."""
    family: int
    """How many differences it was corrected over."""
    greater_p: float
    """One-sided: small says that the difference is above zero."""

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is at most 0.05. Then the interval leaves out zero."""
        return self.adjusted_p <= ALPHA


@dataclass(frozen=True)
class DesignPart:
    """Some collections of a design that are averaged.

    Args:
        places: of the collections in the design.
        weights: of these collections, summing to 1.
    """

    places: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Differences:
    """Of one system to the baseline."""

    macro: Difference
    """Over all collections, corrected over the systems."""
    local: tuple[tuple[Difference, ...], ...]
    """For every family of parts the differences of its parts, corrected over the parts of this system alone."""


def differences(
    design: Design, deltas: Sequence[Floats64], families: Sequence[Sequence[DesignPart]] = ()
) -> list[Differences]:
    """The differences of several systems to one baseline on the same questions.

    Args:
        deltas: system minus baseline, float64 [systems, queries] for every collection of the design. What is within
            rounding of 0 is taken as 0. A system with a nan has no difference on what the nan is part of.
        families: parts of the design that are corrected together, such as its collections.

    Raises:
        ValueError: the deltas are not of the collections and queries of the design.
    """
    macros, local = list[_Tested](), list[tuple[tuple[Difference, ...], ...]]()
    whole = _Chosen.of(design, DesignPart(tuple(range(len(design.collections))), tuple(design.weights.tolist())))
    chosen = [[_Chosen.of(design, part) for part in family] for family in families]
    for flips in _chunks(design, deltas):
        for system in range(flips.systems):
            macros.append(flips.tested(whole, system))
            own = ([flips.tested(part, system) for part in family] for family in chosen)
            local.append(tuple(tuple(_corrected(family)) for family in own))
    return [Differences(*both) for both in zip(_corrected(macros), local, strict=True)]


def difference(design: Design, deltas: Sequence[Floats64]) -> Difference:
    """The difference of one system, deltas being float64 [queries] for every collection; nan without a collection."""
    found = differences(design, [np.asarray(own)[None] for own in deltas])
    return found[0].macro if found else _untested().found


class Pairwise:
    """The differences between any two of many systems. The signs are drawn once, however many pairs are asked for.

    Args:
        values: finite, float64 [systems, queries] for every collection of the design, each with a query or more.
    """

    def __init__(self, design: Design, values: Sequence[Floats64]) -> None:
        self._units = design.sums(values)
        self._sums = np.zeros((len(self._units), FLIPS))
        for one, own, weight in zip(design.collections, values, design.weights, strict=True):
            self._sums += flipped_sums(one, np.asarray(own, np.float64) * (weight / len(one.ids)))

    def first_apart(self, best: int, others: Sequence[int]) -> int | None:
        """The place of the first of the others that differs significantly from `best`, which is the baseline of all of
        them, as `differences` corrects; None where none does."""
        if self._units.shape[1] < FEWEST:
            return None
        rest = np.asarray(others, np.int64)
        units = self._units[best] - self._units[rest]
        sums, spread = units.sum(axis=1), np.sqrt(np.square(units).sum(axis=1))
        spread[spread == 0] = 1.0
        least = np.abs(sums) / spread
        least -= _ROUNDING * np.maximum(1.0, least)
        left = np.arange(len(rest))
        # All above the limit are rejected at once; the limit of the others is lower. The last has its own p alone.
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
        """Not corrected."""
        sums = self._sums[best] - self._sums[other]
        slack = max(TIE, _ROUNDING * float(np.abs(units).sum()))
        return 2 * min(_one_sided(int(np.count_nonzero(side))) for side in (sums <= slack, sums >= -slack))


@dataclass(frozen=True)
class _Tested:
    """A difference before it is corrected."""

    found: Difference
    statistic: float
    """The sum of the questions' differences, in units of the root of the sum of their squares; without its sign."""
    flipped: Floats64
    """The same under the flips, float64 [FLIPS]."""


def _chunks(design: Design, deltas: Sequence[Floats64]) -> Iterator[_Flips]:
    """Some systems at a time, so that memory does not grow with their number."""
    step = max(1, _CELLS // (FLIPS * max(1, len(deltas))))
    for first in range(0, len(deltas[0]) if deltas else 0, step):
        yield _Flips.of(design, [_settled(own[first : first + step]) for own in deltas])


def _settled(values: Floats64) -> Floats64:
    """Rounding is no difference: two equal systems would otherwise differ by the sign of their last digits."""
    return np.where(np.abs(values) <= TIE, 0.0, np.asarray(values, np.float64))


@dataclass(frozen=True)
class _Chosen:
    """A part, and its own design."""

    part: DesignPart
    design: Design

    @classmethod
    def of(cls, design: Design, part: DesignPart) -> _Chosen:
        own = tuple(design.collections[place] for place in part.places)
        return cls(part, Design(own, part.weights))


@dataclass(frozen=True)
class _Flips:
    """The means of every collection under the flips. All that is averaged is a weighted sum of them."""

    deltas: Sequence[Floats64]
    sums: tuple[Floats64, ...]
    """For every collection what the flipped questions add to its mean, float64 [systems, FLIPS]."""
    shares: tuple[Floats64, ...]
    """For every collection the share of its questions that is flipped, float64 [FLIPS]."""

    @classmethod
    def of(cls, design: Design, deltas: Sequence[Floats64]) -> _Flips:
        found = []
        for one, own in zip(design.collections, deltas, strict=True):
            both = np.vstack([own, np.ones((1, len(one.ids)))]) / max(1, len(one.ids))
            found.append(flipped_sums(one, both))
        return cls(deltas, tuple(sums[:-1] for sums in found), tuple(sums[-1] for sums in found))

    @property
    def systems(self) -> int:
        """How many there are."""
        return len(self.deltas[0])

    def tested(self, chosen: _Chosen, row: int) -> _Tested:
        """One system on a part, not corrected yet."""
        part, design = chosen.part, chosen.design
        own = [self.deltas[place][row] for place in part.places]
        if not design.holds(1) or not all(np.isfinite(values).all() for values in own):
            return _untested()
        weights = zip(part.places, part.weights, strict=True)
        sums, shares = np.zeros(FLIPS), np.zeros(FLIPS)
        for place, weight in weights:
            sums += weight * self.sums[place][row]
            shares += weight * self.shares[place]
        units = design.sums(own)
        sums[np.abs(sums) <= _ROUNDING * np.abs(units).sum()] = 0.0
        return _of(units, sums, shares)


def _of(units: Floats64, sums: Floats64, shares: Floats64) -> _Tested:
    """Of what the questions add, and of the sums of the flipped ones with what they weigh."""
    value, spread = float(units.sum()), float(np.sqrt(np.square(units).sum()))
    few = len(units) < FEWEST
    least = 0.5 ** len(units) if few else 0.0  # what all flips together would give; 10,000 of them can miss it
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
    """A difference d is not rejected from below by flips whose questions have a mean of at most d. A flip without
    questions rejects nothing, on either side."""
    some = shares > 0
    means = sums[some] / shares[some]
    low = _TAIL - 1 - (FLIPS - len(means))
    if low < 0:
        return float("nan"), float("nan")
    high = len(means) - 1 - low
    return float(np.partition(means, low)[low]), float(np.partition(means, high)[high])


def _corrected(family: Sequence[_Tested]) -> list[Difference]:
    """Step-down MaxT: the largest is compared with the largest of all under the flips, the next with the largest of the
    rest, and so on; the last is compared with itself alone, which is its own test. What could not be tested does not
    count."""
    places = [place for place, one in enumerate(family) if not math.isnan(one.statistic)]
    places.sort(key=lambda place: -family[place].statistic)
    found = [replace(one.found, family=len(places)) for one in family]
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

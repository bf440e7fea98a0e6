"""The figures of one measure: values with intervals, and differences from a baseline with their test.

`harness run`, reports, boards, frames and plots all take their figures from here, so they show the same figures for the
same systems and collections.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np

from harness.measuring.statistics.bootstrap import percentile_intervals, resampled_macros
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import DesignPart, Difference, Differences, differences

Interval = tuple[float, float]
SYSTEMS = "systems"
"""The family of an average, which is corrected over the systems with the same baseline."""
COLLECTIONS, GROUPS, LANGUAGES = "collections", "groups", "languages"
"""The families of single columns. Each is corrected over the columns of its family, separately for each system."""
_TOGETHER = 256
"""The number of systems that are resampled at once; it limits the memory."""

S = TypeVar("S", bound=Hashable)
C = TypeVar("C", bound=Hashable)
C_co = TypeVar("C_co", bound=Hashable, covariant=True)


class MeasuredCell(Protocol):
    """One measure of one system on one collection. Values are fractions."""

    @property
    def questions(self) -> Questions:
        """The questions, aligned with `values`."""

    @property
    def values(self) -> Floats64:
        """float64 [queries]; for p-MRR [questions]; empty if only a mean is known."""

    @property
    def value(self) -> float:
        """The mean; NaN if there is none."""

    @property
    def candidates(self) -> str:
        """The id of the frozen candidates. Only systems on the same candidates are paired."""

    @property
    def chance(self) -> float | None:
        """The expected value of a random order of the candidates."""

    @property
    def ceiling(self) -> float | None:
        """The value of a perfect order of the candidates."""

    @property
    def tie_span(self) -> float | None:
        """Best minus worst value over the orders of equal scores."""


class FigureColumn(Protocol[C_co]):
    """One collection, or several to average."""

    @property
    def collections(self) -> tuple[C_co, ...]:
        """The collections, one or more."""

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights of the collections, summing to 1."""

    @property
    def family(self) -> str:
        """What the differences are corrected over: `SYSTEMS`, or the name that the columns of a family share."""


@dataclass(frozen=True)
class Figure:
    """The mean over the queries of one collection, or the weighted mean of several such means. Fractions."""

    value: float | None = None
    """None if a collection is missing, because an average over the others would be a different number."""
    interval: Interval | None = None
    """95 % interval, bootstrap over questions, for these collections; None with fewer than two questions."""
    difference: Difference | None = None
    """The difference from the baseline; None for a baseline, and if the two have different candidates."""
    chance: float | None = None
    ceiling: float | None = None
    tie_span: float | None = None

    @property
    def delta(self) -> float | None:
        """The value of the difference."""
        return None if self.difference is None else self.difference.value

    @property
    def delta_interval(self) -> Interval | None:
        """95 % interval of the difference; None with fewer than six questions."""
        if self.difference is None or math.isnan(self.difference.interval[0]):
            return None
        return self.difference.interval

    @property
    def significant(self) -> bool:
        """Whether there is a difference whose corrected p-value is at most 0.05."""
        return self.difference is not None and self.difference.significant

    @property
    def headroom(self) -> float | None:
        """The share of the possible gain over the baseline that was gained; None if no gain was possible."""
        if self.value is None or self.delta is None or self.ceiling is None:
            return None
        left = self.ceiling - (self.value - self.delta)
        return self.delta / left if left > 1e-12 else None

    def as_dict(self) -> dict[str, object]:
        """Return the figure as plain JSON values, null for what is not known."""
        own = self.difference
        return {
            "value": self.value, "interval": _listed(self.interval), "delta": self.delta,
            "delta_interval": _listed(self.delta_interval), "p": own and own.p,
            "adjusted_p": own and own.adjusted_p, "family": own and own.family, "chance": self.chance,
            "ceiling": self.ceiling, "tie_span": self.tie_span, "headroom": self.headroom,
        }  # fmt: skip


@dataclass(frozen=True)
class Selection(Generic[S, C]):
    """The systems and collections that are shown together for one measure. Corrections are over these."""

    systems: Sequence[S]
    collections: Sequence[C]
    cells: Mapping[tuple[S, C], MeasuredCell]
    base_of: Callable[[S], S | None]
    """Returns the baseline of a system; None for a baseline."""

    def row(self, system: S, collections: Sequence[C]) -> list[MeasuredCell] | None:
        """Return the cells of a system; None if one is missing."""
        found = [cell for one in collections if (cell := self.cells.get((system, one))) is not None]
        return found if len(found) == len(collections) else None

    @cached_property
    def by_base(self) -> dict[S, list[S]]:
        """The systems that are compared with each baseline."""
        found: dict[S, list[S]] = {}
        for system in self.systems:
            base = self.base_of(system)
            if base is not None:
                found.setdefault(base, []).append(system)
        return found

    def deltas(self, system: S, base: S, collection: C) -> Floats64 | None:
        """Return system minus baseline per query, on the same frozen candidates; None if the two cannot be paired."""
        own, before = self.cells.get((system, collection)), self.cells.get((base, collection))
        if own is None or before is None or not len(own.values) or own.candidates != before.candidates:
            return None
        return own.values - before.values if own.questions == before.questions else None


def figures(
    of: Selection[S, C], columns: Sequence[FigureColumn[C]], intervals: Iterable[int] | None = None
) -> dict[tuple[S, int], Figure]:
    """Return the figures of every system in every column, by system and index of the column.

    An average is corrected over the systems with the same baseline. Every other column is corrected over the columns of
    its family, separately for each system, so that other systems do not change it. A column over all collections is an
    average.

    Args:
        intervals: the indices of the columns whose values get an interval. Default: all.
    """
    found = {(system, place): _means(of, system, one) for place, one in enumerate(columns) for system in of.systems}
    for place in range(len(columns)) if intervals is None else intervals:
        for system, interval in value_intervals(of, columns[place]):
            found[system, place] = replace(found[system, place], interval=interval)
    for base, systems in of.by_base.items():
        for key, difference in _differences(of, columns, base, systems):
            if not math.isnan(difference.value):
                found[key] = replace(found[key], difference=difference)
    return found


def _means(of: Selection[S, C], system: S, column: FigureColumn[C]) -> Figure:
    row = of.row(system, column.collections)
    if row is None:
        return Figure()
    return Figure(
        value=_mean([one.value for one in row], column),
        chance=_mean([one.chance for one in row], column),
        ceiling=_mean([one.ceiling for one in row], column),
        tie_span=_mean([one.tie_span for one in row], column),
    )


def _mean(values: Sequence[float | None], column: FigureColumn[C]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return float(np.dot(known, column.weights)) if len(known) == len(values) else None


def value_intervals(of: Selection[S, C], column: FigureColumn[C]) -> Iterator[tuple[S, Interval]]:
    """Yield the 95 % interval of every system that has all collections of the column. All share the same draws."""
    alike: dict[tuple[Questions, ...], dict[S, list[MeasuredCell]]] = {}
    for system in of.systems:
        row = of.row(system, column.collections)
        if row is not None and all(len(one.values) for one in row):
            alike.setdefault(tuple(one.questions for one in row), {})[system] = row
    for questions, rows in alike.items():
        design = Design(questions, column.weights)
        if design.holds(2):
            systems = list(rows)
            for first in range(0, len(systems), _TOGETHER):
                some = systems[first : first + _TOGETHER]
                values = [np.stack([cell.values for cell in own]) for own in zip(*map(rows.get, some), strict=True)]
                yield from zip(some, percentile_intervals(resampled_macros(design, values)), strict=True)


def _differences(
    of: Selection[S, C], columns: Sequence[FigureColumn[C]], base: S, systems: Sequence[S]
) -> Iterator[tuple[tuple[S, int], Difference]]:
    """Yield the differences from one baseline that can be tested."""
    collections = [one for one in of.collections if any(of.deltas(own, base, one) is not None for own in systems)]
    families: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        if set(column.collections) <= set(collections):
            families.setdefault(_family(of, column), []).append(place)
    averages = families.pop(SYSTEMS, [])
    parts = [[_part(columns[place], collections) for place in places] for places in families.values()]
    whole = next((place for place in averages if _covers(columns[place], collections)), None)
    for at in [*averages, None] if parts and whole is None else averages:
        column = _all(collections) if at is None else columns[at]
        found = _tested(of, column, base, systems, parts if at == whole else ())
        for system, one in zip(systems, found, strict=True):
            yield from [] if at is None else [((system, at), one.macro)]
            for places, own in zip(families.values(), one.local, strict=False):
                yield from (((system, place), difference) for place, difference in zip(places, own, strict=True))


@dataclass(frozen=True)
class _Averaged(Generic[C]):
    """A column that is not shown, over all collections."""

    collections: tuple[C, ...]
    weights: tuple[float, ...]
    family: str


def _all(collections: Sequence[C]) -> FigureColumn[C]:
    return _Averaged(tuple(collections), (1 / len(collections),) * len(collections), SYSTEMS)


def _covers(column: FigureColumn[C], collections: Sequence[C]) -> bool:
    return column.collections == tuple(collections)


def _family(of: Selection[S, C], column: FigureColumn[C]) -> str:
    return SYSTEMS if len(column.collections) == len(of.collections) else column.family


def _part(column: FigureColumn[C], collections: Sequence[C]) -> DesignPart:
    return DesignPart(tuple(map(list(collections).index, column.collections)), column.weights)


def _tested(
    of: Selection[S, C],
    column: FigureColumn[C],
    base: S,
    systems: Sequence[S],
    parts: Sequence[Sequence[DesignPart]] = (),
) -> list[Differences]:
    """Return the differences of the systems. NaN marks what a system lacks; it is not tested."""
    before = [of.cells[base, one] for one in column.collections]
    deltas = []
    for collection, cell in zip(column.collections, before, strict=True):
        missing = np.full(len(cell.values), np.nan)
        rows = (of.deltas(system, base, collection) for system in systems)
        deltas.append(np.stack([missing if row is None else row for row in rows]))
    return differences(Design(tuple(cell.questions for cell in before), column.weights), deltas, parts)


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)

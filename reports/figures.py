"""What a results table prints of one system in one column: value, difference, p-value, intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.gathered import CollectionKey, Grid, Result, SystemKey
from harness.statistics.together import percentile_intervals, resampled_macros
from reports.grid_columns import Column
from reports.significance import adjusted, differences
from reports.weighted import Rows, seed_of, weighted_sums

Interval = tuple[float, float]
RESAMPLES, RESAMPLES_OF_MANY = 10_000, 2_000
_MANY = 20_000
"""Queries of a table above which fewer resamples are enough: the bounds of its averages move by thousandths of a
point, those of one collection by hundredths, and a report of 1,800 cells takes seconds."""


@dataclass(frozen=True)
class Figure:
    """Fractions. The mean over queries of one collection, or the weighted mean of several such means."""

    results: tuple[Result, ...]
    """What it is made of; fewer than the column has collections where some are missing."""
    value: float | None = None
    """None where a collection is missing: an average over the rest would be another number."""
    interval: Interval | None = None
    """95 %, bootstrap over queries, for these collections."""
    delta: float | None = None
    """To the first stage, paired per query; None for a first stage and where the candidates differ."""
    delta_interval: Interval | None = None
    p: float | None = None
    """Of the difference, corrected; None where it was not tested."""
    chance: float | None = None
    ceiling: float | None = None
    tie_span: float | None = None

    @property
    def wrong(self) -> bool:
        """Whether a value in it is known to be wrong."""
        return any(one.wrong for one in self.results)

    @property
    def headroom(self) -> float | None:
        """The share of what the first stage left to gain that was gained; None where nothing was left."""
        if self.value is None or self.delta is None or self.ceiling is None:
            return None
        left = self.ceiling - (self.value - self.delta)
        return self.delta / left if left > 1e-12 else None


Figures = Mapping[tuple[SystemKey, int], Figure]


def figures(
    grid: Grid, columns: Sequence[Column], *, intervals: bool = False, resamples: int | None = None, seed: int = 0
) -> Figures:
    """The figures of every system in every column, by the column's place. Averages have intervals always, single
    collections if `intervals` says so."""
    found = {
        (system, place): _figure(grid, system, column)
        for system in grid.systems
        for place, column in enumerate(columns)
    }
    for key, p in adjusted(grid, columns, seed=seed).items():
        found[key] = replace(found[key], p=p)
    single = len({one for column in columns for one in column.collections}) == 1
    wanted = {place: one for place, one in enumerate(columns) if intervals or one.average or single}
    own_seed = {key: seed if single else seed_of(key, seed) for key in grid.collections}
    size = resamples or resamples_of(grid)
    drawn = weighted_sums(grid.collections, wanted, lambda key: _resampled(grid, key, size, own_seed[key]))
    for place, rows in drawn:
        paired = {
            system: row - rows[system.base] for system, row in rows.items() if found[system, place].delta is not None
        }
        moved = _percentiles(paired)
        for system, interval in _percentiles(rows).items():
            found[system, place] = replace(found[system, place], interval=interval, delta_interval=moved.get(system))
    return found


def resamples_of(grid: Grid) -> int:
    """How often the queries of a grid are resampled; a collection by itself as often as a run does."""
    many = len(grid.collections) > 1 and sum(one.queries for one in grid.collections) > _MANY
    return RESAMPLES_OF_MANY if many else RESAMPLES


def _percentiles(rows: Rows) -> dict[SystemKey, Interval]:
    return dict(zip(rows, percentile_intervals(np.stack(list(rows.values()))), strict=True)) if rows else {}


def _resampled(grid: Grid, collection: CollectionKey, resamples: int, seed: int) -> Rows:
    """Means of every system under the same resampled queries, so that a paired difference is the difference of two
    rows. The queries of a collection are drawn once, whatever columns it is in."""
    cells = {system: grid.cells[system, collection] for system in grid.systems if (system, collection) in grid.cells}
    found: Rows = {}
    for size in dict.fromkeys(len(cell.values) for cell in cells.values()):
        if size > 1:
            own = [system for system, cell in cells.items() if len(cell.values) == size]
            strata = [np.stack([cells[system].values for system in own])]
            found |= dict(zip(own, resampled_macros(strata, resamples=resamples, seed=seed), strict=True))
    return found


def _figure(grid: Grid, system: SystemKey, column: Column) -> Figure:
    cells = [grid.cells.get((system, one)) for one in column.collections]
    there = tuple(cell for cell in cells if cell is not None)
    if len(there) < len(cells):
        return Figure(there)
    moved = [differences(grid, system, one) for one in column.collections]
    return Figure(
        there,
        value=_mean([one.value for one in there], column),
        delta=_mean([None if values is None else float(np.mean(values)) for values in moved], column),
        chance=_mean([one.chance for one in there], column),
        ceiling=_mean([one.ceiling for one in there], column),
        tie_span=_mean([one.tie_span for one in there], column),
    )


def _mean(values: Sequence[float | None], column: Column) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not np.isfinite(known).all():
        return None
    return float(np.dot(known, column.weights))

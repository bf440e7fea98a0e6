"""Reranked results paired with the first stage's on the same candidates, for all plots of gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.measuring.statistics.difference import Difference
from harness.result import figure
from harness.result.figure import LANGUAGES, SYSTEMS
from harness.result.gathered import Grid
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result
from reports.grid import GridColumn, average, collection_columns, once, selection
from reports.tables.report import Sheet

Floats64 = npt.NDArray[np.float64]
Interval = tuple[float, float]
UNKNOWN: Interval = (float("nan"), float("nan"))
MOST = 40
"""The most systems in a plot with a row, a column or a point for each; more are not readable."""
UNDECLARED = "undeclared"
"""The family of collections that declare no language."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The results after and before reranking on one collection."""

    after: Result
    before: Result
    difference: Difference
    """Corrected over the collections of the system."""

    @property
    def deltas(self) -> Floats64:
        """The differences per query, float64 [queries]."""
        return self.after.values - self.before.values

    @property
    def delta(self) -> float:
        """The mean difference, after minus before."""
        return self.difference.value


@dataclass(frozen=True, eq=False)
class GridPairs:
    """A grid with the pairs of its cells. A cell has a pair if its first stage has a result on the same candidates."""

    grid: Grid
    of: dict[tuple[SystemKey, CollectionKey], Pair]
    averages: dict[tuple[SystemKey, tuple[CollectionKey, ...]], Difference]
    """The differences of every language, corrected over the languages of the system, and of all collections, corrected
    over the systems."""
    main: tuple[CollectionKey, ...]
    """The collections that are averaged, each once."""

    @cached_property
    def systems(self) -> list[SystemKey]:
        """The reranked systems with a pair: those with the most collections first, then by falling gain."""
        found = [system for system in self.grid.systems if self.row(system)]
        return sorted(found, key=lambda one: (-len(self.row(one)), -self.macro(one)))

    def row(self, system: SystemKey) -> list[Pair]:
        """The system's pairs, in the order of the collections."""
        return [self.of[system, one] for one in self.grid.collections if (system, one) in self.of]

    def is_complete(self, system: SystemKey) -> bool:
        """Whether every collection has a pair."""
        return len(self.row(system)) == len(self.grid.collections)

    def macro(self, system: SystemKey) -> float:
        """The macro average of the system's gains over the collections with a pair."""
        row = self.row(system)
        weights = self.grid.weights([pair.after.collection for pair in row])
        return float(np.average([pair.delta for pair in row], weights=weights))


def paired(grid: Grid, sheets: Sequence[Sheet] = ()) -> GridPairs:
    """Pair every reranked cell with the cell of its first stage. The differences are those of the tables.

    Args:
        grid: the results of one measure.
        sheets: tables of the same grid, whose figures are used again. Default: none.
    """
    singles = [one for one in collection_columns(grid) if len(one.collections) == 1]
    main = once(grid)
    averages = [*_languages(grid, main), average(grid, main, "all collections", "")]
    columns = [*singles, *averages]
    known = _differences(grid, columns, sheets)
    found = {}
    for one in singles:
        key = one.collections[0]
        for system, difference in known[_key(grid, one)].items():
            found[system, key] = Pair(grid.cells[system, key], grid.cells[system.base, key], difference)
    several = {
        (system, one.collections): difference
        for one in averages
        for system, difference in known[_key(grid, one)].items()
        if not any(grid.cells[system, key].wrong for key in one.collections)
    }
    sound = {key: pair for key, pair in found.items() if not pair.after.wrong}
    return GridPairs(_sound(grid), sound, several, tuple(main))


_Key = tuple[tuple[CollectionKey, ...], tuple[float, ...], str]
"""Collections, weights and family. Columns with equal keys have the same differences."""


def _key(grid: Grid, column: GridColumn) -> _Key:
    whole = len(column.collections) == len(grid.collections)
    return column.collections, column.weights, SYSTEMS if whole else column.family


def _differences(
    grid: Grid, columns: Sequence[GridColumn], sheets: Sequence[Sheet]
) -> Mapping[_Key, Mapping[SystemKey, Difference]]:
    """The differences of every column by system. They are computed for columns that are in no sheet; a sheet has all
    columns of a family or none."""
    found: dict[_Key, dict[SystemKey, Difference]] = {}
    for sheet in sheets:
        _add(found, grid, sheet.columns, sheet.figures)
    missing = [one for one in columns if _key(grid, one) not in found]
    if missing:
        _add(found, grid, missing, figure.figures(selection(grid), missing, ()))
    return found


def _add(
    found: dict[_Key, dict[SystemKey, Difference]],
    grid: Grid,
    columns: Sequence[GridColumn],
    figures: Mapping[tuple[SystemKey, int], figure.Figure],
) -> None:
    keys = [_key(grid, one) for one in columns]
    for key in keys:
        found.setdefault(key, {})
    for (system, place), one in figures.items():
        if one.difference is not None:
            found[keys[place]][system] = one.difference


def _sound(grid: Grid) -> Grid:
    """The grid without values that are known to be wrong. The differences of the other values do not change."""
    cells = {key: cell for key, cell in grid.cells.items() if not cell.wrong}
    kept = {system for system, _ in cells}
    return replace(grid, systems=tuple(one for one in grid.systems if one in kept), cells=cells)


def _languages(grid: Grid, main: Sequence[CollectionKey]) -> list[GridColumn]:
    """A column for every language, and one for the collections without a language."""
    codes = dict.fromkeys(one.language for one in main)
    by_code = {code: [one for one in main if one.language == code] for code in codes}
    return [
        replace(average(grid, own, code or "", ""), family=LANGUAGES if code else UNDECLARED)
        for code, own in by_code.items()
    ]


def limited(systems: Sequence[SystemKey], most: int) -> tuple[list[SystemKey], str]:
    """The first `most` systems, and a sentence on those left out, '' for none."""
    left = len(systems) - most
    sentence = (
        f" The {most} with the largest gains are drawn; {left} more {'is' if left == 1 else 'are'} in the table."
        if left > 0
        else ""
    )
    return list(systems[:most]), sentence

"""What a results table prints of one system in one column: its figure, and the results that it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.result import figure
from harness.result.figure import Column, Selection
from harness.result.gathered import Grid
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result


@dataclass(frozen=True)
class Figure(figure.Figure):
    """Fractions."""

    results: tuple[Result, ...] = ()
    """What it is made of; fewer than the column has collections where some are missing."""

    @property
    def wrong(self) -> bool:
        """Whether a value in it is known to be wrong."""
        return any(one.wrong for one in self.results)


Figures = Mapping[tuple[SystemKey, int], Figure]


def figures(grid: Grid, columns: Sequence[Column[CollectionKey]], *, intervals: bool = True) -> Figures:
    """The figures of every system in every column, by the column's place; see `harness.result.figure.figures`.

    Args:
        intervals: of single columns too; averages, and the only collection, have theirs always.
    """
    wanted = [
        place
        for place, one in enumerate(columns)
        if intervals or one.family == figure.SYSTEMS or len(one.collections) == len(grid.collections)
    ]
    found = figure.figures(selection(grid), columns, wanted)
    return {key: Figure(**vars(one), results=_results(grid, key[0], columns[key[1]])) for key, one in found.items()}


def selection(grid: Grid) -> Selection[SystemKey, CollectionKey]:
    """The results of a grid, each system with its first stage as the baseline."""
    return Selection(grid.systems, grid.collections, grid.cells, lambda one: one.base if one.reranker else None)


def _results(grid: Grid, system: SystemKey, column: Column[CollectionKey]) -> tuple[Result, ...]:
    cells = (grid.cells.get((system, one)) for one in column.collections)
    return tuple(cell for cell in cells if cell is not None)

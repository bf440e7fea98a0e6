"""The ranking of the systems of a grid: macro value, interval, difference to the first stage, rank and group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.measuring.statistics.bootstrap import rank_intervals, resampled_macros
from harness.measuring.statistics.design import Design
from harness.result.figure import Figure
from harness.result.gathered import Grid
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result
from leaderboards.groups import groups

_NONE = Figure()


@dataclass(frozen=True)
class BoardStanding:
    """A row of a board. A system that lacks a collection or some queries has no macro value and no rank."""

    system: SystemKey
    figure: Figure = _NONE
    """The macro average and its difference to the system's first stage, as in a report."""
    rank: int | None = None
    """The rank. Equal values share a rank."""
    ranks: tuple[int, int] | None = None
    """The 95 % interval of the rank, from 10,000 resamples."""
    group: str | None = None
    """The letters of its group; see `leaderboards.groups`."""

    @property
    def value(self) -> float | None:
        """The macro average, a fraction."""
        return self.figure.value


def standings(grid: Grid, figures: Mapping[SystemKey, Figure]) -> list[BoardStanding]:
    """The rows of a ranking: complete rows by falling value, then incomplete rows by coverage and label.

    A row with an imported mean, or with a value that is known to be wrong, is incomplete and has no rank. Ranks have an
    interval only over several collections.

    Args:
        grid: the results of one measure.
        figures: the figure of each system for the average over the collections of the grid.
    """
    queries = _queries(grid)
    complete = [one for one in grid.systems if [_answered(cell) for cell in grid.row(one)] == queries]
    rest = [one for one in grid.systems if one not in set(complete)]
    covered = {one: sum(cell is not None for cell in grid.row(one)) for one in rest}
    below = sorted(rest, key=lambda one: (-covered[one], one.label, one.first_stage, one.depth))
    return [*(_ranked(grid, complete, figures) if complete else []), *map(BoardStanding, below)]


def _answered(cell: Result | None) -> tuple[str, ...] | None:
    """The queries of a cell; None if it is missing, a mean without queries, or known to be wrong."""
    return None if cell is None or cell.wrong or cell.is_mean_only else cell.ids


def _queries(grid: Grid) -> list[tuple[str, ...]]:
    """The queries of each collection. A system with fewer queries cannot be paired; p-MRR leaves out questions."""
    ids: dict[CollectionKey, tuple[str, ...]] = dict.fromkeys(grid.collections, ())
    for (_, collection), cell in grid.cells.items():
        ids[collection] = max(ids[collection], cell.ids, key=len)
    return list(ids.values())


def _ranked(grid: Grid, systems: Sequence[SystemKey], figures: Mapping[SystemKey, Figure]) -> list[BoardStanding]:
    means = {one: float("-inf") if (value := figures[one].value) is None else value for one in systems}
    ordered = sorted(systems, key=lambda one: (-means[one], one.label, one.first_stage, one.depth))
    cells = [[grid.cells[one, key] for one in ordered] for key in grid.collections]
    design = Design(tuple(own[0].questions for own in cells), grid.weights())
    values = [np.stack([cell.values for cell in own]) for own in cells]
    several = len(values) > 1 and design.holds(2)
    ranks = rank_intervals(resampled_macros(design, values)) if several else [None] * len(ordered)
    grouped = groups(design, values) if design.holds(1) else [None] * len(ordered)
    return [
        BoardStanding(one, figures[one], rank, span, group)
        for one, rank, span, group in zip(
            ordered, _places([means[one] for one in ordered]), ranks, grouped, strict=True
        )
    ]


def _places(falling: Sequence[float]) -> list[int]:
    """The ranks of values in falling order. Equal values share a rank."""
    rising = np.array(falling[::-1])
    return [int(1 + len(rising) - place) for place in np.searchsorted(rising, np.array(falling) + 1e-12, side="right")]

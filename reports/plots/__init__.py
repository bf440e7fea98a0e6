"""Plots of results: each is a value that was stored, drawn as a PNG and an SVG. Needs the extra `reports`.

One file per plot says what is drawn; `style` says how all of them look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.result.gathered import Grid, grids
from harness.result.result import Result
from reports.plots.ceiling import draw_ceilings
from reports.plots.cost import draw_cost, draw_waits
from reports.plots.depth import draw_depth
from reports.plots.dumbbells import draw_dumbbells
from reports.plots.gains import draw_gains
from reports.plots.heat_map import draw_heat_map
from reports.plots.paired import paired
from reports.plots.plot import Drawing, Plot, write
from reports.plots.queries import draw_queries
from reports.tables.report import Sheet

__all__ = ["Plot", "write_plots"]


def write_plots(results: Sequence[Result], out: Path, workspace: Path, sheets: Sequence[Sheet] = ()) -> list[Plot]:
    """Write every plot that the results carry into the folder `out`, for each main measure. What is known
    to be wrong is not drawn.

    Args:
        workspace: where kept scores are read from, for the curve of depths and what was truncated.
        sheets: the tables of the same results; what they hold is not computed again.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    return [
        write(drawing, out)
        for grid in _main(grids(results))
        for drawing in drawings(grid, workspace, [one for one in sheets if one.grid.measure == grid.measure])
    ]


def drawings(grid: Grid, workspace: Path, sheets: Sequence[Sheet] = ()) -> Iterator[Drawing]:
    """Every plot of one measure, in the order of the report."""
    pairs = paired(grid, sheets)
    for drawn in (draw_gains(pairs), draw_heat_map(pairs), draw_dumbbells(pairs), draw_queries(pairs)):
        if drawn is not None:
            yield drawn
    yield from draw_ceilings(pairs, workspace)
    for drawn in (draw_depth(pairs, workspace), draw_cost(pairs.grid)):
        if drawn is not None:
            yield drawn
    yield from draw_waits(pairs.grid)


def _main(found: Sequence[Grid]) -> list[Grid]:
    """The grids of main measures; all, where somebody asked for others only."""
    mains = [grid for grid in found if any(one.main_measure == grid.measure for one in grid.collections)]
    return mains or list(found)

"""Plots of stored results as PNG and SVG. They need the extra `reports`.

Each plot has its own module; `style` defines the look of all plots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.result.gathered import Grid, grids
from harness.result.result import Result
from reports.marks import judged_notes
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
    """Write all plots that the results allow into the folder `out`, for each main measure. Values that are known to be
    wrong are not drawn.

    Args:
        results: the selected results.
        out: the folder.
        workspace: the workspace with the stored scores, for the curves over depth and for truncation.
        sheets: tables of the same results, whose figures are used again. Default: none.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    return [
        write(_noted(drawing, grid), out)
        for grid in _main(grids(results))
        for drawing in drawings(grid, workspace, [one for one in sheets if one.grid.measure == grid.measure])
    ]


def drawings(grid: Grid, workspace: Path, sheets: Sequence[Sheet] = ()) -> Iterator[Drawing]:
    """The plots of one measure, in the order of the report."""
    pairs = paired(grid, sheets)
    for drawn in (draw_gains(pairs), draw_heat_map(pairs), draw_dumbbells(pairs), draw_queries(pairs)):
        if drawn is not None:
            yield drawn
    yield from draw_ceilings(pairs, workspace)
    for drawn in (draw_depth(pairs, workspace), draw_cost(pairs.grid)):
        if drawn is not None:
            yield drawn
    yield from draw_waits(pairs.grid)


def _noted(drawing: Drawing, grid: Grid) -> Drawing:
    """The drawing with a note on labels of judges in its caption, if there are any."""
    notes = judged_notes(one.name for one in grid.collections)
    return replace(drawing, caption=" ".join([drawing.caption, *notes]))


def _main(all_grids: Sequence[Grid]) -> list[Grid]:
    """The grids of main measures, or all grids if there is no main measure among them."""
    mains = [grid for grid in all_grids if any(one.main_measure == grid.measure for one in grid.collections)]
    return mains or list(all_grids)

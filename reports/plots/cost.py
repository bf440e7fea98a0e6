"""Quality against cost, and the systems that no other system beats in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.result.figure import value_intervals
from harness.result.gathered import Grid, speed_of
from harness.result.keys import SystemKey
from reports.grid import average, selection
from reports.plots.labels import counted, system_labels
from reports.plots.paired import MOST, UNKNOWN, Interval
from reports.plots.plot import Drawing, file_name
from reports.plots.style import GAIN, INK, LINE, MUTED, headed, sheet, style

NAMED = 10
"""With more systems, the plot shows numbers, and their names are listed next to it."""


@dataclass(frozen=True)
class Spent:
    """The quality of a system, as a fraction, and its cost."""

    system: SystemKey
    value: float
    interval: Interval
    """NaN until the point is drawn."""
    cost: float


def speeds(grid: Grid) -> list[Spent]:
    """Pairs per second on this machine, over all pairs of a system. Systems that lack a collection or a stored time are
    left out."""
    found = []
    for system in grid.systems:
        speed = speed_of(cell for cell in grid.row(system) if cell is not None)
        if speed is not None and grid.is_complete(system):
            found.append((system, speed))
    return _with_values(grid, found)


def waits(grid: Grid, part: int) -> list[Spent]:
    """What `harness latency` measured: the largest value over the collections. Systems that lack a collection are left
    out.

    Args:
        grid: the results of one measure.
        part: 0 for the median of a query's milliseconds, 1 for the 95th percentile, 2 for peak MB.
    """
    found = []
    for system in grid.systems:
        cells = [cell for cell in grid.row(system) if cell is not None and cell.timing.latency is not None]
        measured = [cell.timing.latency[part] for cell in cells if cell.timing.latency is not None]
        values = [value for value in measured if value is not None]
        if values and len(values) == len(grid.collections):
            found.append((system, max(values) * (1 if part == 2 else 1000)))
    return _with_values(grid, found)


def draw_waits(grid: Grid) -> list[Drawing]:
    """Quality against the median and the 95th percentile of a query's latency, and against memory. A plot needs two
    systems."""
    drawn = []
    for part, name, cost in _WAITS:
        points = waits(grid, part)
        if len(points) > 1:
            shown, left = _shown(grid, points, more_is_better=False)
            drawing = draw_quality_against(shown, grid.measure, name=name, cost=cost, more_is_better=False)
            drawn.append(replace(drawing, caption=drawing.caption + left))
    return drawn


_WAITS = (
    (0, "latency-p50", "milliseconds of a query, median, on this machine"),
    (1, "latency-p95", "milliseconds of a query, 95th percentile, on this machine"),
    (2, "memory", "peak MB on this machine"),
)


def _with_values(grid: Grid, found: Sequence[tuple[SystemKey, float]]) -> list[Spent]:
    rows, weights = [[cell for cell in grid.row(system) if cell] for system, _ in found], grid.weights()
    values = [float(np.average([cell.value for cell in row], weights=weights)) for row in rows]
    return [Spent(system, value, UNKNOWN, cost) for (system, cost), value in zip(found, values, strict=True)]


def _shown(grid: Grid, points: Sequence[Spent], *, more_is_better: bool) -> tuple[list[Spent], str]:
    """The points to draw, with their intervals, and a sentence on those left out.

    All points of the front are drawn, because the front would change without them, and the best of the others.
    """
    best = front(points, more_is_better=more_is_better)
    others = sorted((one for one in points if one not in best), key=lambda one: -one.value)
    kept = {one.system for one in [*best, *others[: max(0, MOST - len(best))]]}
    own = replace(selection(grid), systems=[one.system for one in points if one.system in kept])
    intervals = dict(value_intervals(own, average(grid, grid.collections, "", "")))
    shown = [replace(one, interval=intervals.get(one.system, UNKNOWN)) for one in points if one.system in kept]
    left = len(points) - len(shown)
    verb = "is" if left == 1 else "are"
    sentence = f" The systems on the line and the best of the others are drawn; {left} more {verb} in the table."
    return shown, sentence if left else ""


def front(points: Sequence[Spent], *, more_is_better: bool) -> list[Spent]:
    """The Pareto front, cheapest first: the points that no other point beats in quality or cost without being worse in
    the other. Points that are equal in both are all included."""
    sign = -1 if more_is_better else 1
    kept, best, level = [], -math.inf, math.nan
    for point in sorted(points, key=lambda one: (sign * one.cost, -one.value)):
        if point.value > best or (point.value == best and point.cost == level):
            kept.append(point)
            best, level = point.value, point.cost
    return kept


def draw_cost(grid: Grid) -> Drawing | None:
    """Quality against pairs per second. None if the speed of fewer than two systems is known."""
    points = speeds(grid)
    if len(points) < 2:
        return None
    shown, rest = _shown(grid, points, more_is_better=True)
    drawing = draw_quality_against(
        shown, grid.measure, name="speed", cost="pairs scored per second on this machine", more_is_better=True
    )
    missing = len([one for one in grid.systems if one.reranker]) - len(points)
    left = f" Not drawn: {counted(missing, 'system')} without a stored time or with missing cells." if missing else ""
    return replace(drawing, caption=drawing.caption + rest + left)


def draw_quality_against(
    points: Sequence[Spent], measure: str, *, name: str, cost: str, more_is_better: bool
) -> Drawing:
    """Quality against a cost on a logarithmic axis.

    Args:
        points: the systems.
        measure: the measure of quality.
        name: part of the file's name.
        cost: the title of the cost axis, with its unit.
        more_is_better: whether larger numbers are cheaper, as for speed.
    """
    best = front(points, more_is_better=more_is_better)
    ordered = sorted(points, key=lambda one: -one.value)
    with style():
        figure = sheet(7.4 if len(points) <= NAMED else 9.6, max(4.2, 1.0 + 0.17 * len(points)))
        axis = figure.subplots()
        _front(axis, best)
        _points(axis, ordered, best)
        axis.set_xscale("log")
        _ticks(axis)
        axis.set_xlabel(cost + (" (right is better)" if more_is_better else " (left is better)"))
        axis.set_ylabel(f"{measure}, points")
        headed(figure, f"Quality against cost, {measure}")
        axis.grid()
        axis.margins(x=0.18, y=0.12)
        figure.draw_without_rendering()
        (_names if len(points) <= NAMED else _numbered)(axis, ordered, best)
    caption = (
        f"{measure} in points (macro average, 95 % intervals over queries) against {cost}. Filled marks on the line: "
        "no other system is as good and as cheap."
    )
    return Drawing(file_name("quality", name, measure), f"Quality against cost, {measure}", caption, figure)


def _front(axis: Any, best: Sequence[Spent]) -> None:
    axis.plot([one.cost for one in best], [100 * one.value for one in best], color=GAIN, linewidth=1, zorder=1,
              drawstyle="steps-post", alpha=0.6, gid="front")  # fmt: skip


def _points(axis: Any, points: Sequence[Spent], best: Sequence[Spent]) -> None:
    for one in points:
        low, high = one.interval
        first = one in best
        if not math.isnan(low):
            axis.vlines([one.cost], [100 * low], [100 * high], color=GAIN if first else LINE, linewidth=1.1, zorder=1)
        axis.plot(
            [one.cost], [100 * one.value], "o" if first else "s", markersize=7 if first else 5.5, mew=1.3,
            mfc=GAIN if first else "white", mec=GAIN if first else MUTED, zorder=3, gid="system",
        )  # fmt: skip


def _ticks(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_xlim()
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 200 else (1,)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


def _names(axis: Any, points: Sequence[Spent], best: Sequence[Spent]) -> None:
    """Write each name on the first free side of its point. The figure must have been laid out."""
    labels = system_labels([one.system for one in points])
    taken: list[Any] = []
    for one in points:
        for side, across in _SIDES:
            text = axis.annotate(
                labels[one.system], (one.cost, 100 * one.value), side, textcoords="offset points", ha=across,
                va="center", fontsize=8, color=INK if one in best else MUTED,
            )  # fmt: skip
            box = text.get_window_extent()
            if (side, across) == _SIDES[-1] or not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


_SIDES = (
    ((8, 0), "left"), ((-8, 0), "right"), ((7, 10), "left"), ((7, -10), "left"), ((-7, 10), "right"),
    ((-7, -10), "right"), ((7, 20), "left"), ((7, -20), "left"),
)  # fmt: skip


def _numbered(axis: Any, points: Sequence[Spent], best: Sequence[Spent]) -> None:
    """Write a number at each point, and the names of the numbers next to the plot, the best system on top."""
    labels = system_labels([one.system for one in points])
    for place, one in enumerate(points):
        axis.annotate(str(place + 1), (one.cost, 100 * one.value), (5, 4), textcoords="offset points", fontsize=7)
        axis.text(
            1.03, 1 - (place + 0.5) / len(points), f"{place + 1}  {labels[one.system]}", transform=axis.transAxes,
            fontsize=7.5, va="center", fontweight="bold" if one in best else "normal",
            color=INK if one in best else MUTED,
        )  # fmt: skip

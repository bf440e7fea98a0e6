"""Lines with an interval around each point and labels at their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.plots.labels import spread
from reports.plots.style import DASHES, MARKERS, SERIES


@dataclass(frozen=True)
class PlotLine:
    """A line. `y`, `low` and `high` are aligned with `x`; `low` and `high` are empty without intervals."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def draw_lines(axis: Any, lines: Sequence[PlotLine], *, band: bool, scale: float = 100) -> None:
    """Draw each line with a different colour, marker and dash.

    Args:
        axis: the axis to draw on.
        lines: the lines.
        band: whether intervals are bands; otherwise they are whiskers.
        scale: factor for all values. Default: 100, for points.
    """
    for place, line in enumerate(lines):
        colour, marker, dash = SERIES[place % 6], MARKERS[place % 6], DASHES[place % 6]
        y = [scale * value for value in line.y]
        axis.plot(
            line.x, y, color=colour, marker=marker, linestyle=dash, markersize=5, linewidth=1.6, gid="line",
            label=line.label, zorder=3,
        )  # fmt: skip
        if len(line.low):
            _interval(axis, line, colour, band, scale)


def _interval(axis: Any, line: PlotLine, colour: str, band: bool, scale: float) -> None:
    low, high = ([scale * value for value in side] for side in (line.low, line.high))
    if band:
        axis.fill_between(line.x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=1)
    else:
        axis.vlines(line.x, low, high, color=colour, linewidth=1, alpha=0.7, zorder=2)


def name_ends(axis: Any, lines: Sequence[PlotLine], *, scale: float = 100) -> None:
    """Write each line's label next to its last point; labels that would overlap are moved apart. The limits of the axis
    must be final."""
    low, high = axis.get_ylim()
    height = axis.figure.get_figheight() * 0.68
    ends = [scale * line.y[-1] for line in lines]
    for place, (line, level) in enumerate(zip(lines, spread(ends, (high - low) / height * 0.17), strict=True)):
        at = (line.x[-1], ends[place])
        axis.annotate(
            line.label, at, (1.02, level), textcoords=axis.get_yaxis_transform(), va="center", fontsize=8,
            color=SERIES[place % len(SERIES)], annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": SERIES[place % len(SERIES)], "linewidth": 0.5, "alpha": 0.5},
        )  # fmt: skip

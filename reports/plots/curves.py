"""Values over a setting, such as the share of a model in a merge or the training steps."""

from __future__ import annotations

from collections.abc import Sequence

from reports.plots.fonts import shown
from reports.plots.lines import PlotLine, draw_lines, name_ends
from reports.plots.plot import Drawing, file_name
from reports.plots.style import MUTED, headed, sheet, style


def draw_curves(
    lines: Sequence[PlotLine], *, title: str, x_title: str, measure: str, start: float | None = None
) -> Drawing:
    """Curves with bands or whiskers.

    Args:
        lines: the curves, as fractions; one per language, for instance.
        title: the title.
        x_title: the setting with its unit, such as `training steps` or `t, the share of B`.
        measure: the measure of the values.
        start: the value at the start, drawn as a level line. Default: no line.
    """
    named = [PlotLine(shown(one.label), one.x, one.y, one.low, one.high) for one in lines]
    with style():
        figure = sheet(7.2, 3.8)
        axis = figure.subplots()
        draw_lines(axis, named, band=len(named) <= 3)
        if start is not None:
            axis.axhline(100 * start, color=MUTED, linewidth=1, linestyle=(0, (2, 2)), gid="start")
            axis.annotate("start", (0, 100 * start), (4, 3), xycoords=axis.get_yaxis_transform(),
                          textcoords="offset points", fontsize=8, color=MUTED)  # fmt: skip
        axis.grid(axis="y")
        axis.set_xlabel(x_title)
        axis.set_ylabel(f"{measure}, points")
        headed(figure, title)
        axis.margins(y=0.12)
        name_ends(axis, named)
    caption = f"{measure} in points. {'Bands' if len(named) <= 3 else 'Whiskers'} are 95 % intervals, if known."
    return Drawing(file_name("curve", title), title, caption, figure)

"""Reliability of judges: the share of supported claims at each probability that a judge gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.labelling.calibrate import Calibrated
from reports.plots.fonts import shown
from reports.plots.plot import Drawing
from reports.plots.style import MARKERS, MUTED, SERIES, headed, sheet, style

_ACROSS = 3


def draw_reliability(found: Sequence[Calibrated]) -> Drawing:
    """A panel for each judge. The area of a point is its number of claims."""
    across = min(_ACROSS, len(found))
    down = -(-len(found) // across)
    with style():
        figure = sheet(2.6 * across + 0.4, 2.8 * down + 0.4)
        axes = list(figure.subplots(down, across, squeeze=False).flat)
        for axis, one, place in zip(axes, found, range(len(found)), strict=False):
            _panel(axis, one, place)
        for axis in axes[len(found) :]:
            axis.set_visible(False)
        headed(figure, "Reliability")
    caption = (
        "Claims of the half that nothing was fitted on, in ten bins of the probability of support; the area of a point "
        "is its number of claims. On the dashed line, probability and share of supported claims are equal."
    )
    return Drawing("reliability", "Reliability", caption, figure)


def _panel(axis: Any, one: Calibrated, place: int) -> None:
    chances, supported, sizes = zip(*one.verdicts.reliability, strict=True)
    total = sum(sizes)
    axis.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), gid="diagonal")
    axis.scatter(
        chances, supported, [20 + 300 * size / total for size in sizes], color=SERIES[place % 6],
        marker=MARKERS[place % 6], zorder=3, gid="bins",
    )  # fmt: skip
    axis.set_xlim(-0.05, 1.05)
    axis.set_ylim(-0.05, 1.05)
    axis.set_xlabel("probability of support")
    axis.set_ylabel("supported by people")
    axis.set_title(shown(one.name if len(one.name) <= 34 else f"...{one.name[-31:]}"))
    axis.grid()

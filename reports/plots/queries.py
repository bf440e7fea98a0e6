"""The differences per query: how many queries gain, lose and stay the same, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.result.keys import SystemKey
from reports.plots.labels import signed, system_labels
from reports.plots.paired import GridPairs, limited
from reports.plots.plot import Drawing, file_name
from reports.plots.style import GAIN, INK, LOSS, MUTED, headed, sheet, style

Floats64 = npt.NDArray[np.float64]
SYSTEMS, COLUMNS = 6, 3
LARGE = 0.2
"""A large difference of one query, a fraction: visible on a page of results."""
_SAME = 1e-9
_BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1}


@dataclass(frozen=True, eq=False)
class Spread:
    """The differences per query of a system, the largest first, with the weight of each query in the macro average."""

    system: SystemKey
    deltas: Floats64
    """Differences as fractions, float64 [queries]."""
    shares: Floats64
    """Weights that sum to 1, float64 [queries]."""

    def share(self, low: float = -np.inf, high: float = np.inf) -> float:
        """The share of queries with a difference in [low, high]."""
        return float(self.shares[(self.deltas >= low) & (self.deltas <= high)].sum())

    def outline(self) -> tuple[Floats64, Floats64]:
        """Percent of the queries and differences in points, float64 [501] each, for any number of queries."""
        places = np.linspace(0, 1, 501)
        rows = np.searchsorted(np.cumsum(self.shares), places, side="right").clip(max=len(self.deltas) - 1)
        return places * 100, self.deltas[rows] * 100

    @property
    def mean(self) -> float:
        """The macro average."""
        return float(self.deltas @ self.shares)


def spread_of(pairs: GridPairs, system: SystemKey) -> Spread:
    """The system's differences on all collections where it has a pair."""
    row = pairs.row(system)
    weights = pairs.grid.weights([pair.after.collection for pair in row])
    deltas = np.concatenate([pair.deltas for pair in row])
    shares = np.concatenate([
        np.full(len(pair.deltas), weight / len(pair.deltas)) for pair, weight in zip(row, weights, strict=True)
    ])  # fmt: skip
    order = np.argsort(-deltas, kind="stable")
    return Spread(system, deltas[order], shares[order])


def draw_queries(pairs: GridPairs) -> Drawing | None:
    """A panel per system. None if nothing was reranked."""
    systems, left = limited(pairs.systems, SYSTEMS)
    if not systems:
        return None
    measure, title = pairs.grid.measure, f"Differences per query, {pairs.grid.measure}"
    with style():
        figure = headed(_figure(measure, [spread_of(pairs, system) for system in systems]), title)
    caption = (
        f"The difference to the first stage of every query in points of {measure}, the largest gain on the left. The "
        f"area is the macro average: every collection has the same width, or its share of a group's.{left}"
    )
    return Drawing(file_name("queries", measure), title, caption, figure)


def _figure(measure: str, spreads: Sequence[Spread]) -> Any:
    columns = min(COLUMNS, len(spreads))
    rows = -(-len(spreads) // columns)
    figure = sheet(6.4 if columns == 1 else 1.0 + 3.2 * columns, 0.9 + 2.9 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    labels = system_labels([one.system for one in spreads], 34)
    for axis, one in zip(axes.flat, spreads, strict=False):
        _panel(axis, one)
        axis.set_title(labels[one.system])
    for axis in axes.flat[len(spreads) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel(f"difference, points of {measure}")
    for place, axis in enumerate(axes.flat[: len(spreads)]):
        if place + columns >= len(spreads):
            axis.set_xlabel("queries, %")
            axis.tick_params(labelbottom=True)
    return figure


def _panel(axis: Any, one: Spread) -> None:
    places, heights = one.outline()
    axis.fill_between(places, np.maximum(heights, 0), color=GAIN, linewidth=0, zorder=2, gid="gains")
    axis.fill_between(
        places, np.minimum(heights, 0), facecolor=LOSS, hatch="////", edgecolor="white", linewidth=0, zorder=2,
        gid="losses",
    )  # fmt: skip
    axis.axhline(0, color=INK, linewidth=0.9)
    axis.axhline(one.mean * 100, color=INK, linewidth=1, linestyle=(0, (4, 3)), gid="mean")
    axis.annotate(f"mean {signed(one.mean * 100)}", (100, one.mean * 100), (0, 3 if one.mean >= 0 else -10),
                  textcoords="offset points", ha="right", fontsize=8, zorder=4, bbox=_BOX)  # fmt: skip
    axis.set_xlim(0, 100)
    axis.grid(axis="y")
    _counts(axis, one)


def _counts(axis: Any, one: Spread) -> None:
    rises, falls = one.share(low=_SAME), one.share(high=-_SAME)
    up, down = one.share(low=LARGE), one.share(high=-LARGE)
    rows = (
        (f"{rises:.0%} gain, {up:.0%} more than 20 points", GAIN),
        (f"{max(0.0, 1 - rises - falls):.0%} stay as they are", MUTED),
        (f"{falls:.0%} lose, {down:.0%} more than 20 points", LOSS),
    )
    for place, (text, colour) in enumerate(rows):
        axis.text(
            0.98, 0.97 - 0.075 * place, text.replace("%", " %"), transform=axis.transAxes, ha="right", va="top",
            fontsize=8, color=colour, zorder=4, bbox=_BOX,
        )  # fmt: skip

"""A heat map of collections by systems: every difference to the first stage as a colour and a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.result.figure import COLLECTIONS, SYSTEMS, Figure
from harness.result.keys import CollectionKey, SystemKey
from reports import rule
from reports.plots.labels import collection_labels, counted, signed, system_labels
from reports.plots.paired import MOST, GridPairs, Pair, limited
from reports.plots.plot import Drawing, file_name
from reports.plots.style import GAIN, INK, LOSS, MUTED, headed, sheet, style

Floats64 = npt.NDArray[np.float64]
_COLOURS = ("#7a2d00", LOSS, "#d98a54", "#f6d9c3", "#ffffff", "#cfe0f2", "#6fa5da", GAIN, "#063a70")
_WIDTH, _HEIGHT = 0.46, 0.25
"""The size of a cell in inches."""
_LETTER = 0.075
"""The approximate width of a letter in inches."""
_DARK = 0.5


def differences(pairs: GridPairs, systems: Sequence[SystemKey]) -> Floats64:
    """Differences in points, float64 [collections, systems]; NaN if there is no pair."""
    return np.array([
        [100 * pairs.of[one, collection].delta if (one, collection) in pairs.of else np.nan for one in systems]
        for collection in pairs.grid.collections
    ])  # fmt: skip


def draw_heat_map(pairs: GridPairs) -> Drawing | None:
    """The heat map. None with fewer than two systems, because other plots show a single system."""
    if len(pairs.systems) < 2:
        return None
    collections, measure = list(pairs.grid.collections), pairs.grid.measure
    systems, left = limited(pairs.systems, MOST)
    values = differences(pairs, systems)
    title = f"Differences to the first stage, {measure}"
    with style():
        figure = headed(_figure(pairs, values, collections, systems), title)
    scope = f"{counted(len(systems), 'system')} on {counted(len(collections), 'collection')}"
    missing = int(np.isnan(values).sum())
    hatched = f" Hatched: {counted(missing, 'cell')} without a result; these systems are on the right."
    caption = (
        f"Differences to the first stage in points of {measure}, {scope}, the largest macro gain on the left. "
        f"In bold: significant, {rule.TEST}; {_corrected(pairs, systems)}.{hatched if missing else ''} "
        f"Colours end at ±{limit(values):.0f} points.{left}"
    )
    return Drawing(file_name("heat-map", measure), title, caption, figure)


def _corrected(pairs: GridPairs, systems: Sequence[SystemKey]) -> str:
    family = COLLECTIONS if len(pairs.grid.collections) > 1 else SYSTEMS
    drawn = [pair for system in systems for pair in pairs.row(system)]
    return rule.correction({family: [Figure(difference=pair.difference) for pair in drawn]})


def limit(values: Floats64) -> float:
    """The end of the colour scale in points: the 95th percentile, so that an outlier does not make all others pale."""
    sizes = np.abs(values[~np.isnan(values)])
    return float(max(1.0, np.ceil(np.quantile(sizes, 0.95))))


def _figure(
    pairs: GridPairs, values: Floats64, collections: Sequence[CollectionKey], systems: Sequence[SystemKey]
) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    rows, columns = values.shape
    names, titles = collection_labels(pairs.grid.collections), system_labels(systems, 30)
    left, above = (_LETTER * max(map(len, labels.values())) for labels in (names, titles))
    width = 1.2 + left + 0.4 * above + _WIDTH * columns
    figure = sheet(max(5.2, width), 0.7 + 0.77 * above + _HEIGHT * max(rows, 6))
    axis = figure.subplots()
    colours, most = LinearSegmentedColormap.from_list("loss-gain", _COLOURS), limit(values)
    axis.set_facecolor("#f2f3f4")
    _hatch(axis, values)
    cells = axis.pcolormesh(  # faster than an image, which is resampled for every pixel
        range(columns), range(rows), np.ma.masked_invalid(values), cmap=colours, vmin=-most, vmax=most,
        shading="nearest", zorder=2,
    )  # fmt: skip
    axis.invert_yaxis()
    for place in np.ndindex(values.shape):
        pair = pairs.of.get((systems[place[1]], collections[place[0]]))
        if pair is not None:
            _number(axis, place, pair, colours((100 * pair.delta + most) / (2 * most)))
    _frame(axis, [names[one] for one in collections], list(titles.values()))
    ends = "both" if np.nanmax(np.abs(values)) > most else "neither"
    shrink = min(1.0, 2.2 / (_HEIGHT * rows)) if rows > 9 else 1.0
    bar = figure.colorbar(cells, ax=axis, extend=ends, shrink=shrink, anchor=(0, 1), pad=0.02, fraction=0.05)
    bar.set_label(f"points of {pairs.grid.measure}")
    bar.outline.set_visible(False)
    return figure


def _hatch(axis: Any, values: Floats64) -> None:
    from matplotlib.patches import Rectangle

    for row, column in np.argwhere(np.isnan(values)):
        place = (column - 0.5, row - 0.5)
        axis.add_patch(Rectangle(place, 1, 1, fill=False, hatch="////", edgecolor="#b3bac1", linewidth=0, zorder=1))
        axis.text(column, row, "–", ha="center", va="center", fontsize=7, color=MUTED, gid="missing")


def _number(axis: Any, place: tuple[int, ...], pair: Pair, behind: Sequence[float]) -> None:
    (row, column), points = place, 100 * pair.delta
    text = axis.text(
        column, row, signed(points, 1 if abs(points) < 99.95 else 0), ha="center", va="center", fontsize=7, zorder=3,
        color="white" if _lightness(behind) < _DARK else INK,
        fontweight="bold" if pair.difference.significant else "normal",
    )  # fmt: skip
    text.set_in_layout(False)  # there may be thousands, and all are within their cells


def _lightness(colour: Sequence[float]) -> float:
    red, green, blue = colour[:3]
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _frame(axis: Any, collections: Sequence[str], systems: Sequence[str]) -> None:
    axis.set_yticks(range(len(collections)), collections)
    axis.set_xticks(
        range(len(systems)), systems, rotation=50, ha="left", rotation_mode="anchor",
        color=INK,
    )  # fmt: skip
    axis.xaxis.tick_top()
    axis.set_xticks([place - 0.5 for place in range(1, len(systems))], minor=True)
    axis.set_yticks([place - 0.5 for place in range(1, len(collections))], minor=True)
    axis.grid(which="minor", color="white", linewidth=1.2, zorder=4)
    axis.tick_params(which="both", length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    axis.tick_params(axis="x", colors=INK)

"""Synthetic and real queries compared: lengths and overlaps, types, ranks of the source document, and how well a
teacher's score predicts relevance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reports.plots.fonts import shown
from reports.plots.plot import Drawing, Plot, write
from reports.plots.style import DASHES, MARKERS, MUTED, ROW, SERIES, headed, key_below, sheet, style

Row = Mapping[str, Any]
LOOKS = {"synthetic": 0, "real": 2, "wrong": 1}
"""The index of each set in the colours, dashes and markers."""
_CALLED = {"wrong": "other domain"}
_SEEN = 0.005
_HATCHES = {"synthetic": "", "real": "////", "wrong": "...."}


def draw_validation(validation: Mapping[str, Any], out: Path) -> list[Plot]:
    """Write every plot that the validation has figures for into the folder `out`.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    rows: Sequence[Row] = validation["rows"]
    drawn = (draw_histograms(rows), draw_types(rows), draw_ranks(rows), draw_calibration(rows))
    return [write(drawing, out) for drawing in drawn if drawing is not None]


def draw_histograms(rows: Sequence[Row]) -> Drawing | None:
    """V1 and V2: the share of the queries of each length, and of each overlap with their document."""
    found = [row for row in rows if row["id"] in ("V1", "V2") and row["parts"].get("histogram")]
    if not found:
        return None
    with style():
        down = -(-len(found) // 2)
        figure = headed(sheet(8.6, 0.9 + 2.1 * down), "Lengths of queries and overlaps with their documents")
        axes = figure.subplots(down, 2, squeeze=False).ravel()
        for axis, row in zip(axes, found, strict=False):
            _histogram(axis, row)
        for axis in axes[len(found) :]:
            axis.set_axis_off()
        key_below(figure, _lines(_sets(row["parts"]["histogram"]["counts"] for row in found)))
    caption = (
        "The share of the queries of each set in each bin. Overlaps are shares of the query's words that its document "
        "has. A query that is longer than the last bin counts in it."
    )
    return Drawing("histograms", "Lengths and overlaps", caption, figure)


def draw_types(rows: Sequence[Row]) -> Drawing | None:
    """V3: the share of each type of query."""
    row = next((row for row in rows if row["id"] == "V3" and row["parts"].get("shares")), None)
    if row is None:
        return None
    types, shares = row["parts"]["types"], row["parts"]["shares"]
    places = [place for place in range(len(types)) if any(each[place] >= _SEEN for each in shares.values())]
    with style():
        figure = headed(sheet(6.4, 1.3 + ROW * len(places) * max(2, len(shares)) * 0.75), "Types of queries")
        axis = figure.subplots()
        _types(axis, [types[place] for place in places], {
            name: [100 * each[place] for place in places] for name, each in shares.items()
        })  # fmt: skip
        key_below(figure, _bars(_sets([shares])))
    caption = (
        "The share of the queries of each set whose form is a question of that kind, a claim, or keywords. Forms that "
        "no set has in one of 200 queries are left out."
    )
    return Drawing("types", "Types of queries", caption, figure)


def draw_ranks(rows: Sequence[Row]) -> Drawing | None:
    """V9: the rank at which a search finds the document that a query was written from."""
    found = [row for row in rows if row["id"] == "V9" and row["parts"].get("ranks")]
    if not found:
        return None
    with style():
        figure = headed(sheet(1.2 + 3.9 * len(found), 3.6), "Rank of the source document")
        axes = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
        for axis, row in zip(axes, found, strict=True):
            _ranks(axis, row)
        axes[0].set_ylabel("queries, %")
        key_below(figure, _lines(_sets(row["parts"]["ranks"] for row in found)))
    caption = (
        "The share of the queries whose document is among the first k candidates: the document that a synthetic query "
        "was written from, or the judged document of a real one."
    )
    return Drawing("ranks", "Rank of the source document", caption, figure)


def draw_calibration(rows: Sequence[Row]) -> Drawing | None:
    """V11: how often a document is relevant, by the teacher's score."""
    row = next((row for row in rows if row["id"] == "V11" and row["parts"].get("bins")), None)
    if row is None:
        return None
    with style():
        figure = headed(sheet(5.6, 3.6), "Relevance by the teacher's score")
        _calibration(figure.subplots(), row["parts"]["bins"])
    caption = (
        "The share of the judged documents that people call relevant, in bins of equal width of the teacher's score, "
        "with 95 % Wilson intervals; the numbers are pairs. For a reliable teacher the share rises from left to right. "
        f"{row['note'][:1].upper()}{row['note'][1:]}."
    )
    return Drawing("calibration", "Relevance by the teacher's score", caption, figure)


def _histogram(axis: Any, row: Row) -> None:
    histogram = row["parts"]["histogram"]
    edges = np.array(histogram["edges"])
    # Filled from the left edge of the first bin to the right edge of the last, as steps.
    for name, counts in _in_order(histogram["counts"]):
        shares = 100 * np.array(counts) / max(1, sum(counts))
        look = LOOKS[name]
        axis.stairs(shares, edges, color=SERIES[look], linestyle=DASHES[look], linewidth=1.4, gid=name)
        if name == "synthetic":
            axis.stairs(shares, edges, fill=True, color=SERIES[look], alpha=0.12)
    title = row["name"].removeprefix("overlap with the document: ")
    axis.set_title(shown(title if row["id"] == "V2" else f"{title}, {row['unit']}"))
    axis.set_ylabel("queries, %")
    axis.grid(axis="y")
    axis.set_xlim(edges[0], edges[-1])
    axis.set_ylim(bottom=0)


def _types(axis: Any, types: Sequence[str], shares: Mapping[str, Sequence[float]]) -> None:
    height = 0.8 / len(shares)
    for number, (name, values) in enumerate(_in_order(shares)):
        places = np.arange(len(types)) - 0.4 + height * (number + 0.5)
        axis.barh(places, values, height * 0.92, color=SERIES[LOOKS[name]], hatch=_HATCHES[name], gid=name)
        for place, value in zip(places, values, strict=True):
            text = f"{value:.0f}" if value >= 0.5 else "–"
            axis.annotate(text, (value, place), (3, 0), textcoords="offset points", va="center", fontsize=7,
                          color=MUTED)  # fmt: skip
    axis.set_yticks(range(len(types)), list(map(shown, types)))
    axis.set_ylim(len(types) - 0.5, -0.5)
    axis.set_xlabel("queries, %")
    axis.grid(axis="x")
    axis.spines["left"].set_visible(False)


def _ranks(axis: Any, row: Row) -> None:
    for name, counts in _in_order(row["parts"]["ranks"]):
        shares = 100 * np.cumsum(counts)[:-1] / max(1, sum(counts))
        look = LOOKS[name]
        axis.plot(np.arange(1, len(shares) + 1), shares, color=SERIES[look], linestyle=DASHES[look], linewidth=1.4,
                  drawstyle="steps-post", gid=name)  # fmt: skip
        axis.plot([1], shares[:1], MARKERS[look], color=SERIES[look], markersize=5)
    axis.set_xscale("log")
    ticks = [k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if k <= row["parts"]["depth"]]
    axis.set_xticks(ticks, list(map(str, ticks)))
    axis.set_title(shown(row["name"].removeprefix("rank of the source document, ")))
    axis.set_xlabel("within the first k")
    axis.set_ylim(0, 102)
    axis.grid()


def _calibration(axis: Any, bins: Sequence[Mapping[str, Any]]) -> None:
    for one in bins:
        middle, share = (one["low"] + one["high"]) / 2, 100 * one["share"]
        low, high = (100 * end for end in one["interval"])
        axis.vlines([middle], [low], [high], color=SERIES[0], linewidth=1.3, gid="interval")
        axis.plot([middle], [share], "o", color=SERIES[0], markersize=5, gid="bin")
        axis.annotate(f"{one['pairs']:,}", (middle, high), (0, 4), textcoords="offset points", ha="center",
                      fontsize=6.5, color=MUTED)  # fmt: skip
    axis.set_xlabel("the teacher's score")
    axis.set_ylabel("relevant, %")
    axis.set_ylim(-3, 112)
    axis.set_yticks(range(0, 101, 20))
    axis.grid(axis="y")


def _sets(found: Any) -> list[str]:
    names = {name for one in found for name in one}
    return [name for name in LOOKS if name in names]


def _in_order(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, found[name]) for name in LOOKS if name in found]


def _lines(names: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    dashes: tuple[Any, ...] = DASHES
    return [
        Line2D([], [], color=SERIES[LOOKS[name]], linestyle=dashes[LOOKS[name]], label=_CALLED.get(name, name))
        for name in names
    ]


def _bars(names: Sequence[str]) -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=SERIES[LOOKS[name]], hatch=_HATCHES[name], edgecolor="white", label=_CALLED.get(name, name))
        for name in names
    ]

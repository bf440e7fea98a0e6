"""Before and after reranking on every collection: the first stage, the system and the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.result.keys import CollectionKey, SystemKey
from reports.plots.labels import collection_labels, system_labels
from reports.plots.paired import GridPairs, Pair, limited
from reports.plots.plot import Drawing, file_name
from reports.plots.style import GAIN, INK, LOSS, MUTED, headed, key_below, panels, style

PANELS = 3


def draw_dumbbells(pairs: GridPairs) -> Drawing | None:
    """A panel per system, a row per collection. None if nothing was reranked."""
    systems, left = limited(pairs.systems, PANELS)
    if not systems:
        return None
    measure, title = pairs.grid.measure, f"Before and after reranking, {pairs.grid.measure}"
    order = sorted(
        pairs.grid.collections, key=lambda one: [_height(pairs, system, one) for system in systems], reverse=True
    )
    with style():
        figure = headed(_figure(pairs, systems, order), title)
    caption = (
        f"{measure} in points, of the first stage (hollow) and after reranking (filled; a triangle for a loss). The "
        f"line is the ceiling: a perfect order of the same candidates. Sorted by the first system's gain.{left}"
    )
    return Drawing(file_name("before-after", measure), title, caption, figure)


def _height(pairs: GridPairs, system: SystemKey, collection: CollectionKey) -> float:
    pair = pairs.of.get((system, collection))
    return pair.delta if pair else float("-inf")


def _figure(pairs: GridPairs, systems: Sequence[SystemKey], order: Sequence[CollectionKey]) -> Any:
    figure, axes = panels(len(systems), len(order), width=5.0 if len(systems) == 1 else 3.5, labels=1.7)
    titles, names = system_labels(systems), collection_labels(pairs.grid.collections)
    for axis, system in zip(axes, systems, strict=True):
        for place, collection in enumerate(order):
            _dumbbell(axis, place, pairs.of.get((system, collection)))
        axis.set_title(titles[system])
        axis.set_xlabel(f"{pairs.grid.measure}, points")
        axis.margins(x=0.12)
    axes[0].set_yticks(range(len(order)), [names[one] for one in order])
    drawn = [pair for system in systems for pair in pairs.row(system)]
    key_below(figure, _key(drawn))
    return figure


def _dumbbell(axis: Any, place: int, pair: Pair | None) -> None:
    if pair is None:
        axis.text(0.5, place, "–", transform=axis.get_yaxis_transform(), ha="center", va="center", color=MUTED)
        return
    before, after = 100 * pair.before.value, 100 * pair.after.value
    colour, marker = (GAIN, "o") if after >= before else (LOSS, "<")
    axis.plot([before, after], [place, place], color=colour, linewidth=2, zorder=2, gid="way")
    axis.plot([before], [place], "o", markersize=6, mfc="white", mec=MUTED, mew=1.4, zorder=3, gid="before")
    axis.plot([after], [place], marker, markersize=6.5, color=colour, zorder=3, gid="after")
    if pair.after.ceiling is not None:
        axis.plot([100 * pair.after.ceiling], [place], "|", markersize=9, mew=1.6, color=INK, zorder=5, gid="ceiling")
    axis.text(
        1.01, place, f"{before:.1f} → {after:.1f}", transform=axis.get_yaxis_transform(), va="center", fontsize=7.5,
        color=INK,
    )  # fmt: skip


def _key(drawn: Sequence[Pair]) -> list[Any]:
    from matplotlib.lines import Line2D

    def mark(label: str, **look: Any) -> Any:
        return Line2D([], [], linestyle="none", label=label, **look)

    fell, rose = any(pair.delta < 0 for pair in drawn), any(pair.delta >= 0 for pair in drawn)
    found = [mark("first stage", marker="o", mfc="white", mec=MUTED, mew=1.4)]
    found += [mark("reranked, a gain", marker="o", color=GAIN)] if rose else []
    found += [mark("reranked, a loss", marker="<", color=LOSS)] if fell else []
    if any(pair.after.ceiling is not None for pair in drawn):
        found.append(mark("ceiling", marker="|", color=INK, mew=1.6, markersize=9))
    return found

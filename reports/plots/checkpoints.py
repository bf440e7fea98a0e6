"""The value of every checkpoint with its interval, and the verdict of the gate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.judging.history import Point
from harness.result.keys import SystemKey
from reports.marks import judged_notes
from reports.plots.fonts import shown
from reports.plots.labels import counted
from reports.plots.plot import Drawing, Plot, file_name, write
from reports.plots.style import DASHES, INK, MUTED, SERIES, headed, key_below, sheet, style

STATES = {
    "pass": ("o", "full", "gate: pass"),
    "refused": ("X", "full", "gate: refused"),
    "inconclusive": ("D", "none", "gate: inconclusive"),
    "invalid": ("s", "none", "gate: invalid"),
    "": ("o", "none", "not looked at by the gate"),
}
"""Marker, filling and legend of each verdict. The last verdict of a checkpoint counts."""


def write_history(points: Sequence[Point], pattern: str, out: Path) -> Plot:
    """Write the plot of `harness.judging.history.history` into the folder `out`.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    return write(draw_history(points, pattern), out)


def draw_history(points: Sequence[Point], pattern: str) -> Drawing:
    """The plot of the history, with one line per first stage and depth. Revisions of one name are labelled with their
    day."""
    series: dict[SystemKey, list[Point]] = {}
    for one in points:
        series.setdefault(one.system.base, []).append(one)
    title = f"{pattern}: {points[0].measure}"
    longest = max(map(len, series.values()))
    with style():
        figure = headed(sheet(max(5.5, 2.2 + 0.62 * longest), 3.1 + 1.5 * len(series)), shown(title))
        axes = figure.subplots(len(series), 1, squeeze=False)[:, 0]
        for place, (axis, (base, own)) in enumerate(zip(axes, series.items(), strict=True)):
            _series(axis, own, SERIES[place % 6], DASHES[place % 6])
            if len(series) > 1:
                axis.set_title(shown(f"over {base.first_stage}, depth {base.depth}"))
        key_below(figure, _key({_state(one) for one in points}), columns=3)
    return Drawing(file_name("history", pattern), title, _caption(points), figure)


def names(points: Sequence[Point]) -> list[str]:
    """Labels that distinguish the points: their names without the common beginning, and the day if names repeat."""
    labels = [one.system.label for one in points]
    start = _common(labels)
    days = [one.first[:10] for one in points]
    repeated = len(set(labels)) < len(labels)
    same_day = len(set(zip(labels, days, strict=True))) < len(labels)
    tails = [f"\n{one.revision[:6]}" if same_day else "" for one in points]
    if len(labels) == 1:
        return [shown(labels[0].rstrip("/").rsplit("/", 1)[-1])]
    if len(set(labels)) == 1:
        return [day + tail for day, tail in zip(days, tails, strict=True)]
    short = [shown(label[len(start) :]) for label in labels]
    return [f"{name}\n{day}{tail}" if repeated else name for name, day, tail in zip(short, days, tails, strict=True)]


def _common(labels: Sequence[str]) -> str:
    """The common beginning of all names, up to the last separator in it."""
    low, high = min(labels), max(labels)
    same = next((place for place, letter in enumerate(low) if high[place : place + 1] != letter), len(low))
    cut = max((place + 1 for place, letter in enumerate(low[:same]) if letter in "/-_=@"), default=0)
    return low[:cut] if len(set(labels)) > 1 else ""


def _series(axis: Any, own: Sequence[Point], colour: str, dash: Any) -> None:
    places = range(len(own))
    values = [100 * one.value for one in own]
    axis.plot(places, values, color=colour, linestyle=dash, linewidth=1, alpha=0.6, zorder=1, gid="line")
    for place, one in zip(places, own, strict=True):
        _point(axis, place, one, colour)
    firsts = [one.first_stage for one in own if one.first_stage is not None]
    if firsts and max(firsts) - min(firsts) < 1e-9:
        axis.axhline(100 * firsts[0], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1, gid="first stage")
        axis.annotate("first stage", (0.005, 100 * firsts[0]), (0, 3), xycoords=axis.get_yaxis_transform(),
                      textcoords="offset points", fontsize=8, color=MUTED)  # fmt: skip
    labels = names(own)
    steep = max(len(line) for label in labels for line in label.split("\n")) > 8
    axis.set_xticks(places, labels, rotation=35 if steep else 0, ha="right" if steep else "center",
                    rotation_mode="anchor" if steep else "default", color=INK)  # fmt: skip
    axis.set_xlim(-0.6, len(own) - 0.4)
    axis.set_ylabel(f"{own[0].measure}, points")
    axis.grid(axis="y")
    axis.margins(y=0.2)


def _point(axis: Any, place: int, one: Point, colour: str) -> None:
    low, high = one.interval
    if not math.isnan(low):
        axis.vlines([place], [100 * low], [100 * high], color=colour, linewidth=1.3, zorder=2, gid="interval")
    marker, filling, _ = STATES[_state(one)]
    face = colour if filling == "full" else "white"
    axis.plot([place], [100 * one.value], marker, markersize=7, mfc=face, mec=colour, mew=1.4, zorder=3,
              gid=_state(one) or "no look")  # fmt: skip
    axis.annotate(f"{100 * one.value:.1f}", (place, 100 * one.value), (6, 5), textcoords="offset points", fontsize=8,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8})  # fmt: skip


def _state(one: Point) -> str:
    state = one.looks[-1].state if one.looks else ""
    return state if state in STATES else ""


def _key(states: set[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="none", marker=marker, mfc=INK if filling == "full" else "white", mec=INK, label=text)
        for state, (marker, filling, text) in STATES.items()
        if state in states and states != {""}
    ]


def _caption(points: Sequence[Point]) -> str:
    collections = {one.system.base: len(one.collections) for one in points}
    over = " and ".join(counted(number, "collection") for number in dict.fromkeys(collections.values()))
    left = max(one.left_out for one in points)
    missing = f" Left out: up to {counted(left, 'collection')} that not all revisions have." if left else ""
    caption = f"{points[0].measure} in points, macro average of {over}, with 95 % intervals over queries.{missing}"
    return " ".join([caption, *judged_notes(key.name for one in points for key in one.collections)])

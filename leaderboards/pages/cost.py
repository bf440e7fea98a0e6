"""The page of quality against cost: an interactive plot, and the same values as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from adapters.plain_text import printable
from harness.result.keys import FIRST_STAGE
from leaderboards.board import Board
from leaderboards.cost import Costed, costed
from leaderboards.pages import figures, links
from leaderboards.pages.links import cost_file as file_of
from leaderboards.pages.shell import render
from leaderboards.pages.table import line_of
from leaderboards.standing import BoardStanding
from reports.marks import judged_notes

__all__ = ["file_of", "page"]

_ALONE = ("\u2068", "\u2069")
"""Isolate a name that may be written from right to left, so that the figures after it keep their direction."""
_LABEL = 34
"""The longest name in the plot in characters."""


@dataclass(frozen=True)
class Entry:
    """A row of the table."""

    name: str
    stage: str
    href: str
    value: float | None
    interval: tuple[float, float] | None
    speed: float | None = None
    front: bool = False


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class CostPoint:
    x: float
    y: float
    front: bool
    href: str
    text: str
    label: str
    anchor: str
    dx: int


@dataclass(frozen=True)
class CostPlot:
    """The geometry of the plot, in units of the drawing."""

    points: tuple[CostPoint, ...]
    columns: tuple[Tick, ...]
    rows: tuple[Tick, ...]
    front: str
    width: int = 960
    height: int = 460
    left: int = 56
    right: int = 936
    top: int = 28
    bottom: int = 412


def page(made: Board, index: int) -> str:
    """The page with the plot of a table."""
    ranked = made.tables[index]
    sheet = ranked.sheet
    timed = costed(sheet.grid, ranked.rows)
    entries = [_entry(made, one.standing, one) for one in timed]
    systems = {one.standing.system for one in timed}
    unknown = [_entry(made, row) for row in ranked.rows if row.rank and row.system not in systems]
    return render(
        "cost.html",
        title=f"{sheet.title} · quality and cost",
        up="",
        suites=links.suites(made, index),
        views=links.views(sheet, index, "Quality and cost"),
        sheet=sheet,
        plot=plot_of(entries) if entries else None,
        costed=entries,
        unknown=unknown,
        notes=judged_notes(one.name for one in sheet.grid.collections),
        figures=figures,
    )


def plot_of(entries: Sequence[Entry]) -> CostPlot:
    """The plot with speeds on a logarithmic axis, values on a linear one, and margins on both."""
    speeds, values = [one.speed or 1.0 for one in entries], [100 * (one.value or 0.0) for one in entries]
    low, high = math.log10(min(speeds)) - 0.15, math.log10(max(speeds)) + 0.15
    margin = max(0.08 * (max(values) - min(values)), 0.25)
    bottom, top = min(values) - margin, max(values) + 2 * margin
    empty = CostPlot((), (), (), "")

    def across(speed: float) -> float:
        return round(empty.left + (math.log10(speed) - low) / (high - low) * (empty.right - empty.left), 1)

    def up(value: float) -> float:
        return round(empty.bottom - (value - bottom) / (top - bottom) * (empty.bottom - empty.top), 1)

    places = [(across(speed), up(value)) for speed, value in zip(speeds, values, strict=True)]
    points = tuple(_point(one, place, empty.right) for one, place in zip(entries, places, strict=True))
    front = _steps(sorted(place for one, place in zip(entries, places, strict=True) if one.front))
    return CostPlot(
        tuple(sorted(points, key=lambda point: (point.front, point.x))),
        tuple(Tick(across(value), f"{value:,.10g}") for value in _logarithmic(10**low, 10**high)),
        tuple(Tick(up(value), f"{value:.10g}") for value in _plain(bottom, top)),
        " ".join(f"{x},{y}" for x, y in front),
    )


def _steps(front: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of the front: between two systems it has the value of the faster one."""
    corners = [(here[0], after[1]) for here, after in pairwise(front)]
    return [one for pair in zip(front, [*corners, front[-1]], strict=True) for one in pair]


def _entry(made: Board, row: BoardStanding, one: Costed | None = None) -> Entry:
    name = made.declared_of(row.system).name or row.system.label.removesuffix(FIRST_STAGE)
    place = (name, line_of(row.system), links.system_file(row.system), row.value, row.figure.interval)
    return Entry(*place) if one is None else Entry(*place, one.speed, one.front)


def _point(one: Entry, place: tuple[float, float], right: int) -> CostPoint:
    x, y = place
    figures_of = f"{figures.points(one.value)} {figures.span(one.interval)}, {figures.rate(one.speed)} pairs/s"
    text = f"{_ALONE[0]}{printable(one.name)}{_ALONE[1]}: {figures_of}"
    short = one.name if len(one.name) <= _LABEL else f"…{one.name[1 - _LABEL :]}"
    far = x > right - 220
    label = short if one.front else ""
    return CostPoint(
        x, y, one.front, one.href, f"{text}; {one.stage}", label, "end" if far else "start", -6 if far else 6
    )


def _logarithmic(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 1e3 else (1,)
    found = [step * 10.0**power for power in powers for step in steps]
    return [value for value in found if low <= value <= high]


def _plain(low: float, high: float) -> list[float]:
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough)
    return [round(step * place, 10) for place in range(math.ceil(low / step), math.floor(high / step) + 1)]

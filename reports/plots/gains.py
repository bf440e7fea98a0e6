"""Gains per language with their intervals and tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.measuring.statistics.difference import Difference
from harness.result.figure import LANGUAGES, SYSTEMS, Figure
from harness.result.keys import CollectionKey, SystemKey
from reports import rule
from reports.plots.labels import counted, signed, system_labels
from reports.plots.languages import language_label
from reports.plots.paired import GridPairs, limited
from reports.plots.plot import Drawing, file_name
from reports.plots.style import GAIN, INK, LOSS, MUTED, headed, key_below, panels, style

PANELS = 4


@dataclass(frozen=True)
class LanguageGain:
    """The gain of a system on a language. Fractions."""

    language: str | None
    difference: Difference | None
    """None if the system lacks one of the language's collections."""
    queries: int
    collections: int

    @property
    def state(self) -> str:
        """`gain`, `loss`, or `unsure` if the difference is not significant."""
        if self.difference is None or not self.difference.significant:
            return "unsure"
        return "gain" if self.difference.value > 0 else "loss"


MARKS = {"gain": ("o", GAIN, GAIN), "loss": ("v", LOSS, LOSS), "unsure": ("D", "white", MUTED)}
"""Marker, face and edge of each state. The shapes differ, so that no reader depends on colours."""
SAID = {"gain": "gain", "loss": "loss", "unsure": "not significant (corrected p-value above 0.05)"}


def gains(pairs: GridPairs, systems: Sequence[SystemKey]) -> list[list[LanguageGain]]:
    """A row per language of the grid, in order, with the gain of each system; the last row is for all collections."""
    collections = pairs.main
    languages = dict.fromkeys(key.language for key in collections)
    wanted = [(one, [key for key in collections if key.language == one]) for one in languages]
    return [_gains(pairs, systems, one, own) for one, own in [*wanted, (None, list(collections))]]


def _gains(
    pairs: GridPairs, systems: Sequence[SystemKey], language: str | None, wanted: Sequence[CollectionKey]
) -> list[LanguageGain]:
    found = [pairs.averages.get((one, tuple(wanted))) for one in systems]
    queries = sum(key.queries for key in wanted)
    return [LanguageGain(language, one, queries, len(wanted)) for one in found]


def draw_gains(pairs: GridPairs) -> Drawing | None:
    """A panel per system, a row per language. None with fewer than two languages or without a reranker."""
    languages = dict.fromkeys(key.language for key in pairs.main)
    systems, left = limited(pairs.systems, PANELS)
    if not systems or len(languages) < 2:
        return None
    *rows, total = gains(pairs, systems)
    rows.sort(key=lambda row: [_height(one) for one in row], reverse=True)
    measure, title = pairs.grid.measure, f"Gains per language, {pairs.grid.measure}"
    with style():
        figure = headed(_figure(pairs, [*rows, total], systems), title)
    caption = (
        f"The mean difference to the first stage in points of {measure} for each language, with 95 % intervals; n is "
        f"the number of queries. Last row: the macro average of all collections. "
        f"{_corrected([one for row in (*rows, total) for one in row])}"
        f"Sorted by the first system.{left}"
    )
    return Drawing(file_name("gains", measure), title, caption, figure)


def _corrected(drawn: Sequence[LanguageGain]) -> str:
    families = {LANGUAGES: [one for one in drawn if one.language], SYSTEMS: [one for one in drawn if not one.language]}
    shown = {family: [Figure(difference=one.difference) for one in own] for family, own in families.items()}
    corrected = rule.correction(shown)
    return f"{rule.TEST.capitalize()}; {corrected}. " if corrected else ""


def _height(one: LanguageGain) -> float:
    return float("-inf") if one.difference is None else one.difference.value


def _figure(pairs: GridPairs, rows: Sequence[Sequence[LanguageGain]], systems: Sequence[SystemKey]) -> Any:
    width = 5.0 if len(systems) == 1 else 3.2
    figure, axes = panels(len(systems), len(rows), width=width, labels=1.7)
    labels = system_labels(systems)
    for axis, system, column in zip(axes, systems, zip(*rows, strict=True), strict=True):
        for place, one in enumerate(column):
            draw_gain(axis, place, one)
        axis.axvline(0, color=INK, linewidth=0.9, zorder=1)
        axis.axhline(len(rows) - 1.5, color=MUTED, linewidth=0.6)
        axis.set_title(labels[system])
        axis.set_xlabel(f"gain, points of {pairs.grid.measure}")
    axes[0].set_yticks(range(len(rows)), [*(_label(row[0]) for row in rows[:-1]), "all collections"])
    key_below(figure, key([one.state for row in rows for one in row if one.difference is not None]))
    return figure


def _label(one: LanguageGain) -> str:
    several = f", {counted(one.collections, 'collection')}" if one.collections > 1 else ""
    return f"{language_label(one.language)}{several}, n={one.queries:,}"


def draw_gain(axis: Any, place: int, one: LanguageGain) -> None:
    """Draw a marker with whiskers in row `place`, and its value at the right edge."""
    at_right = {"transform": axis.get_yaxis_transform(), "va": "center", "ha": "left", "fontsize": 8}
    if one.difference is None:
        axis.text(1.01, place, "–", color=MUTED, **at_right)
        return
    marker, face, edge = MARKS[one.state]
    delta, (low, high) = one.difference.value, one.difference.interval
    if not math.isnan(low):
        axis.plot([low * 100, high * 100], [place, place], color=edge, linewidth=1.4, gid="interval")
    axis.plot([delta * 100], [place], marker, markersize=6, mfc=face, mec=edge, mew=1.3, gid="gain")
    axis.text(1.01, place, signed(delta * 100), color=INK, **at_right)


def key(states: Sequence[str]) -> list[Any]:
    """The legend entries of the states that occur."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="none", marker=marker, mfc=face, mec=edge, mew=1.3, label=SAID[state])
        for state, (marker, face, edge) in MARKS.items()
        if state in states
    ]

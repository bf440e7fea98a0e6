"""The parts of 100 points: what the first stage reached, what reranking added, and why the rest is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from harness.result.keys import SystemKey
from harness.workspace import Workspace
from reports.plots.headrooms import truncated_points
from reports.plots.labels import collection_labels, counted, system_labels
from reports.plots.paired import MOST, GridPairs, Pair, limited
from reports.plots.plot import Drawing, file_name
from reports.plots.style import LOSS, ROW, headed, key_below, sheet, style

_SMALL = 0.5e-3


@dataclass(frozen=True)
class Parts:
    """The parts of the measure's maximum, as fractions that sum to 1."""

    first_stage: float
    """The value of the first stage without what reranking lost."""
    gained: float
    lost: float
    """The loss from the first stage to the system."""
    misordered: float
    """What a perfect order of the same candidates would gain over the better of the two."""
    truncated: float
    """The most that truncation of relevant candidates can have cost."""
    not_retrieved: float
    """What no order of the candidates can gain."""

    @property
    def value(self) -> float:
        """The system's value."""
        return self.first_stage + self.gained


LOOKS: Mapping[str, tuple[str, str, str]] = {
    "first_stage": ("first stage", "#2f6fb5", ""),
    "gained": ("gained", "#9cc3ea", ""),
    "lost": ("lost by reranking", LOSS, "xxxx"),
    "misordered": ("misordered", "#e39a1c", "////"),
    "truncated": ("truncated", "#9c3a8e", "...."),
    "not_retrieved": ("not retrieved", "#c9ced4", ""),
}
"""Name, colour and hatch of each part."""


def parts(pair: Pair, workspace: Workspace | None = None) -> Parts | None:
    """The parts of one result. None if its ceiling is not stored.

    Truncation is known only if the workspace holds the scores. Otherwise it is part of `misordered`.
    """
    before, after, ceiling = pair.before.value, pair.after.value, pair.after.ceiling
    if ceiling is None:
        return None
    below = max(0.0, ceiling - max(after, before))
    truncated = min(below, truncated_points(pair.after, workspace) if workspace else 0.0)
    return Parts(
        first_stage=min(before, after),
        gained=max(0.0, after - before),
        lost=max(0.0, before - after),
        misordered=below - truncated,
        truncated=truncated,
        not_retrieved=max(0.0, 1 - max(ceiling, after, before)),
    )


def mean_parts(pairs: GridPairs, row: Sequence[Pair], found: Sequence[Parts]) -> Parts:
    """The macro average of every part."""
    weights = pairs.grid.weights([pair.after.collection for pair in row])
    names = [field.name for field in fields(Parts)]
    return Parts(**{name: float(np.average([getattr(one, name) for one in found], weights=weights)) for name in names})


def draw_ceilings(pairs: GridPairs, workspace: Path | None = None) -> list[Drawing]:
    """A bar per system over all collections, and a bar per collection for the system with the largest gain."""
    opened = Workspace(workspace) if workspace else None
    complete = [system for system in pairs.systems if pairs.is_complete(system)]
    drawings = []
    if len(complete) > 1 or (complete and len(pairs.grid.collections) == 1):
        drawings += _of_systems(pairs, complete, opened)
    if pairs.systems and len(pairs.grid.collections) > 1:
        drawings += _of_collections(pairs, pairs.systems[0], opened)
    return drawings


def _of_systems(pairs: GridPairs, systems: Sequence[SystemKey], workspace: Workspace | None) -> list[Drawing]:
    known = [one for one in systems if all(pair.after.ceiling is not None for pair in pairs.row(one))]
    drawn, left = limited(known, MOST)
    labels, rows = system_labels(drawn), {}
    for system in drawn:
        row = pairs.row(system)
        rows[labels[system]] = mean_parts(pairs, row, [one for pair in row if (one := parts(pair, workspace))])
    lacking = len(pairs.systems) - len(known)
    missing = f" {counted(lacking, 'system')} with missing cells or ceilings left out." if lacking else ""
    scope = f"Macro average of {counted(len(pairs.grid.collections), 'collection')}.{missing}{left}"
    return _drawn(pairs, rows, ("ceilings",), "What is left to gain", scope)


def _of_collections(pairs: GridPairs, system: SystemKey, workspace: Workspace | None) -> list[Drawing]:
    labels, title = collection_labels(pairs.grid.collections), system_labels([system])[system]
    found = {pair.after.collection: parts(pair, workspace) for pair in pairs.row(system)}
    rows = {labels[key]: one for key, one in found.items() if one}
    return _drawn(pairs, rows, ("ceilings", "collections"), f"What is left to gain: {title}", "")


def _drawn(pairs: GridPairs, rows: Mapping[str, Parts], name: Sequence[str], title: str, scope: str) -> list[Drawing]:
    if not rows:
        return []
    measure = pairs.grid.measure
    ordered = dict(sorted(rows.items(), key=lambda one: -one[1].value))
    with style():
        figure = headed(_figure(ordered, measure), f"{title}, {measure}")
    caption = (
        f"100 points of {measure} by cause. Misordered: a perfect order of the same candidates would gain these. "
        f"Not retrieved: no order of the candidates can gain these. {scope}"
    ).strip()
    return [Drawing(file_name(*name, measure), f"{title}, {measure}", caption, figure)]


def _figure(rows: Mapping[str, Parts], measure: str) -> Any:
    figure = sheet(8.2, 1.4 + ROW * 1.15 * len(rows))
    axis = figure.subplots()
    left = np.zeros(len(rows))
    handles = []
    for name, look in LOOKS.items():
        widths = 100 * np.array([getattr(one, name) for one in rows.values()])
        if (widths > 100 * _SMALL).any():
            handles.append(_bars(axis, widths, left, look))
        left += widths
    for place, one in enumerate(rows.values()):
        axis.annotate(f"{100 * one.value:.1f}", (1.01, place), xycoords=axis.get_yaxis_transform(), va="center",
                      fontsize=8, annotation_clip=False)  # fmt: skip
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlim(0, 100)
    axis.set_xlabel(f"points of {measure}; the system's value is on the right")
    axis.spines["left"].set_visible(False)
    key_below(figure, handles, columns=6)
    return figure


def _bars(axis: Any, widths: Any, left: Any, look: tuple[str, str, str]) -> Any:
    label, colour, hatch = look
    return axis.barh(
        range(len(widths)), widths, left=left, height=0.72, color=colour, hatch=hatch or None, edgecolor="white",
        linewidth=0.6, label=label,
    )  # fmt: skip

"""Where citation recall and precision are lost, as two bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.citing.evaluation import CitationEvaluation
from harness.numbers import points
from reports.plots.plot import Drawing
from reports.plots.style import MUTED, SERIES, headed, sheet, style

_SMALLEST = 0.06
"""The smallest share with a figure in its part of the bar."""


def draw_causes(found: CitationEvaluation) -> Drawing:
    """A bar for recall and one for precision: what is right, then the causes of the rest."""
    scores = found.scores
    bars = (("precision", scores.precision_causes), ("recall", scores.recall_causes))
    colours = {cause: SERIES[place % 6] for place, cause in enumerate(dict.fromkeys([*bars[1][1], *bars[0][1]]))}
    with style():
        figure = sheet(7.2, 2.6)
        axis = figure.subplots()
        for place, (_, causes) in enumerate(bars):
            _bar(axis, place, causes, colours)
        axis.set_yticks(range(len(bars)), [name for name, _ in bars])
        axis.set_xlim(0, 100)
        axis.set_xlabel("points")
        used = [cause for cause in colours if any(causes.get(cause) for _, causes in bars)]
        handles = [axis.barh(0, 0, color=colours[cause], label=cause) for cause in used]
        if handles:
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.3), ncols=min(6, len(handles)), frameon=False)
        headed(figure, "Where the losses come from")
    caption = (
        "The mean recall and precision of the citations, and what each cause takes from them; a bar sums to 100. "
        "Answers without citations have no precision and are left out of its bar."
    )
    return Drawing("causes", "Where the losses come from", caption, figure)


def _bar(axis: Any, place: int, causes: Mapping[str, float], colours: Mapping[str, str]) -> None:
    if not causes:
        return
    right = 1 - sum(causes.values())
    parts = [(right, MUTED), *((lost, colours[cause]) for cause, lost in causes.items())]
    at = 0.0
    for share, colour in parts:
        axis.barh(place, 100 * share, left=100 * at, color=colour, height=0.6, alpha=0.45 if colour == MUTED else 1)
        if share >= _SMALLEST:
            axis.text(100 * (at + share / 2), place, points(share, 1), ha="center", va="center", fontsize=8)
        at += share

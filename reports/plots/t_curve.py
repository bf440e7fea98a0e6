"""The merges along t between two checkpoints, a panel per language, next to the merges of more than two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.result.adaptation.record import AdaptationRecord, ArmRecord, Score
from harness.result.adaptation.vocabulary import BASE, MACRO, MERGED, Tier
from reports.plots.fonts import shown
from reports.plots.languages import language_label
from reports.plots.lines import PlotLine, draw_lines
from reports.plots.plot import Drawing, file_name
from reports.plots.style import MARKERS, MUTED, SERIES, headed, key_below, sheet, style
from reports.training.standing import LATEST_FIRST, arms_in_order, collections, own_languages
from reports.training.told import joined

REFERENCES = ("union", *MERGED)
_FIRST, _STEP = 1.18, 0.13
"""The places of the references' marks, to the right of t = 1."""
_ACROSS = 5


@dataclass(frozen=True)
class Way:
    """A curve: the arms at each t, in order."""

    arms: tuple[tuple[float, str], ...]

    @property
    def ends(self) -> tuple[str, str]:
        """The checkpoints at t = 0 and at t = 1."""
        return self.arms[0][1], self.arms[-1][1]


def way(record: AdaptationRecord) -> Way | None:
    """The curve of the record, the longest if there are several; None without a curve."""
    parts: dict[tuple[str, ...], list[ArmRecord]] = {}
    for one in record.of_kind("curve"):
        if one.t is not None and len(one.parts) == 2 and not one.refused:
            parts.setdefault(one.parts, []).append(one)
    if not parts:
        return None
    (start, end), own = max(parts.items(), key=lambda item: len(item[1]))
    inner = sorted((one.t, one.name) for one in own if one.t is not None and 0 < one.t < 1)
    return Way(((0.0, start), *inner, (1.0, end)))


def tier_of(record: AdaptationRecord, along: Way) -> Tier | None:
    """The last tier on which the whole curve was measured."""
    for tier in LATEST_FIRST:
        found = record.scores_on(tier)
        if all((arm, MACRO) in found for _, arm in along.arms):
            return tier
    return None


def draw_t_curve(record: AdaptationRecord) -> Drawing | None:
    """The plot of the curve. None if no curve was merged, or if it was not measured as a whole."""
    along = way(record)
    tier = tier_of(record, along) if along is not None else None
    if along is None or tier is None:
        return None
    found, languages = record.scores_on(tier), collections(record, tier)
    names = [MACRO, *languages] if len(languages) > 1 else [MACRO]
    across = min(_ACROSS, len(names))
    down = math.ceil(len(names) / across)
    title = f"Along t, {record.measure}, {tier}"
    with style():
        figure = sheet(max(6.4, 2.5 * across), 1.5 + (3.0 if down == 1 else 1.75 * down))
        axes = list(figure.subplots(down, across, squeeze=False).flat)
        references = [one.name for one in arms_in_order(record) if _is_reference(one)]
        for axis in axes[max(0, len(names) - across) : len(names)]:
            axis.set_xlabel("t")
        for axis, name in zip(axes, names, strict=False):
            _panel(axis, found, along, name, references)
            axis.set_title(shown(_named(name, languages, len(names))))
        for axis in axes[len(names) :]:
            axis.set_visible(False)
        _alike(axes[: len(names)])
        figure.supylabel(f"{record.measure}, points", fontsize=9, color=MUTED)
        headed(figure, title)
        key_below(figure, _key(along, references, (BASE, MACRO) in found), columns=3 if across < 3 else 6)
    caption = (
        f"{record.measure} in points on {tier}, with 95 % intervals over queries. All panels have the "
        f"same scale, each around its own level. On the right: the union, and the merges of all singles or bags."
    )
    return Drawing(file_name("adaptation", "t-curve"), title, caption, figure)


def _is_reference(one: ArmRecord) -> bool:
    """Whether it is the union or a merge of all singles or bags, and not another arm under such a name."""
    return one.name in REFERENCES and not one.refused and (one.is_merge or not one.parts)


def _named(name: str, languages: Mapping[str, str | None], panels: int) -> str:
    if panels == 1:
        return joined(list(languages))
    own = own_languages(languages)
    return language_label(own[name]) if name in own else name


def _panel(axis: Any, found: Mapping[tuple[str, str], Score], along: Way, name: str, references: Sequence[str]) -> None:
    points = [(t, found[arm, name]) for t, arm in along.arms if (arm, name) in found]
    whole = all(one.low is not None and one.high is not None for _, one in points)
    low = [one.low for _, one in points if one.low is not None] if whole else []
    high = [one.high for _, one in points if one.high is not None] if whole else []
    draw_lines(axis, [PlotLine("", [t for t, _ in points], [one.value for _, one in points], low, high)], band=True)
    for place, arm in enumerate(references):
        if (arm, name) in found:
            _reference(axis, _FIRST + _STEP * place, found[arm, name], place)
    if (BASE, name) in found:
        axis.axhline(100 * found[BASE, name].value, color=MUTED, linewidth=1, linestyle=(0, (2, 2)), gid="base")
    axis.axvline(1 + (_FIRST - 1) / 2, color=MUTED, linewidth=0.5)
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axis.set_xlim(-0.07, _FIRST + _STEP * max(len(references) - 1, 0) + 0.07)
    axis.grid(axis="y")


def _reference(axis: Any, x: float, score: Score, place: int) -> None:
    colour = SERIES[1 + place]
    if score.low is not None and score.high is not None:
        axis.vlines([x], 100 * score.low, 100 * score.high, color=colour, linewidth=1.2, zorder=2)
    axis.plot([x], [100 * score.value], MARKERS[1 + place], markersize=5.5, color=colour, zorder=3, gid="reference")


def _alike(axes: Sequence[Any]) -> None:
    """Give every panel the same height in points, so that steps can be compared."""
    from matplotlib.ticker import MaxNLocator

    limits = [axis.get_ylim() for axis in axes]
    span = max(high - low for low, high in limits)
    for axis, (low, high) in zip(axes, limits, strict=True):
        axis.set_ylim((low + high - span) / 2, (low + high + span) / 2)
        axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _key(along: Way, references: Sequence[str], base: bool) -> list[Any]:
    from matplotlib.lines import Line2D

    ends = shown(f"slerp along t, from {along.ends[0]} (0) to {along.ends[1]} (1)")
    found = [Line2D([], [], color=SERIES[0], marker=MARKERS[0], markersize=5, label=ends)]
    found += [
        Line2D([], [], linestyle="none", marker=MARKERS[1 + place], color=SERIES[1 + place], label=shown(name))
        for place, name in enumerate(references)
    ]
    return [*found, Line2D([], [], color=MUTED, linewidth=1, linestyle=(0, (2, 2)), label="base")] if base else found

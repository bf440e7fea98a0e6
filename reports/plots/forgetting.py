"""The source domain against the target: what an arm gained on the target and what it forgot on the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.result.adaptation.record import AdaptationRecord, ArmRecord
from harness.result.adaptation.vocabulary import BASE, MACRO, MERGED, Tier
from harness.result.keys import SystemKey
from reports.plots.cost import Spent, front
from reports.plots.fonts import shown
from reports.plots.labels import spread
from reports.plots.paired import UNKNOWN
from reports.plots.plot import Drawing, file_name
from reports.plots.style import GAIN, INK, MUTED, headed, key_below, sheet, style
from reports.training.standing import arms_in_order

_MARKS = {
    "base": ("o", "base"),
    "stage-1": ("v", "stage 1"),
    "single": ("s", "one task"),
    "given": ("P", "given"),
    "union": ("^", "union of all tasks"),
    "bag": ("<", "part of the union"),
    "merge": ("D", "merge of all singles or bags"),
    "curve": ("X", "merge along t"),
}
"""Marker and legend of each kind of arm."""
_NAMED = 16
"""With more arms, arms of one task are named only if they are on the front."""


@dataclass(frozen=True)
class ArmStanding:
    """The values of one arm, as fractions."""

    name: str
    kind: str
    target: float
    source: float


def standings(record: AdaptationRecord, tier: Tier) -> list[ArmStanding]:
    """The arms that were measured on the source domain and on `tier`, in the order of the tables."""
    target, source = record.scores_on(tier), record.scores_on("source")
    return [
        ArmStanding(
            one.name,
            _shown_kind(record, one),
            target[one.name, MACRO].value,
            source[one.name, MACRO].value,
        )
        for one in arms_in_order(record)
        if (one.name, MACRO) in target and (one.name, MACRO) in source
    ]


def _shown_kind(record: AdaptationRecord, one: ArmRecord) -> str:
    """The kind of an arm; that of the other arm for a merge that is another arm."""
    if one.kind not in MERGED:
        return one.kind
    return "merge" if one.twin is None else _shown_kind(record, record.arm(one.twin))


def best(points: Sequence[ArmStanding], record: AdaptationRecord) -> list[ArmStanding]:
    """The Pareto front: the arms that no other arm beats on one domain without being worse on the other."""
    spent = {
        one.name: Spent(
            SystemKey(one.name, record.first_stage, record.depth, one.name), one.source, UNKNOWN, one.target
        )
        for one in points
    }
    kept = [one.system.label for one in front(list(spent.values()), more_is_better=True)]
    by_name = {one.name: one for one in points}
    return [by_name[name] for name in kept]


def target_tier(record: AdaptationRecord) -> Tier | None:
    """The tier on which most arms were measured that were also measured on the source; on a tie final, then dev. None
    with fewer than two arms."""
    order: tuple[Tier, ...] = ("final", "dev", "gate")  # only a few arms are measured at the gate
    counts = {tier: len(standings(record, tier)) for tier in order}
    tier = max(counts, key=lambda one: counts[one])
    return tier if counts[tier] > 1 else None


def draw_forgetting(record: AdaptationRecord) -> Drawing | None:
    """The plot of source against target. None if fewer than two arms were measured on both."""
    tier = target_tier(record)
    if tier is None:
        return None
    points = standings(record, tier)
    first = best(points, record)
    title = f"Source against target, {record.measure}"
    with style():
        figure = sheet(8.2, max(4.2, 1.4 + 0.21 * len(_named(points, first, record.accepted))))
        axis = figure.subplots()
        _draw(axis, points, first)
        axis.set_xlabel(f"target ({tier}), {record.measure}, points")
        axis.set_ylabel(f"source, {record.measure}, points")
        axis.grid()
        axis.margins(x=0.08, y=0.1)
        headed(figure, title)
        _names(axis, _named(points, first, record.accepted), first, record.accepted)
        key_below(figure, _key(points), columns=4)
    caption = (
        f"{record.measure} in points: the target on {tier} (right is better) and the source domain (up is better), "
        "averages over collections. Filled, on the line: no other arm is as good on both. Dotted: the base; arms below "
        "it forgot something. The table of arms has the intervals and all names."
    )
    return Drawing(file_name("adaptation", "forgetting"), title, caption, figure)


def _draw(axis: Any, points: Sequence[ArmStanding], first: Sequence[ArmStanding]) -> None:
    axis.plot([100 * one.target for one in first], [100 * one.source for one in first], color=GAIN, linewidth=1,
              drawstyle="steps-post", alpha=0.6, zorder=1, gid="front")  # fmt: skip
    for one in points:
        marker, chosen = _MARKS[one.kind][0], one in first
        axis.plot([100 * one.target], [100 * one.source], marker, markersize=7, mew=1.3, zorder=3, gid="arm",
                  mfc=GAIN if chosen else "white", mec=GAIN if chosen else MUTED)  # fmt: skip
        if one.kind == BASE:
            for line, at in ((axis.axvline, one.target), (axis.axhline, one.source)):
                line(100 * at, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0, gid="base")


def _named(points: Sequence[ArmStanding], first: Sequence[ArmStanding], accepted: str | None) -> list[ArmStanding]:
    few = len(points) <= _NAMED
    return [one for one in points if few or one.kind not in ("single", "given") or one in first or one.name == accepted]


def _names(axis: Any, points: Sequence[ArmStanding], first: Sequence[ArmStanding], accepted: str | None) -> None:
    """Write the names to the right of the plot, ordered by height, each with a line to its point."""
    low, high = axis.get_ylim()
    gap = (high - low) / (axis.figure.get_figheight() * 0.68) * 0.17
    for one, level in zip(points, _levels([100 * one.source for one in points], gap, low, high), strict=True):
        axis.annotate(
            shown(one.name + (" (accepted)" if one.name == accepted else "")), (100 * one.target, 100 * one.source),
            (1.03, level), textcoords=axis.get_yaxis_transform(), va="center", fontsize=8, annotation_clip=False,
            color=INK if one in first else MUTED, fontweight="bold" if one.name == accepted else "normal",
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "alpha": 0.45, "shrinkA": 0, "shrinkB": 4,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def _levels(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places, spread by `gap` and moved into the plot if the lowest or the highest would be outside."""
    levels = spread(places, gap)
    over, under = max(0.0, max(levels) - high), max(0.0, low - min(levels))
    return [level - over + under for level in levels]


def _key(points: Sequence[ArmStanding]) -> list[Any]:
    from matplotlib.lines import Line2D

    kinds = {one.kind for one in points}
    return [
        Line2D([], [], linestyle="none", marker=marker, mfc="white", mec=MUTED, mew=1.3, label=text)
        for kind, (marker, text) in _MARKS.items()
        if kind in kinds
    ]

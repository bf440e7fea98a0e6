"""The timeline of an adaptation: a bar for each step, a mark for each verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.result.adaptation.record import AdaptationRecord, Event
from harness.result.adaptation.vocabulary import STAGES
from reports.plots.checkpoints import STATES
from reports.plots.fonts import shown
from reports.plots.labels import spread
from reports.plots.plot import Drawing, file_name
from reports.plots.style import INK, LOSS, MUTED, ROW, SERIES, headed, key_below, sheet, style
from reports.training.told import duration

_SLIVER = 0.003
"""The smallest width of a bar as a share of the plot's width."""
_APART = 8
"""The distance of two marks in slivers, so that none hides another."""
_LONGEST = 48
"""The longest summary of a stage in characters."""
_VERDICTS = tuple(name for name in STATES if name)


def draw_timeline(record: AdaptationRecord) -> Drawing | None:
    """The timeline with a row per stage, in the order of the loop. None if nothing was done yet."""
    rows = [(stage, own) for stage in STAGES if (own := [one for one in record.timeline if one.stage == stage])]
    if not rows:
        return None
    title = f"Timeline of {record.name}"
    with style():
        figure = sheet(9.6, 1.35 + 1.2 * ROW * len(rows))
        axis = figure.subplots()
        scale, unit = _unit(max(one.at + one.seconds for one in record.timeline))
        least = _SLIVER * max(one.at + one.seconds for one in record.timeline) / scale
        for place, (_, events) in enumerate(rows):
            _bars(axis, place, events, scale, least)
            axis.text(
                1.01, place, shown(summary(events)), transform=axis.get_yaxis_transform(), va="center", fontsize=8
            )
        axis.set_yticks(range(len(rows)), [stage for stage, _ in rows])
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.set_xlim(left=0)
        axis.set_xlabel(f"{unit} since the start")
        axis.grid(axis="x")
        axis.spines["left"].set_visible(False)
        headed(figure, shown(title))
        key_below(figure, _key(record.timeline), columns=6)
    caption = (
        "Each bar is one step. Right: the time of the stage, the number of its steps and the verdicts. A mark is a "
        "verdict; marks that would overlap are moved apart. Very short bars are drawn wider than they are."
    )
    return Drawing(file_name("adaptation", "timeline"), title, caption, figure)


def summary(events: Sequence[Event]) -> str:
    """The time of a stage, the number of its steps, and the verdicts: those that did not pass, then those that did."""
    times = f", {len(events)} times" if len(events) > 1 else ""
    passed = [one for one in _judged(events) if one.state == "pass"]
    named = [one for one in _judged(events) if one.state != "pass"] + (passed if len(passed) == 1 else [])
    verdicts = ", ".join(f"{one.name.rstrip('/').rsplit('/', 1)[-1]} {one.state}" for one in named)
    if len(passed) > 1:
        verdicts += f"{', ' if verdicts else ''}{len(passed)} pass"
    whole = f"{duration(sum(one.seconds for one in events))}{times}{': ' if verdicts else ''}{verdicts}"
    return whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 1]}…"


def _judged(events: Sequence[Event]) -> list[Event]:
    return [one for one in events if one.state in _VERDICTS]


def _unit(longest: float) -> tuple[float, str]:
    return (1, "seconds") if longest < 180 else (60, "minutes") if longest < 3 * 3600 else (3600, "hours")


def _bars(axis: Any, place: int, events: Sequence[Event], scale: float, least: float) -> None:
    for one in events:
        known, width = one.state == "known", max(one.seconds / scale, least)
        rim = 0.8 if known or width > 3 * least else 0  # a white edge would hide a sliver
        axis.barh(
            place, width, left=one.at / scale, height=0.62, linewidth=rim, zorder=2,
            color="white" if known else SERIES[0], edgecolor=MUTED if known else "white", gid="bar",
        )  # fmt: skip
    judged = _judged(events)
    middles = [(one.at / scale) + max(one.seconds / scale, least) / 2 for one in judged]
    for one, at in zip(judged, spread(middles, _APART * least), strict=True):
        marker, filling, _ = STATES[one.state]
        colour = LOSS if one.state in ("refused", "invalid") else INK
        axis.plot(
            [at], [place], marker, markersize=9, mew=1.2, zorder=3, mfc=colour if filling == "full" else "white",
            mec="white" if filling == "full" else colour, gid=one.state, clip_on=False,
        )  # fmt: skip


def _key(events: Sequence[Event]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    states = {one.state for one in events}
    found: list[Any] = [Patch(color=SERIES[0], label="done")]
    if "known" in states:
        found.append(Patch(facecolor="white", edgecolor=MUTED, label="was there already"))
    for state, (marker, filling, _) in STATES.items():
        if state and state in states:
            colour = LOSS if state in ("refused", "invalid") else INK
            face = colour if filling == "full" else "white"
            found.append(Line2D([], [], linestyle="none", marker=marker, mfc=face, mec=colour, label=state))
    return found

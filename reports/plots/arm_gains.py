"""The gains of an adaptation's arms over the base: the leading arm by language, and every arm on average."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.result.adaptation.record import AdaptationRecord
from harness.result.adaptation.vocabulary import BASE, MACRO
from reports import rule
from reports.plots.fonts import shown
from reports.plots.gains import LanguageGain, draw_gain, key
from reports.plots.labels import counted, signed
from reports.plots.languages import language_label
from reports.plots.plot import Drawing, file_name
from reports.plots.style import INK, MUTED, headed, key_below, panels, style
from reports.training.standing import (
    ArmGain,
    arms_in_order,
    collections,
    corrected,
    deciding_tiers,
    gains,
    last_tier,
    leader,
    own_languages,
)

Row = tuple[str, ArmGain]
"""The label of a row and the gain that is drawn in it."""


def draw_language_gains(record: AdaptationRecord, workspace: Path | None = None) -> Drawing | None:
    """The gains of the accepted arm, or of the best on dev: a row per language, then one for all collections. None with
    fewer than two collections."""
    arm = leader(record)
    tier = last_tier(record, arm) if arm is not None else None
    if arm is None or tier is None:
        return None
    found, languages = gains(record, tier, workspace), collections(record, tier)
    own = [(name, found[arm, name]) for name in languages if (arm, name) in found]
    if len(own) < 2:
        return None
    named = [(f"{_label(name, languages)}, n={one.queries:,}", one) for name, one in own]
    named.sort(key=lambda row: -row[1].delta)
    last = [("all collections", found[arm, MACRO])] if (arm, MACRO) in found else []
    whose = "accepted" if arm == record.accepted else "the best on dev, not accepted"
    title = f"{arm} against the base by language, {record.measure}, {tier}"
    return _drawing(record, "language-gains", title, [*named, *last], f"{arm} ({whose})", ruled=bool(last))


def draw_arm_gains(record: AdaptationRecord, workspace: Path | None = None) -> Drawing | None:
    """The average gain of every arm. None if fewer than two arms were measured in addition to the base."""
    tiers = [tier for tier in deciding_tiers(record) if tier != "gate"]  # only a few arms are measured at the gate
    if not tiers:
        return None
    tier = tiers[0]
    found = gains(record, tier, workspace)
    arms = [*record.outsiders, *(one.name for one in arms_in_order(record) if one.name != BASE)]
    rows = [(_marked(record, arm), found[arm, MACRO]) for arm in arms if (arm, MACRO) in found]
    if len(rows) < 2:
        return None
    title = f"Every arm against the base, {record.measure}, {tier}"
    return _drawing(record, "arm-gains", title, rows, "each arm", ruled=False)


def _marked(record: AdaptationRecord, arm: str) -> str:
    return f"{arm} (accepted)" if arm == record.accepted else arm


def _label(name: str, languages: dict[str, str | None]) -> str:
    own = own_languages(languages)
    return language_label(own[name]) if name in own else name


def _drawing(record: AdaptationRecord, name: str, title: str, rows: Sequence[Row], who: str, *, ruled: bool) -> Drawing:
    with style():
        figure, (axis,) = panels(1, len(rows), width=5.0, labels=2.2)
        for place, (_, one) in enumerate(rows):
            _row(axis, place, one)
        axis.axvline(0, color=INK, linewidth=0.9, zorder=1)
        if ruled:
            axis.axhline(len(rows) - 1.5, color=MUTED, linewidth=0.6)
        axis.set_yticks(range(len(rows)), [shown(label) for label, _ in rows])
        axis.set_xlabel(f"difference to the base, points of {record.measure}")
        headed(figure, shown(title))
        key_below(figure, _key([one for _, one in rows]), columns=2)
    return Drawing(file_name("adaptation", name), title, _caption(record, who, [one for _, one in rows]), figure)


def _row(axis: Any, place: int, one: ArmGain) -> None:
    if one.difference is not None:
        draw_gain(axis, place, LanguageGain(one.language, one.difference, one.queries, 1))
        return
    axis.plot([100 * one.delta], [place], "s", markersize=5.5, mfc="white", mec=MUTED, mew=1.3, gid="untested")
    axis.text(1.01, place, signed(100 * one.delta), transform=axis.get_yaxis_transform(), va="center", fontsize=8)


def _key(drawn: Sequence[ArmGain]) -> list[Any]:
    from matplotlib.lines import Line2D

    states = [LanguageGain(None, one.difference, 0, 1).state for one in drawn if one.difference is not None]
    found = key(states)
    if any(one.difference is None for one in drawn):
        found.append(Line2D([], [], linestyle="none", marker="s", mfc="white", mec=MUTED, label="not tested"))
    return found


def _caption(record: AdaptationRecord, who: str, drawn: Sequence[ArmGain]) -> str:
    tested = [one for one in drawn if one.difference is not None]
    intervals = f", with 95 % intervals; {rule.TEST}, {corrected(tested)}" if tested else ""
    missing = len(drawn) - len(tested)
    left = f" {counted(missing, 'row')} not tested: this workspace has no values of queries." if missing else ""
    return f"The difference of {who} to the base in points of {record.measure}{intervals}.{left}"

"""The history of a family of systems as a table and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.judging.history import Point
from harness.numbers import DASH, interval, points, signed
from harness.result.stemming import notes as bm25_notes
from reports.marks import judged_notes
from reports.table import Cell, Table


def history_table(history: Sequence[Point], pattern: str, left_out: Sequence[str] = ()) -> Table:
    """One row per revision, in the order of the history.

    Args:
        history: the revisions.
        pattern: the name that was given, for the title.
        left_out: lines about results that were not selected. Default: none.
    """
    measure = history[0].measure
    columns = (
        "system", "revision", "first stage", "depth", "since", measure, "95 % interval", "Δ first stage", "Δ before",
        "gate",
    )  # fmt: skip
    sound = [one for one in history if not one.wrong]
    best = {key: max(one.value for one in sound if _series(one) == key) for key in map(_series, sound)}
    rows: list[tuple[Cell, ...]] = []
    before: Point | None = None
    for one in history:
        step = one.value - before.value if before is not None and _series(before) == _series(one) else None
        rows.append(_row(one, step, strong=not one.wrong and one.value == best[_series(one)]))
        before = one
    return Table(
        f"history of {pattern}, {measure} in points", columns, tuple(rows), (*_notes(history), *left_out), left=5
    )


def history_json(history: Sequence[Point]) -> list[dict[str, object]]:
    """The history as plain values; fractions, null for unknown."""
    return [
        {
            "system": one.system.label, "first_stage_name": one.system.first_stage, "depth": one.system.depth,
            "revision": one.revision, "first": one.first, "last": one.last, "evaluations": list(one.evaluations),
            "collections": [key.name for key in one.collections], "collections_left_out": one.left_out,
            "measure": one.measure, "value": one.value,
            "interval": None if math.isnan(one.interval[0]) else list(one.interval), "first_stage": one.first_stage,
            "known_wrong": one.wrong,
            "notes": judged_notes(key.name for key in one.collections),
            "looks": [{"state": look.state, "tier": look.tier, "at": look.at} for look in one.looks],
        }
        for one in history
    ]  # fmt: skip


def _series(one: Point) -> tuple[str, int]:
    return one.system.first_stage, one.system.depth


def _row(one: Point, step: float | None, *, strong: bool) -> tuple[Cell, ...]:
    gained = None if one.first_stage is None or one.system.reranker is None else one.value - one.first_stage
    looks = ", ".join(f"{look.state} ({look.tier})" for look in one.looks) or DASH
    texts = (
        one.system.label, one.revision[:8], one.system.first_stage, str(one.system.depth), one.first[:16],
        points(one.value), interval(one.interval), signed(gained), signed(step), looks,
    )  # fmt: skip
    return tuple(Cell(text, strong=strong and place == 5) for place, text in enumerate(texts))


def _notes(history: Sequence[Point]) -> list[str]:
    sizes = {_series(one): len(one.collections) for one in history}
    notes = [
        f"Macro average of {size} {'collection' if size == 1 else 'collections'} that all revisions over {stage} at "
        f"depth {depth} have; intervals are bootstraps over questions."
        for (stage, depth), size in sizes.items()
    ]
    left = sorted({one.system.label for one in history if one.left_out})
    if left:
        notes.append(f"Left out, because not every revision has them: collections of {', '.join(left)}.")
    notes += judged_notes(key.name for one in history for key in one.collections)
    notes += dict.fromkeys(f"{one.system.label}: {one.wrong}." for one in history if one.wrong)
    notes += bm25_notes(stemming for one in history for stemming in one.stemming)
    notes.append("Bold: the highest value over one first stage. It was chosen among several, so it is optimistic.")
    return notes

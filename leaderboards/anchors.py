"""Published numbers compared with measured ones: a quick check of an installation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from harness.data.suites.targets import suites
from harness.numbers import points, signed
from harness.result.keys import SystemKey
from harness.result.result import Result
from leaderboards.own import name_of, own_number
from leaderboards.published import OwnNumber, Published, comparable, published
from reports.table import Cell, Table


@dataclass(frozen=True)
class PublishedAnchor:
    """A published number and our own."""

    system: str
    ours: OwnNumber
    row: Published

    @property
    def reason(self) -> str | None:
        """Why the two cannot be compared; None if they can."""
        return comparable(self.ours, self.row)


def anchors(results: Sequence[Result]) -> list[PublishedAnchor]:
    """All published numbers of the measured models on the same collection, or on a suite or group that was measured
    whole.

    If the published measure was not measured, the collection's main measure is shown instead, with a mark.
    """
    found = []
    for group in _by_system(results):
        first = next(iter(group.values()))[0]
        name = name_of(first.stored.system)
        for row in published():
            if name and row.model == name.name and row.collections and set(row.collections) <= set(group):
                ours = _together([group[target] for target in row.collections], row)
                found.append(PublishedAnchor(first.system.label, ours, row))
    return found


def anchors_table(
    found: Sequence[PublishedAnchor], name: Callable[[str], str] = str, bm25: Sequence[str] = ()
) -> Table:
    """A table of published and measured numbers. Differences are shown only for comparable numbers.

    Args:
        found: the pairs of numbers.
        name: returns the display name for a label. Default: the label.
        bm25: notes on how BM25 stems. Default: none.
    """
    reasons = list(dict.fromkeys(anchor.reason for anchor in found if anchor.reason))
    marks = {reason: f"[{number}]" for number, reason in enumerate(reasons, 1)}
    columns = ("collection", "system", "measure", "published", "measured", "difference", "evaluator")
    rows = tuple(_row(anchor, marks, name) for anchor in found)
    notes = (
        "values x 100; published numbers and their sources: leaderboards/published",
        "[n]: no difference, because the two numbers cannot be compared",
        *(f"{mark} {reason}" for reason, mark in marks.items()),
        *bm25,
    )
    return Table("published and measured", columns, rows, notes, left=3)


def _by_system(results: Sequence[Result]) -> list[dict[str, list[Result]]]:
    """The results of each system, by target of the collection."""
    groups: dict[SystemKey, dict[str, list[Result]]] = {}
    for one in results:
        if (entry := one.collection.entry) is not None:
            groups.setdefault(one.system, {}).setdefault(entry.target, []).append(one)
    return list(groups.values())


def _shown(results: Sequence[Result], measure: str) -> OwnNumber:
    """The number of a collection by a measure; if it was not measured, by the main measure, or by the first one."""
    by_measure = {one.measure: own for one in results if (own := own_number(one)) is not None}
    entry = results[0].collection.entry
    wanted = (measure, entry.main_measure if entry else measure, *by_measure)
    return next(by_measure[name] for name in wanted if name in by_measure)


def _together(results: Sequence[Sequence[Result]], row: Published) -> OwnNumber:
    values = [_shown(own, row.measure) for own in results]
    if not row.is_average:
        return values[0]
    mean = _macro({f"{value.suite}/{value.collection}": value.value for value in values}, row.suite)
    altered = next((value.altered for value in values if value.altered), "")
    return replace(values[0], collection=row.collection, value=mean, altered=altered)


def _macro(values: dict[str, float], suite: str) -> float:
    """The mean over the measured parts of the suite; each part is the mean over its collections."""
    parts = [[values[one.target] for one in part if one.target in values] for part in suites()[suite].parts.values()]
    return fmean(fmean(part) for part in parts if part)


def _row(anchor: PublishedAnchor, marks: dict[str, str], name: Callable[[str], str]) -> tuple[Cell, ...]:
    ours, row, mark = anchor.ours, anchor.row, marks.get(anchor.reason or "", "")
    texts = (
        row.target, name(anchor.system), row.measure, f"{points(row.value)}{mark}", points(ours.value),
        "" if mark else signed(ours.value - row.value), row.evaluator or "not stated",
    )  # fmt: skip
    return tuple(Cell(text) for text in texts)

"""The findings of `harness check` as a table and for JSON."""

from __future__ import annotations

from dataclasses import asdict

from harness.checks.check import Checked
from harness.checks.invariance import InvarianceFinding
from harness.numbers import points, signed
from reports.table import Cell, Table

_COLUMNS = ("trial", "note", "pairs", "max |d|", "mean |d|", "max / sd", "turned %", "other top", "nDCG@10", "verdict")
_NOTES = (
    "d: difference to the scores of a plain run (of positions, for a listwise reranker); sd: standard deviation of the "
    "scores of the plain run",
    "turned: pairs of candidates of a query in the other order; other top: queries with another first document; "
    "nDCG@10: difference in points, which ties can cause even if nothing turned",
    "same input with other texts in the batch: OK up to 1e-4 and 0.1 % turned, broken above 5 % of the sd, 1 % turned "
    "or 0.1 points",
    "other precision or length: OK up to 1 % turned; broken only if the system itself is in half precision",
)


def checked_table(found: Checked) -> Table:
    """One row per trial."""
    named = ", ".join(found.collections[:3]) + (
        f" and {len(found.collections) - 3} more" * (len(found.collections) > 3)
    )
    title = f"check of {found.reranker}: {found.verdict} ({found.pairs} pairs, {found.queries} queries of {named})"
    return Table(title, _COLUMNS, tuple(map(_row, found.findings)), (*_details(found), *_noise(found), *_NOTES), left=2)


def checked_dict(found: Checked) -> dict[str, object]:
    """The findings as plain values; fractions, not points."""
    return {
        "reranker": found.reranker,
        "verdict": found.verdict,
        "collections": list(found.collections),
        "queries": found.queries,
        "pairs": found.pairs,
        "trials": [
            {
                "trial": one.trial,
                "verdict": one.verdict,
                "note": one.note,
                "detail": one.detail,
                "shift": asdict(one.shift) if one.shift else None,
            }
            for one in found.findings
        ],
        "noise": [asdict(one) for one in found.noise],
        "alarms": [alarm.as_dict() for alarm in found.alarms],
    }


def _row(one: InvarianceFinding) -> tuple[Cell, ...]:
    moved = one.shift
    figures = ("-",) * 7
    if moved is not None:
        figures = (
            f"{moved.pairs}",
            f"{moved.largest:.1e}",
            f"{moved.mean:.1e}",
            f"{moved.relative:.1e}",
            points(moved.turned),
            f"{moved.tops} of {moved.queries}",
            signed(moved.gain),
        )
    cells = (one.trial, one.note, *figures, one.verdict)
    return tuple(Cell(text, strong=one.verdict in ("suspicious", "broken")) for text in cells)


def _details(found: Checked) -> tuple[str, ...]:
    return tuple(one.detail for one in found.findings if one.detail)


def _noise(found: Checked) -> tuple[str, ...]:
    if not found.noise:
        return ()
    largest = max(found.noise, key=lambda one: one.difference)
    of = len({one.evaluation for one in found.noise})
    return (
        f"scored again, {largest.measure} changes by at most {points(largest.difference, 3)} points; stored as the "
        f"noise of {of} evaluation{'' if of == 1 else 's'}",
    )

"""The result of `harness reproduce` as a table and for JSON."""

from __future__ import annotations

from harness.judging.reproduce import Reproduction
from harness.numbers import count, points, signed
from reports.table import Cell, Table


def reproduced_table(found: Reproduction) -> Table:
    """One row per measure, in points."""
    rows = tuple(
        tuple(map(Cell, (
            one.measure, points(one.stored, 4), points(one.again, 4), signed(one.again - one.stored, 4),
            count(one.queries), points(one.largest, 4),
        )))
        for one in found.deviations
    )  # fmt: skip
    stored = found.stored
    notes = [f"{stored.collection.name}: {stored.system}, stored as {stored.id}, now {found.again}"]
    if found.changed:
        notes.append(f"no longer the same: {', '.join(found.changed)}")
    notes += [f"run as '{spec}', the settings with which it was stored" for spec in found.respelled]
    columns = ("measure", "stored", "again", "difference", "queries moved", "largest move")
    return Table(found.state, columns, rows, tuple(notes))


def reproduced_dict(found: Reproduction) -> dict[str, object]:
    """The result as plain values; fractions."""
    return {
        "id": found.stored.id,
        "state": found.state,
        "again": found.again,
        "changed": list(found.changed),
        "respelled": list(found.respelled),
        "measures": {
            one.measure: {
                "stored": one.stored, "again": one.again, "queries_moved": one.queries, "largest": one.largest
            }
            for one in found.deviations
        },
    }  # fmt: skip

"""The validation of synthetic queries as tables and as a Markdown page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.numbers import interval
from harness.workspace import write_atomically
from reports.document import Bullets, Heading, Image, Part, as_markdown
from reports.document import Text as Paragraph
from reports.plots.plot import Plot
from reports.table import Cell, Table

Row = Mapping[str, Any]
SIGNS = {"same": "=", "differs": "≠", "far": "≠≠", "fault": "!!", "told": "", "unknown": "–"}
"""The sign of each verdict in the table."""
_KEY = (
    "Floor: one half of the real queries to the other, mean and 95th percentile. Scale: synthetic to another domain. "
    "All use equal numbers of queries. The last columns are figures of each single set.",
    "=: not above the 95th percentile of the floor. ≠: above it. ≠≠: above it, and as far as another domain. "
    "!!: a named fault. –: no figure.",
)
_NEEDS = "needs "
_NAMES = ("synthetic", "real", "wrong")
_ALONE = ("V13", "V14", "V15")
"""Measures that compare no distributions."""
_CHANCES = {"pairs": "pairs: nearer to their own document", "random words": "random words: in the language's order"}
"""Faults whose figure is no share of queries with the fault: a high one is good."""
_SIGN = 7
"""The column of the signs. A dash is no figure."""


def measures_table(validation: Mapping[str, Any], *, notes: bool = False) -> Table:
    """One row per statistic: synthetic against real, the floor and the scale, and the figure of each single set.

    Args:
        validation: the content of validation.json.
        notes: whether to print all remarks, or only what is missing. Default: False.
    """
    rows: Sequence[Row] = validation["rows"]
    sets = [name for name in _NAMES if name in validation["sets"]]
    sizes = ", ".join(f"{validation['sets'][name]:,} {_called(name)}" for name in sets)
    columns = ("measure", "statistic", "synthetic to real", "95 %", "floor", "95th", "scale", "", *map(_called, sets))
    return Table(
        f"validation of synthetic queries: {sizes}",
        columns,
        tuple(_row(row, sets) for row in rows),
        (*_KEY, *validation["remarks"], *_remarks(rows, notes)),
        left=2,
    )


def printed_tables(validation: Mapping[str, Any]) -> tuple[Table, ...]:
    """The table for a terminal, without rows and columns that have no figure, and in two parts: what is compared with
    real queries, and what is said of a set alone. The notes name what is missing."""
    whole = measures_table(validation)
    parts: tuple[list[tuple[Cell, ...]], list[tuple[Cell, ...]]] = ([], [])
    for row, cells in zip(validation["rows"], whole.rows, strict=True):
        if any(cell.text for place, cell in enumerate(cells) if place > 1 and place != _SIGN):
            parts[row["id"] in _ALONE].append(cells)
    compared, alone = (_with_figures(replace(whole, rows=tuple(rows), notes=())) for rows in parts)
    tables = [one for one in (compared, replace(alone, title="leaks, conformance and named faults")) if one.rows]
    if not tables:
        return (whole,)
    return (*tables[:-1], replace(tables[-1], notes=whole.notes))


def _with_figures(table: Table) -> Table:
    """The columns with some figure or sign, and the first two."""
    empty = ("", SIGNS["unknown"])
    kept = [
        place
        for place in range(len(table.columns))
        if place < 2 or any(row[place].text not in empty for row in table.rows)
    ]
    rows = tuple(tuple(row[place] for place in kept) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows)


def leak_table(validation: Mapping[str, Any]) -> Table | None:
    """The evaluation collections whose queries or documents were found; None if there are none."""
    parts: dict[str, Any] = {}
    for row in validation["rows"]:
        if row["id"] == "V13":
            parts |= row["parts"]
    shared = {one["collection"]: one["share"] for one in parts.get("shared", ())}
    leaking = [one for one in parts.get("collections", ()) if one["removed"] or shared.get(one["collection"])]
    if not leaking:
        return None
    rows = tuple(
        (
            Cell(one["collection"]), *(Cell(f"{one[name]:,}") for name in ("queries", "removed", "exact")),
            Cell(_share(shared.get(one["collection"]))),
        )
        for one in leaking
    )  # fmt: skip
    return Table(
        "evaluation queries among the synthetic ones",
        ("collection", "queries", "synthetic ones like them", "word for word", "documents in the corpus"),
        rows,
        ("A synthetic query that is similar to queries of several collections counts in each.",),
    )


def decision_line(validation: Mapping[str, Any]) -> str:
    """The state and its reasons in one paragraph."""
    decision = validation["decision"]
    reasons = "; ".join(decision["reasons"])
    return f"{decision['state']}{f': {reasons}' if reasons else ''}. {decision['acceptance']}"


def write_page(validation: Mapping[str, Any], plots: Sequence[Plot], out: Path) -> Path:
    """Write `validation.md` into the folder `out`. It links to the plots, which are below that folder."""
    decision = validation["decision"]
    parts: list[Part] = [
        Heading("Validation of synthetic queries", 1),
        Paragraph(f"{decision['state']}. {decision['acceptance']}"),
    ]
    if decision["reasons"]:
        parts.append(Bullets(tuple(decision["reasons"])))
    parts.append(measures_table(validation, notes=True))
    if (leaks := leak_table(validation)) is not None:
        parts.append(leaks)
    parts += [Image(plot.title, plot.png, plot.svg, plot.caption) for plot in plots]
    file = out / "validation.md"
    with write_atomically(file) as temporary:
        temporary.write_text(as_markdown(parts, out), "utf-8")
    return file


def _row(row: Row, sets: Sequence[str]) -> tuple[Cell, ...]:
    unit, levels = row["unit"], row["levels"]
    named = _CHANCES.get(str(row["statistic"]), str(row["statistic"]))
    statistic = f"{named} ({unit})" if unit and unit != "share" else named
    between = "" if row["interval"] is None else interval(row["interval"], lambda end: _figure(end, unit))
    texts = (
        f"{row['id']} {row['name']}", statistic, _figure(row["value"], unit), between,
        _figure(row["floor"], unit), _figure(row["floor_high"], unit), _figure(row["scale"], unit),
        SIGNS[row["verdict"]], *(_figure(levels.get(name), unit) for name in sets),
    )  # fmt: skip
    return tuple(Cell(text) for text in texts)


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "share":
        return _share(value)
    if unit == "queries":
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _remarks(rows: Sequence[Row], every: bool) -> list[str]:
    """First what is missing, with the ids of the rows that need it; then each remark once, with its measures."""
    lacking: dict[str, list[str]] = {}
    remarks: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        parts = [*filter(None, row["note"].split("; ")), *_other_levels(row)]
        for part in parts:
            if part.startswith(_NEEDS):
                lacking.setdefault(part, []).append(row["id"])
        note = "; ".join(part for part in parts if not part.startswith(_NEEDS))
        if note and (every or row["id"] in ("V11", "V13")):
            remarks.setdefault((row["id"], note), []).append(row["name"])
    return [
        *(f"{', '.join(dict.fromkeys(ids))}: {need}" for need, ids in lacking.items()),
        *(f"{id} {', '.join(dict.fromkeys(names))}: {note}" for (id, note), names in remarks.items()),
    ]


def _other_levels(row: Row) -> list[str]:
    """Figures that belong to no set of queries, but to a teacher or a collection."""
    others = {name: level for name, level in row["levels"].items() if name not in _NAMES and level is not None}
    return [", ".join(f"{name} {_figure(level, row['unit'])}" for name, level in others.items())] if others else []


def _called(name: str) -> str:
    return "other domain" if name == "wrong" else name

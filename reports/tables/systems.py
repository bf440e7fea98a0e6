"""The layout of tables with one row per system, for runs and reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.numbers import points
from harness.result.figure import Figure
from reports import columns, marks
from reports.columns import Column
from reports.findings import finding
from reports.lines import Line
from reports.table import Cell, Kind, Table

FIRST_STAGE = "its first stage"
"""The baseline of runs and reports, in words."""


@dataclass(frozen=True)
class SystemRow:
    """A row of such a table."""

    names: tuple[Cell, ...]
    line: Line
    href: str = ""
    is_wrong: bool = False
    """Whether the value is known to be wrong, so that it cannot be the best."""

    @property
    def kind(self) -> Kind:
        """The kind of the row."""
        return "first stage" if self.line.is_first_stage else "system"


def systems_table(
    title: str,
    names: Sequence[str],
    rows: Sequence[SystemRow],
    chosen: Sequence[Column] | None,
    *,
    signs: Callable[[Figure], tuple[str, ...]],
    notes: Sequence[str],
    known: Mapping[str, str],
) -> Table:
    """A table with one row per system.

    Args:
        title: the title.
        names: the headings of the columns of text.
        rows: the systems.
        chosen: the columns of figures; None for the default.
        signs: returns the marks of a difference.
        notes: notes under the table.
        known: footnotes of marks that are not in `reports.marks.NOTES`.
    """
    lines = [row.line for row in rows]
    own, best = columns.shown(chosen, lines), medals(rows)
    cells = tuple((*row.names, *(_cell(one, row, best, signs) for one in own)) for row in rows)
    tested = [(" over ".join(cell.text for cell in row.names), row.line.figure.difference) for row in rows]
    return Table(
        title,
        (*names, *(one.head(lines[0].measure) for one in own)),
        cells,
        (*notes, *columns.notes(own)),
        left=len(names),
        kinds=tuple(row.kind for row in rows),
        footnotes=marks.footnotes(cells, (), known),
        finding=finding(tested, "system", FIRST_STAGE),
    )


def medals(rows: Sequence[SystemRow]) -> tuple[str, str]:
    """The best and the second best value as printed; '' for the second if there are only two rows."""
    best, second = best_two([row.line.figure.value for row in rows if not row.is_wrong])
    return best, second if len(rows) > 2 else ""


def best_two(values: Sequence[float | None]) -> tuple[str, str]:
    """The best and the second best value as printed; '' for none."""
    printed = {round(100 * value, 2) for value in values if value is not None}
    best, second = [*(f"{value:.2f}" for value in sorted(printed, reverse=True)), "", ""][:2]
    return best, second


def _cell(column: Column, row: SystemRow, best: tuple[str, str], signs: Callable[[Figure], tuple[str, ...]]) -> Cell:
    figure, text = row.line.figure, column.text(row.line)
    if column.key == "delta":
        return Cell(text, marks=signs(figure))
    if column.key != "value":
        return Cell(text)
    own = points(figure.value)
    unsound = (marks.INCOMPLETE,) if figure.value is None else (marks.WRONG,) if row.is_wrong else ()
    return Cell(
        text, strong=own == best[0] and not row.is_wrong, second=own == best[1] and not row.is_wrong, href=row.href,
        marks=unsound,
    )  # fmt: skip

"""A table is one value; the terminal, Markdown and CSV are renderings of it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Cell:
    """One field of a table."""

    text: str
    strong: bool = False
    """The best of its column."""


@dataclass(frozen=True)
class Table:
    """Rows under named columns, with the notes that every mark in them needs."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    left: int = 1
    """Columns from the left that hold text; the others hold figures."""


def markdown(table: Table) -> str:
    """A GitHub-flavoured Markdown table under its title, above its notes."""
    lines = [f"**{escaped(table.title)}**", "", _row([escaped(column) for column in table.columns])]
    lines.append(_row([":--" if i < table.left else "--:" for i in range(len(table.columns))]))
    lines += [_row([f"**{escaped(c.text)}**" if c.strong else escaped(c.text) for c in row]) for row in table.rows]
    return "\n".join([*lines, "", *(f"- {escaped(note)}" for note in table.notes)]).rstrip() + "\n"


def comma_separated(table: Table) -> str:
    """CSV with a header line and without notes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([[cell.text for cell in row] for row in table.rows])
    return out.getvalue()


def terminal(table: Table) -> RenderableType:
    """A Rich renderable."""
    from rich import box
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(box=box.SIMPLE_HEAD, title=Text(table.title), title_justify="left", pad_edge=False)
    for i, column in enumerate(table.columns):
        shown.add_column(Text(column), justify="left" if i < table.left else "right", no_wrap=i >= table.left)
    for row in table.rows:
        shown.add_row(*(Text(cell.text, style="bold" if cell.strong else "") for cell in row))
    return Group(shown, *(Text(f"  {note}", style="dim") for note in table.notes))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("\n", " ")


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"

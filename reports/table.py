"""A table as one value, and how it is rendered for the terminal, as Markdown and as CSV.

`reports.latex` and `reports.html` render the same value.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from adapters.plain_text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

Kind = Literal["system", "first stage", "chance", "ceiling", "published", "average"]
GROUP = " · "
"""Joins the headings of a group and of a column if there is only one line of headings."""


@dataclass(frozen=True)
class Cell:
    """One field of a table."""

    text: str
    strong: bool = False
    """Whether this is the best value of its column, printed in bold."""
    second: bool = False
    """Whether this is the second best value of its column, underlined."""
    href: str = ""
    """A link to the source of the figure, in HTML only."""
    marks: tuple[str, ...] = ()
    """Signs after the text. Each has a footnote under the table."""

    @property
    def shown(self) -> str:
        """The text with its marks."""
        return self.text + "".join(self.marks)


@dataclass(frozen=True)
class Table:
    """Rows under named columns, with notes and footnotes."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    left: int = 1
    """The number of columns with text, from the left; the others hold figures."""
    groups: tuple[tuple[str, int], ...] = ()
    """Headings over groups of columns, from the left: text and number of columns. An empty text is no heading."""
    kinds: tuple[Kind, ...] = ()
    """The kind of each row. Default: all rows are systems."""
    column_marks: tuple[tuple[str, ...], ...] = ()
    """Signs after the names of the columns. Default: none."""
    footnotes: tuple[tuple[str, str], ...] = ()
    """The sign and the meaning of every mark."""
    finding: str = ""
    """A sentence with the result of the table; see `reports.findings`."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the columns with their marks."""
        marks = self.column_marks or ((),) * len(self.columns)
        return tuple(name + "".join(own) for name, own in zip(self.columns, marks, strict=True))

    @property
    def row_kinds(self) -> tuple[Kind, ...]:
        """The kind of each row."""
        return self.kinds or tuple("system" for _ in self.rows)

    @property
    def spans(self) -> tuple[tuple[str, int], ...]:
        """The headings of the groups and the number of their columns, for all columns."""
        rest = len(self.columns) - sum(span for _, span in self.groups)
        return (*self.groups, ("", rest)) if rest else self.groups

    @property
    def headings(self) -> tuple[str, ...]:
        """The heading of the group of each column; '' for none."""
        return tuple(heading for heading, span in self.spans for _ in range(span))

    @property
    def legend(self) -> tuple[str, ...]:
        """The lines under the table: the finding, then footnotes, then notes."""
        finding = (self.finding,) if self.finding else ()
        return (*finding, *(f"{sign} {text}" for sign, text in self.footnotes), *self.notes)


def plain(table: Table) -> Table:
    """The table without control characters and overrides of direction, which names of others may have."""
    return replace(
        table,
        title=printable(table.title),
        columns=tuple(map(_plain_head, table.columns)),
        rows=tuple(tuple(replace(cell, text=printable(cell.text)) for cell in row) for row in table.rows),
        notes=tuple(map(printable, table.notes)),
        groups=tuple((_plain_head(heading), span) for heading, span in table.groups),
        footnotes=tuple((sign, printable(text)) for sign, text in table.footnotes),
        finding=printable(table.finding),
    )


def _plain_head(text: str) -> str:
    """Headings may be broken into lines."""
    return "\n".join(map(printable, text.split("\n")))


def markdown(table: Table) -> str:
    """The table in GitHub-flavoured Markdown, with its title and notes."""
    table = plain(table)
    lines = [f"**{escaped(table.title)}**", "", _row([escaped(name) for name in one_line_heads(table)])]
    lines.append(_row([":--" if i < table.left else "--:" for i in range(len(table.columns))]))
    for row, kind in zip(table.rows, table.row_kinds, strict=True):
        lines.append(_row([_decorated(cell, kind) for cell in row]))
    return "\n".join([*lines, "", *(f"- {escaped(note)}" for note in table.legend)]).rstrip() + "\n"


def comma_separated(table: Table) -> str:
    """The table as CSV with a header line and without notes. Marks of figures are in a separate last column, so that
    figures can be read as numbers; marks of names stay with the names."""
    table = plain(table)
    marked = any(cell.marks for row in table.rows for cell in row[table.left :])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*one_line_heads(table), *(["marks"] if marked else [])])
    for row in table.rows:
        fields = [cell.shown if i < table.left else cell.text for i, cell in enumerate(row)]
        writer.writerow([*fields, *([_marks_of(table, row)] if marked else [])])
    return out.getvalue()


def terminal(table: Table, width: int | None = None) -> RenderableType:
    """The table as a Rich renderable.

    Args:
        table: the table.
        width: width of the terminal in characters. A wider table is split into parts. Default: no limit.
    """
    from rich.console import Group
    from rich.text import Text

    from reports.wide import fitted

    table = plain(table)
    parts = [table] if width is None else fitted(table, width)
    return Group(*map(_rich, parts), *(Text(f"  {note}", style="dim") for note in table.legend))


def _rich(table: Table) -> RenderableType:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    title = Text(table.title) if table.title else None
    shown = RichTable(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for i, (heading, name) in enumerate(zip(table.headings, table.heads, strict=True)):
        head = Text(f"{heading}\n{name}" if table.groups else name)
        justify: Literal["left", "right"] = "left" if i < table.left else "right"
        shown.add_column(head, justify=justify, no_wrap=i >= table.left, overflow="fold")
    for row, kind in zip(table.rows, table.row_kinds, strict=True):
        shown.add_row(*(Text(cell.shown, style=_style(cell, kind)) for cell in row))
    return shown


def one_line_heads(table: Table) -> list[str]:
    """The names of the columns, each after the heading of its group."""
    pairs = zip(table.headings, table.heads, strict=True)
    return [f"{heading}{GROUP}{name}" if heading else name for heading, name in pairs]


_LINKS = re.compile(r"\](?=[(:\[])|(?<=[A-Za-z]):(?=//)|(?<=www)(?<![a-z0-9]www)\.|\b(?:mailto|xmpp):", re.IGNORECASE)
"""Where GitHub begins the target of a link, or an address that it makes a link of."""
_ADDRESS = re.compile(r"(?<=[\w.+-])@(?=[\w-]+\.[\w.-]*\w)")


def escaped(text: str) -> str:
    """Text escaped for Markdown. It makes no link, image or element, whatever a name in it looks like."""
    plain_text = printable(text.replace("\n", " ")).replace("\\", "\\\\")
    shown = plain_text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
    unlinked = _LINKS.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}" if found[0] != "]" else "]\\", shown)
    return _ADDRESS.sub("@<!-- -->", unlinked)


def _decorated(cell: Cell, kind: Kind) -> str:
    text = escaped(cell.text)
    if cell.strong or cell.second:
        text = f"**{text}**" if cell.strong else f"<ins>{text}</ins>"
    shown = text + escaped("".join(cell.marks))
    return f"_{shown}_" if kind in ("chance", "ceiling", "published") and shown.strip("-") else shown


def _style(cell: Cell, kind: Kind) -> str:
    if kind in ("chance", "ceiling", "published"):
        return "italic dim" if kind == "published" else "dim"
    return "bold" if cell.strong else "underline" if cell.second else ""


def _marks_of(table: Table, row: tuple[Cell, ...]) -> str:
    """The marks of a row, each after the full heading of its column: two groups may have columns of the same name."""
    named = list(zip(one_line_heads(table), row, strict=True))[table.left :]
    return "; ".join(f"{name}: {''.join(cell.marks)}" for name, cell in named if cell.marks)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"

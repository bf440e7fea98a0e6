"""Tables in terminals that are narrower than they are: long names are cut in the middle, and columns that do not fit go
below, with the names again. No figure is ever cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len

from reports.tables import Table

_GAP = 3
_SHORTEST = 10
_ELLIPSIS = "…"


def fitted(table: Table, width: int) -> list[Table]:
    """The table in parts of at most `width` columns of text. The first has the title, the last has the notes. A part
    with one column of figures may be wider, where nothing shorter is possible."""
    if sum(_widths(table)) <= width or table.left == len(table.columns):
        return [table]  # text alone is wrapped by the terminal
    short = _with_short_names(table, width // 2)
    widths = _widths(short)
    parts = [_part(short, chosen) for chosen in _blocks(widths, short.left, width)]
    plain = [replace(part, title="") if place else part for place, part in enumerate(parts)]
    last = len(plain) - 1
    return [part if place == last else replace(part, notes=(), footnotes=()) for place, part in enumerate(plain)]


def shortened(names: Sequence[str], width: int) -> list[str]:
    """The names, each cut in the middle to a width; wider where two of them would look the same."""
    for size in range(width, max(map(len, names), default=0) + 1):
        cut = [_cut(name, size) for name in names]
        if len(set(cut)) == len(set(names)):
            return cut
    return list(names)


def _cut(name: str, size: int) -> str:
    if len(name) <= size:
        return name
    end = size // 2
    return f"{name[: size - end - 1]}{_ELLIPSIS}{name[len(name) - end :]}"


def _with_short_names(table: Table, room: int) -> Table:
    """The columns of text share the width that they may have."""
    widths = _widths(table)[: table.left]
    if sum(widths) <= room:
        return table
    size = max(_SHORTEST, room // table.left - _GAP)
    columns = [shortened([row[place].text for row in table.rows], size) for place in range(table.left)]
    rows = (
        (*(replace(cell, text=columns[place][at]) for place, cell in enumerate(row[: table.left])), *row[table.left :])
        for at, row in enumerate(table.rows)
    )
    return replace(table, rows=tuple(rows))


def _widths(table: Table) -> list[int]:
    """The columns of text that each column takes, with the gap behind it."""
    heads = [max(cell_len(heading), cell_len(name)) for heading, name in zip(table.headings, table.heads, strict=True)]
    fields = zip(*([cell_len(cell.shown) for cell in row] for row in table.rows), strict=True) if table.rows else ()
    longest = [max(column) for column in fields] or [0] * len(heads)
    return [max(pair) + _GAP for pair in zip(heads, longest, strict=True)]


def _blocks(widths: Sequence[int], left: int, width: int) -> Iterator[list[int]]:
    """The columns of figures that stand side by side."""
    free = width - sum(widths[:left])
    block, used = list[int](), 0
    for place in range(left, len(widths)):
        if block and used + widths[place] > free:
            yield block
            block, used = [], 0
        block.append(place)
        used += widths[place]
    if block:
        yield block


def _part(table: Table, chosen: Sequence[int]) -> Table:
    places = [*range(table.left), *chosen]
    marks = table.column_marks and tuple(table.column_marks[place] for place in places)
    groups = tuple((table.headings[place], 1) for place in places) if table.groups else ()
    return replace(
        table,
        columns=tuple(table.columns[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in table.rows),
        groups=groups,
        column_marks=marks or (),
    )

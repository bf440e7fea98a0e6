"""Tables that are too wide for a page or a terminal are split into parts. Each part repeats the columns that name the
rows, and no figure is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len

from reports.table import Table

A_PAGE = 120
"""Characters in a line across both columns of a page, in small print."""
_BETWEEN, _IN_A_TERMINAL = 2, 3
"""Characters between two columns."""
_READABLE = 16
"""The shortest width of a name in characters. If names do not fit, later parts leave out columns of text."""


def cut(table: Table, characters: int = A_PAGE, between: int = _BETWEEN) -> list[Table]:
    """The table in parts whose lines have at most `characters`.

    Each part has at least one column of figures. Notes are under the last part.
    """
    parts = list(_parts(table, characters, between))
    if len(parts) < 2:
        return [table]
    tables = [
        replace(_part(table, own), title=f"{table.title} ({i} of {len(parts)})") for i, own in enumerate(parts, 1)
    ]
    return [*(replace(part, notes=(), footnotes=(), finding="") for part in tables[:-1]), tables[-1]]


def fitted(table: Table, width: int) -> list[Table]:
    """The table for a terminal of a given width, in one part if possible.

    To fit one part, headings are broken into lines and names are cut in the middle, to 16 characters or more. In
    several parts, names take at most half of the width, and columns of text that are not needed to distinguish the rows
    are only in one part. Two different names stay different.
    """
    if table.left == len(table.columns):
        return [table]  # the terminal wraps text
    compact = _with_broken_heads(table)
    figures = sum(_widths(compact, _IN_A_TERMINAL)[table.left :])
    for one in (table, compact, _with_short_names(compact, width - figures)):
        if sum(_widths(one, _IN_A_TERMINAL)) <= width:
            return [one]
    return cut(_with_short_names(_named(table, width // 2), width // 2), width, _IN_A_TERMINAL)


def shortened(names: Sequence[str], width: int) -> list[str]:
    """The names, cut in the middle to a width, or to the smallest larger width at which different names stay
    different."""
    for size in range(width, max(map(len, names), default=0) + 1):
        short = [middle_cut(name, size) for name in names]
        if len(set(short)) == len(set(names)):
            return short
    return list(names)


def middle_cut(text: str, longest: int) -> str:
    """The text without its middle: the end holds revisions and options."""
    if len(text) <= longest:
        return text
    tail = longest // 2
    return f"{text[: longest - tail - 1]}…{text[len(text) - tail :]}"


def _with_broken_heads(table: Table) -> Table:
    """The table with those headings on two lines that are wider than the figures below them."""
    widths = [max([0, *(cell_len(row[place].shown) for row in table.rows)]) for place in range(len(table.columns))]
    columns = (
        _broken(name) if place >= table.left and not table.groups and cell_len(name) > widths[place] else name
        for place, name in enumerate(table.columns)
    )
    return replace(table, columns=tuple(columns))


def _broken(name: str) -> str:
    """The name, broken at the blank that gives the narrowest lines; unchanged without a blank."""
    words = name.split(" ")
    broken = [f"{' '.join(words[:at])}\n{' '.join(words[at:])}" for at in range(1, len(words))]
    return min(broken, key=_lines, default=name)


def _lines(text: str) -> int:
    """The width of the widest line in characters."""
    return max(map(cell_len, text.split("\n")))


def _named(table: Table, space: int) -> Table:
    """The table with fewer columns of text to repeat in every part, if not all of them are readable in the space."""
    widths = _widths(table, _IN_A_TERMINAL)[: table.left]
    if sum(min(one, _READABLE + _IN_A_TERMINAL) for one in widths) <= space:
        return table
    keys = ({tuple(cell.text for cell in row[:count]) for row in table.rows} for count in range(1, table.left + 1))
    needed = next((count for count, own in enumerate(keys, 1) if len(own) == len(table.rows)), table.left)
    return replace(table, left=needed)


def _with_short_names(table: Table, space: int) -> Table:
    """The table with shorter names. Columns of text that fit their share of the space keep their width; the others
    share the rest."""
    widths, long, size = _widths(table, _IN_A_TERMINAL)[: table.left], list(range(table.left)), _READABLE
    while long:
        left = space - sum(width for place, width in enumerate(widths) if place not in long)
        size = max(_READABLE, left // len(long) - _IN_A_TERMINAL)
        still = [place for place in long if widths[place] > size + _IN_A_TERMINAL]
        if still == long:
            break
        long = still
    cut_to = {place: shortened([row[place].text for row in table.rows], size) for place in long}
    rows = (
        tuple(replace(cell, text=cut_to[place][at]) if place in cut_to else cell for place, cell in enumerate(row))
        for at, row in enumerate(table.rows)
    )
    return replace(table, rows=tuple(rows))


def _widths(table: Table, between: int) -> list[int]:
    """The width of each column in characters, with the gap after it."""
    heads = [max(map(_lines, pair)) for pair in zip(table.headings, table.heads, strict=True)]
    return [
        between + max([head, *(cell_len(row[place].shown) for row in table.rows)]) for place, head in enumerate(heads)
    ]


def _parts(table: Table, characters: int, between: int) -> Iterator[list[int]]:
    widths = _widths(table, between)
    text = sum(widths[: table.left])
    found: list[int] = []
    for place in range(table.left, len(widths)):
        if found and text + sum(widths[i] for i in found) + widths[place] > characters:
            yield found
            found = []
        found.append(place)
    yield found


def _part(table: Table, figures: list[int]) -> Table:
    kept = [*range(table.left), *figures]
    return replace(
        table,
        columns=tuple(table.columns[i] for i in kept),
        rows=tuple(tuple(row[i] for i in kept) for row in table.rows),
        column_marks=tuple(table.column_marks[i] for i in kept) if table.column_marks else (),
        groups=_groups(table, kept),
    )


def _groups(table: Table, kept: list[int]) -> tuple[tuple[str, int], ...]:
    if not table.groups:
        return ()
    numbered = [place for place, (_, span) in enumerate(table.spans) for _ in range(span)]
    chosen = [numbered[i] for i in kept]
    return tuple((table.spans[place][0], chosen.count(place)) for place in dict.fromkeys(chosen))

"""Tables that are too wide for a page: cut into several, each with the columns of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reports.tables import Table

A_PAGE = 120
"""Characters in a line of a page across two columns, in small print."""
_BETWEEN = 2


def cut(table: Table, characters: int = A_PAGE) -> list[Table]:
    """The table in parts of at most so many characters a line, but at least one column of figures each; footnotes and
    notes stand under the last."""
    parts = list(_parts(table, characters))
    if len(parts) < 2:
        return [table]
    found = [replace(_part(table, own), title=f"{table.title} ({i} of {len(parts)})") for i, own in enumerate(parts, 1)]
    return [*(replace(part, notes=(), footnotes=()) for part in found[:-1]), found[-1]]


def _parts(table: Table, characters: int) -> Iterator[list[int]]:
    widths = [
        _BETWEEN + max(map(len, [head, *(row[i].shown for row in table.rows)])) for i, head in enumerate(table.heads)
    ]
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

"""Tables of evaluation queries that occur in training data."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.overlap import Clean, Overlap
from harness.numbers import count, points, share, signed
from reports.table import Cell, Table

_EXAMPLES = 5
_WIDTH = 60


def overlap_table(found: Sequence[Overlap]) -> Table:
    """One row per collection."""
    rows = [
        (
            one.collection, one.split, count(one.queries), count(one.exact), count(len(one.matches) - one.exact),
            share(len(one.matches) / max(one.queries, 1)),
        )
        for one in found
    ]  # fmt: skip
    notes = ("same: equal but for case, width and punctuation; alike: most character trigrams shared",)
    return _table("overlap", ("collection", "split", "queries", "same", "alike", "share"), rows, notes)


def examples(found: Sequence[Overlap]) -> Table:
    """The first matches of every collection, exact ones first."""
    rows = [
        (
            one.collection,
            match.query,
            _short(match.text),
            _short(match.training),
            f"{match.line}",
            f"{match.similarity:.2f}",
        )
        for one in found
        for match in one.matches[:_EXAMPLES]
    ]
    columns = ("collection", "query", "text", "in training", "line", "similarity")
    return _table("examples", columns, rows, (), left=4)


def clean_table(values: Sequence[Clean]) -> Table:
    """Stored values compared with those on the queries without overlap."""
    rows = [
        (
            value.evaluation, value.collection, value.system, value.measure,
            points(value.whole), points(value.clean), signed(value.clean - value.whole), count(value.queries),
        )
        for value in values
    ]  # fmt: skip
    columns = ("id", "collection", "system", "measure", "all queries", "without overlap", "difference", "queries left")
    notes = ("values x 100; the remaining queries may be easier or harder, so a difference does not prove a leak",)
    return _table("values without the overlap", columns, rows, notes, left=4)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


def _table(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: tuple[str, ...], left: int = 2
) -> Table:
    return Table(title, columns, tuple(tuple(map(Cell, row)) for row in rows), notes, left=left)

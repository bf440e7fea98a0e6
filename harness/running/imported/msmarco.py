"""Reads runs in the MS MARCO format, which pyserini and anserini write with `--output-format msmarco`: `query TAB
document TAB rank`. They have no scores; the order is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.errors import DataError
from harness.data.sources.dirt import shown
from harness.data.trec import RunLine
from harness.data.written_numbers import whole_number
from harness.running.imported.tevatron import three_columns


def msmarco_lines(path: Path) -> Iterator[RunLine]:
    """Yield the ranked documents, with minus the rank as the score.

    Raises:
        DataError: a line is broken, a rank is not a whole number above 0, or occurs twice for a query.
    """
    taken: set[tuple[str, int]] = set()
    for number, query, document, rank in three_columns(path, "rank"):
        place = whole_number(rank) if rank.isdecimal() else None
        if place is None or not 0 < place < 1 << 24:
            raise DataError(
                f"{path}:{number}: the rank {shown(rank)} is not a whole number above 0 and below {1 << 24:,}"
            )
        if (query, place) in taken:
            raise DataError(f"{path}:{number}: rank {place} occurs twice for query '{query}'; the order is not known")
        taken.add((query, place))
        yield RunLine(query, document, -float(place), number)

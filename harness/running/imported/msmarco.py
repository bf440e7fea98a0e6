"""Reads runs in the MS MARCO format, which pyserini and anserini write with `--output-format msmarco`: `query TAB
document TAB rank`. They have no scores; the order is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.errors import DataError
from harness.data.trec import RunLine
from harness.running.imported.tevatron import three_columns


def msmarco_lines(path: Path) -> Iterator[RunLine]:
    """Yield the ranked documents, with minus the rank as the score.

    Raises:
        DataError: a line is broken, a rank is not a whole number above 0, or occurs twice for a query.
    """
    taken: set[tuple[str, int]] = set()
    for number, query, document, rank in three_columns(path, "rank"):
        if not (rank.isascii() and rank.isdecimal() and 0 < int(rank) < 1 << 24):
            raise DataError(f"{path}:{number}: the rank '{rank}' is not a whole number above 0")
        if (query, int(rank)) in taken:
            raise DataError(f"{path}:{number}: rank {rank} occurs twice for query '{query}'; the order is not known")
        taken.add((query, int(rank)))
        yield RunLine(query, document, -float(rank), number)

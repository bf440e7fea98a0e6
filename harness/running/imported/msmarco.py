"""The MS MARCO form of a run, which pyserini and anserini write with `--output-format msmarco`: `query TAB document TAB
rank`. It has no scores: only the order is known, and that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.errors import DataError
from harness.data.trec import RunLine
from harness.running.imported.tevatron import three_columns


def msmarco_lines(path: Path) -> Iterator[RunLine]:
    """The ranked documents, with minus the rank in the place of a score.

    Raises:
        DataError: a line that is broken, whose rank is no whole number above 0, or has been given to another document
            of the query.
    """
    taken: set[tuple[str, int]] = set()
    for number, query, document, rank in three_columns(path, "rank"):
        if not (rank.isascii() and rank.isdecimal() and 0 < int(rank) < 1 << 24):
            raise DataError(f"{path}:{number}: the rank '{rank}' is not a whole number above 0")
        if (query, int(rank)) in taken:
            raise DataError(f"{path}:{number}: rank {rank} stands twice for query '{query}'; the order is not known")
        taken.add((query, int(rank)))
        yield RunLine(query, document, -float(rank), number)

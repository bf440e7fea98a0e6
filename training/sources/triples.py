"""MS MARCO's triples: query, relevant text, other text, between tabs. The relevant one has grade 1, the other 0."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.errors import DataError
from training.examples import Example, distinct
from training.sources.rows import lines


def read(path: Path) -> Iterator[tuple[Example, dict[str, int]]]:
    """One example per line.

    Raises:
        DataError: a line has not three columns, or both texts are the same.
    """
    for place, line in lines(path):
        columns = line.split("\t")
        if len(columns) != 3:
            raise DataError(f"{place}: {len(columns)} columns instead of query, relevant text and other text")
        query, relevant, other = columns
        if relevant == other:
            raise DataError(f"{place}: the relevant text and the other text are the same; leave the line out")
        yield distinct(query, [(relevant, 1.0), (other, 0.0)], place)

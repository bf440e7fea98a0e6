"""Weighted sums over the collections of each column, one collection at a time: a draw serves every column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

from harness.gathered import CollectionKey, SystemKey
from reports.grid_columns import Column

Floats64 = npt.NDArray[np.float64]
Rows = dict[SystemKey, Floats64]


def weighted_sums(
    collections: Sequence[CollectionKey],
    columns: Mapping[int, Column],
    rows_of: Callable[[CollectionKey], Mapping[SystemKey, Floats64]],
) -> Iterator[tuple[int, Rows]]:
    """Each column as soon as its last collection is there: weight x row, summed, of every system that has a row in all
    of them. Only columns that are under way are held."""
    pending = {place: len(column.collections) for place, column in columns.items()}
    weights = {place: dict(zip(column.collections, column.weights, strict=True)) for place, column in columns.items()}
    sums: dict[int, Rows] = {}
    for collection in collections:
        wanted = [place for place in columns if collection in weights[place]]
        rows = rows_of(collection) if wanted else {}
        for place in wanted:
            sums[place] = _added(sums.get(place), rows, weights[place][collection])
            pending[place] -= 1
            if not pending[place]:
                yield place, sums.pop(place)


def seed_of(collection: CollectionKey, seed: int) -> int:
    """A seed of its own for every collection, so that their draws are independent; what else is in a table changes
    nothing."""
    return int(np.random.SeedSequence([seed, crc32(collection.fingerprint.encode())]).generate_state(1)[0])


def _added(before: Rows | None, rows: Mapping[SystemKey, Floats64], weight: float) -> Rows:
    if before is None:
        return {system: weight * row for system, row in rows.items()}
    return {system: own + weight * rows[system] for system, own in before.items() if system in rows}

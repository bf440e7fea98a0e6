"""Which systems differ from their first stage: one place decides, and every table asks it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.gathered import CollectionKey, Grid, SystemKey
from harness.statistics.multiplicity import holm
from harness.statistics.randomisation import at_least, flipped_sums
from reports.grid_columns import Column
from reports.weighted import Floats64, Rows, seed_of, weighted_sums

ALPHA = 0.05
FLIPS = 10_000
_SLACK = 1e-12


def differences(grid: Grid, system: SystemKey, collection: CollectionKey) -> Floats64 | None:
    """Per query, to the first stage on the same frozen candidates; None where the two are no pair."""
    own, base = grid.cells.get((system, collection)), grid.cells.get((system.base, collection))
    if system.reranker is None or own is None or base is None or own.values.shape != base.values.shape:
        return None
    return own.values - base.values if own.stored.candidates == base.stored.candidates else None


def adjusted(
    grid: Grid, columns: Sequence[Column], *, flips: int = FLIPS, seed: int = 0
) -> dict[tuple[SystemKey, int], float]:
    """The p-value of every system in every column that it can be tested in, by the column's place: a stratified paired
    randomisation test (Smucker, Allan and Carterette 2007), corrected by Holm (1979) over the systems of the column.

    The signs of a collection's queries are drawn once for all systems and columns, so an average costs no draw of its
    own.
    """
    found: dict[tuple[SystemKey, int], float] = {}
    numbered = dict(enumerate(columns))
    for place, rows in weighted_sums(grid.collections, numbered, lambda one: _flipped(grid, one, flips, seed)):
        raw = [at_least(np.abs(row[:-2]), abs(float(row[-2])), slack=_SLACK * float(row[-1])) for row in rows.values()]
        found |= {(system, place): p for system, p in zip(rows, holm(raw), strict=True)}
    return found


def _flipped(grid: Grid, collection: CollectionKey, flips: int, seed: int) -> Rows:
    """Of every system that is paired here: means under random signs, then the mean, then the largest one possible."""
    paired = {system: differences(grid, system, collection) for system in grid.systems}
    known = {system: values / len(values) for system, values in paired.items() if values is not None and len(values)}
    found: Rows = {}
    for size in dict.fromkeys(map(len, known.values())):
        group = [system for system, values in known.items() if len(values) == size]
        parts = np.stack([known[system] for system in group])
        parts[np.abs(parts) <= _SLACK / size] = 0.0
        totals = np.stack([parts.sum(axis=1), np.abs(parts).sum(axis=1)], axis=1)
        rows = np.hstack([flipped_sums(parts, flips, seed_of(collection, seed)), totals])
        found |= dict(zip(group, rows, strict=True))
    return found

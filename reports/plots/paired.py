"""Every reranked result beside the first stage's on the same candidates: what all plots of gains are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.gathered import CollectionKey, Grid, Result, SystemKey
from harness.statistics.together import percentile_intervals, resampled_macros

Floats64 = npt.NDArray[np.float64]
Interval = tuple[float, float]
RESAMPLES = 10_000
"""As in the tables, so that no plot contradicts one."""
MANY_QUERIES = 20_000
FEWER_RESAMPLES = 2_000
"""Above so many queries; an eye sees no third digit."""
UNKNOWN: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True, eq=False)
class Pair:
    """After and before, on one collection."""

    after: Result
    before: Result
    interval: Interval
    """95 %, of the difference, over queries; (nan, nan) with fewer than two."""

    @property
    def deltas(self) -> Floats64:
        """Per query."""
        return self.after.values - self.before.values

    @property
    def delta(self) -> float:
        """After minus before."""
        return float(self.deltas.mean())


@dataclass(frozen=True, eq=False)
class Pairs:
    """A grid with the pairs of its cells. A cell without its first stage on the same candidates has none."""

    grid: Grid
    of: dict[tuple[SystemKey, CollectionKey], Pair]

    @property
    def systems(self) -> list[SystemKey]:
        """Reranked systems that have a pair: first those with all collections, the largest gain first."""
        found = [system for system in self.grid.systems if self.row(system)]
        return sorted(found, key=lambda one: (-len(self.row(one)), -self.macro(one)))

    def row(self, system: SystemKey) -> list[Pair]:
        """The system's pairs, in the order of the collections."""
        return [self.of[system, one] for one in self.grid.collections if (system, one) in self.of]

    def is_complete(self, system: SystemKey) -> bool:
        """Whether every collection has a pair."""
        return len(self.row(system)) == len(self.grid.collections)

    def macro(self, system: SystemKey) -> float:
        """The macro average of the gains that are there."""
        row = self.row(system)
        weights = self.grid.weights([pair.after.collection for pair in row])
        return float(np.average([pair.delta for pair in row], weights=weights))

    def macro_intervals(self, rows: Sequence[Sequence[Pair]]) -> list[Interval]:
        """95 %, of the macro average of the pairs of each system; all rows are of the same collections."""
        weights = self.grid.weights([pair.after.collection for pair in rows[0]]) if rows else None
        return macro_intervals(
            [np.stack([pair.deltas for pair in pairs]) for pairs in zip(*rows, strict=True)], weights
        )


def paired(grid: Grid) -> Pairs:
    """Pair every reranked cell with its first stage's."""
    found: dict[tuple[SystemKey, CollectionKey], Pair] = {}
    for collection in grid.collections:
        cells = [grid.cells.get((system, collection)) for system in grid.systems]
        matched = [(cell, before) for cell in cells if cell and (before := _before(grid, cell))]
        intervals = _intervals([cell.values - before.values for cell, before in matched])
        for (cell, before), interval in zip(matched, intervals, strict=True):
            found[cell.system, collection] = Pair(cell, before, interval)
    return Pairs(grid, found)


def _before(grid: Grid, cell: Result) -> Result | None:
    """The first stage's result, if it is of the same candidates and questions."""
    before = grid.cells.get((cell.system.base, cell.collection))
    if cell.system.reranker is None or before is None or not len(cell.values):
        return None
    alike = before.stored.candidates == cell.stored.candidates and len(before.values) == len(cell.values)
    return before if alike else None


def _intervals(rows: Sequence[Floats64]) -> list[Interval]:
    return macro_intervals([np.stack(rows)]) if rows else []


def macro_intervals(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None) -> list[Interval]:
    """95 %, of the macro average of each system; the queries are drawn once for all of them.

    Args:
        strata: one array float64 [systems, queries] for each collection.
    """
    if not strata:
        return []
    if min(one.shape[1] for one in strata) < 2:
        return [UNKNOWN] * len(strata[0])
    resamples = FEWER_RESAMPLES if sum(one.shape[1] for one in strata) > MANY_QUERIES else RESAMPLES
    return percentile_intervals(resampled_macros(strata, weights, resamples=resamples))


def limited(systems: Sequence[SystemKey], most: int) -> tuple[list[SystemKey], str]:
    """The first `most` systems, and the sentence that says what was left out."""
    left = len(systems) - most
    said = (
        f" The {most} with the largest gains are drawn; {left} more {'is' if left == 1 else 'are'} in the table."
        if left > 0
        else ""
    )
    return list(systems[:most]), said

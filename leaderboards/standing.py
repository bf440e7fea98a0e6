"""How the systems of one grid stand: macro value, interval, difference to the first stage, rank, group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness.gathered import Grid, Result, SystemKey
from harness.statistics.together import percentile_intervals, rank_intervals, resampled_macros
from leaderboards.groups import Grouped, groups

Floats64 = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Standing:
    """One row of a board. A system that lacks a collection, or some of its queries, has no macro value and no rank."""

    system: SystemKey
    value: float | None = None
    """Macro average, a fraction."""
    interval: Interval | None = None
    """95 %, over queries, for these collections; None where one has fewer than two."""
    delta: float | None = None
    """To its own first stage; None for a first stage, and where that one lacks a collection."""
    delta_interval: Interval | None = None
    rank: int | None = None
    """Equal values share a rank."""
    ranks: tuple[int, int] | None = None
    """Between the tails of 10,000 resamples."""
    group: Grouped | None = None

    @property
    def moved(self) -> bool:
        """Whether the interval of the difference leaves out zero."""
        return self.delta_interval is not None and (self.delta_interval[0] > 0 or self.delta_interval[1] < 0)


def standings(grid: Grid, *, seed: int = 0) -> list[Standing]:
    """Complete rows by falling value, then incomplete ones by what they cover and their label; a row with a value that
    is known to be wrong is none that could be complete. Ranks have an interval
    where there are several collections: nobody reads those of a single one."""
    sizes = _sizes(grid)
    complete = [one for one in grid.systems if [_size(cell) for cell in grid.row(one)] == sizes]
    rest = [one for one in grid.systems if one not in set(complete)]
    covered = {one: sum(cell is not None for cell in grid.row(one)) for one in rest}
    below = sorted(rest, key=lambda one: (-covered[one], one.label, one.first_stage, one.depth))
    return [*(_ranked(grid, complete, seed) if complete else []), *map(Standing, below)]


def _size(cell: Result | None) -> int | None:
    """Values of a cell; None where it is missing, or known to be wrong."""
    return None if cell is None or cell.wrong else len(cell.values)


def _sizes(grid: Grid) -> list[int]:
    """Values of each collection. A system that has fewer of them cannot be paired: p-MRR leaves out questions."""
    sizes = dict.fromkeys(grid.collections, 0)
    for (_, collection), cell in grid.cells.items():
        sizes[collection] = max(sizes[collection], len(cell.values))
    return list(sizes.values())


def _ranked(grid: Grid, systems: Sequence[SystemKey], seed: int) -> list[Standing]:
    weights = grid.weights()
    means = {one: float(weights @ [grid.cells[one, key].value for key in grid.collections]) for one in systems}
    ordered = sorted(systems, key=lambda one: (-means[one], one.label, one.first_stage, one.depth))
    strata = [np.stack([grid.cells[one, key].values for one in ordered]) for key in grid.collections]
    rows = [Standing(one, means[one]) for one in ordered]
    rows = [replace(row, rank=_rank(means, row.system)) for row in rows]
    grouped = groups(strata, weights, seed=seed)
    rows = [replace(row, group=group) for row, group in zip(rows, grouped, strict=True)]
    rows = [_with_delta(grid, row, means) for row in rows]
    return _with_intervals(rows, strata, weights, seed) if min(s.shape[1] for s in strata) > 1 else rows


def _rank(means: dict[SystemKey, float], system: SystemKey) -> int:
    return 1 + sum(value > means[system] + 1e-12 for value in means.values())


def _with_delta(grid: Grid, row: Standing, means: dict[SystemKey, float]) -> Standing:
    """Only where both stand on the same frozen candidates: a first stage may have been run anew since."""
    base = row.system.base
    if not row.system.reranker or base not in means:
        return row
    pairs = zip(grid.row(row.system), grid.row(base), strict=True)
    same = all(a and b and a.stored.candidates == b.stored.candidates for a, b in pairs)
    return replace(row, delta=means[row.system] - means[base]) if same else row


def _with_intervals(
    rows: Sequence[Standing], strata: Sequence[Floats64], weights: Floats64, seed: int
) -> list[Standing]:
    resampled = resampled_macros(strata, weights, seed=seed)
    places = {row.system: place for place, row in enumerate(rows)}
    ranks = rank_intervals(resampled) if len(strata) > 1 else [None] * len(rows)
    bases = [places[row.system if row.delta is None else row.system.base] for row in rows]
    moved = percentile_intervals(resampled - resampled[bases])
    found = zip(rows, percentile_intervals(resampled), ranks, moved, strict=True)
    return [
        replace(row, interval=own, ranks=span, delta_interval=None if row.delta is None else delta)
        for row, own, span, delta in found
    ]

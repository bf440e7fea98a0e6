"""The blocks in which queries are scored: planned before the first score, from sizes and votes alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.statistics.anytime import balanced

Counts = npt.NDArray[np.int64]
_FIRST = 60
"""Queries of the first block, about. A broken candidate is seen after so many."""
_GROWTH = 1.25


@dataclass(frozen=True)
class Blocks:
    """How many queries of each collection are scored after each block.

    A collection gives each block as many queries as its vote weighs, whatever its size, for as long as it has any: with
    equal votes all give the same. For a given number of queries that is where the macro mean is surest. Collections
    that are used up stay used up.
    """

    weights: npt.NDArray[np.float64]
    counts: Counts
    """int64 [blocks, collections], cumulative; the last row is all that there are."""

    @property
    def sizes(self) -> Counts:
        """The queries of each collection."""
        sizes: Counts = self.counts[-1]
        return sizes

    @cached_property
    def patterns(self) -> tuple[int, ...]:
        """For every block the number of its pattern: blocks with the same balanced stakes have the same."""
        stakes = [tuple(np.round(balanced(row, self.weights)[0], 9)) for row in self.counts]
        known = {pattern: number for number, pattern in enumerate(dict.fromkeys(stakes))}
        return tuple(known[pattern] for pattern in stakes)


def plan(sizes: Sequence[int], weights: npt.NDArray[np.float64]) -> Blocks:
    """Blocks that grow by a quarter of what there was, the first of about 60 queries and with all collections in each.

    Args:
        sizes: the queries of each collection, at least 1.
        weights: of the collections, summing to 1.
    """
    whole = np.array(sizes, np.int64)
    rates = np.maximum(np.rint(weights / weights.min()), 1).astype(np.int64)
    rounds = max(1, math.ceil(_FIRST / int(rates.sum())))
    counts = []
    while (rounds * rates < whole).any():
        counts.append(np.minimum(whole, rounds * rates))
        rounds = max(rounds + 1, math.ceil(rounds * _GROWTH))
    return Blocks(weights, np.array([*counts, whole]))

"""The blocks in which queries are scored: planned before the first score, from questions and votes alone.

A block takes questions, each in all its languages: a question of a parallel set is one draw. After block k every
question has a stake, see `anytime.balanced`. Blocks next to each other in which no question changes its stake are one
*pattern*. The plan is fixed, so the stakes of a pattern are fixed for all its questions before anything is scored, and
they are balanced after each of its blocks: its wealth is the one supermartingale of `anytime`, looked at several times.
Each pattern bets with its own share of the first wealth, from the first question on. A pattern that is over bets no
more. So the average over patterns is a supermartingale that starts at 1, too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.data.collection import sampling_order
from harness.measuring.statistics.anytime import balanced
from harness.measuring.statistics.design import Design, Floats64, Questions

Counts = npt.NDArray[np.int64]
_FIRST = 60
"""Questions of the first block, about. A broken candidate is seen after that many."""
_GROWTH = 1.25
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Blocks:
    """How many queries of each collection are scored after each block.

    A set gives each block as many questions as the votes of its collections weigh, whatever its size, for as long as it
    has any: with equal votes all collections that share no questions give the same. For a given number of questions
    that is where the macro mean is surest. What is used up stays used up.
    """

    whole: Design
    """All collections, the questions of each in the order in which they are scored."""
    counts: Counts
    """int64 [blocks, collections], cumulative; the last row is all that there are."""

    @property
    def sizes(self) -> Counts:
        """The queries of each collection."""
        sizes: Counts = self.counts[-1]
        return sizes

    @property
    def weights(self) -> Floats64:
        """Of the collections, summing to 1."""
        return self.whole.weights

    @cached_property
    def designs(self) -> tuple[Design, ...]:
        """What is scored after each block."""
        return tuple(map(self.first, self.counts))

    def first(self, used: Counts) -> Design:
        """The first questions of every collection."""
        collections = zip(self.whole.collections, used.tolist(), strict=True)
        return Design(tuple(Questions(one.drawn_from, one.ids[:size]) for one, size in collections), self.weights)

    @cached_property
    def patterns(self) -> tuple[int, ...]:
        """For every block the number of its pattern, rising."""
        changed = [not _same(*pair) for pair in itertools.pairwise(map(_stakes, self.designs))]
        return (0, *np.cumsum(changed, dtype=np.int64).tolist())


def plan(design: Design, seed: int = 0) -> Blocks:
    """Blocks that grow by a quarter of what there was, the first of about 60 questions and with all collections in
    each.

    Args:
        design: all questions of every collection, at least one each.
        seed: of the lot by id that orders the questions of a set.
    """
    places = {name: dict(zip(_ordered(ids, seed), range(len(ids)), strict=True)) for name, ids in design.sets.items()}
    own = [np.sort([places[one.drawn_from][id] for id in one.ids]) for one in design.collections]
    orders = (Questions(one.drawn_from, tuple(_ordered(one.ids, seed))) for one in design.collections)
    sets = list(design.sets)
    of = np.array([sets.index(one.drawn_from) for one in design.collections])
    votes = np.bincount(of, design.weights)
    rates = np.maximum(np.rint(votes / votes.min()), 1).astype(np.int64)
    return Blocks(Design(tuple(orders), design.weights), _counts(own, rates, of))


def _counts(own: Sequence[Counts], rates: Counts, of: Counts) -> Counts:
    """For every block the queries of each collection whose question has come, from their places in the order of the
    set. A block has a new query of every collection that has any left."""
    rounds, rows = max(1, math.ceil(_FIRST / int(rates.sum()))), list[Counts]()
    whole = np.array([len(places) for places in own], np.int64)
    last = np.zeros_like(whole)
    while (last < whole).any():
        taken = (rounds * rates)[of]
        row = np.array([np.searchsorted(places, size) for places, size in zip(own, taken, strict=True)], np.int64)
        if ((row > last) | (row == whole)).all():
            rows.append(row)
            last = row
        rounds = max(rounds + 1, math.ceil(rounds * _GROWTH))
    return np.array(rows, np.int64)


def _ordered(ids: Sequence[str], seed: int) -> list[str]:
    return [ids[row] for row in sampling_order(ids, seed)]


def _stakes(design: Design) -> list[Floats64]:
    """Of every collection the stakes of its questions."""
    stakes, _ = balanced(design)
    return [stakes[units] for units in design.units]


def _same(before: Sequence[Floats64], after: Sequence[Floats64]) -> bool:
    """Whether every question of the first block keeps its stake in the second."""
    return all(np.allclose(old, new[: len(old)], rtol=0, atol=_SAME) for old, new in zip(before, after, strict=True))

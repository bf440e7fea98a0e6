"""The blocks in which queries are scored, planned before the first score from questions and votes alone.

A block consists of questions, each in all its languages, because a question of a parallel set is one draw. After block
k every question has a stake; see `anytime.balanced`. Consecutive blocks in which no question changes its stake are one
*pattern*. The plan is fixed, so the stakes of a pattern are fixed for all its questions before anything is scored, and
they are balanced after each of its blocks: the wealth of a pattern is one supermartingale of `anytime`, looked at
several times. Each pattern bets with its own share of the initial wealth, from the first question on, and stops betting
when it ends. So the average over patterns is also a supermartingale that starts at 1.
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
_FIRST = 30
"""The approximate number of questions in the first block, after which a broken candidate is recognised."""
_FINE = 1.1
"""The growth while all questions have the same stake: looking more often costs nothing."""
_COARSE = 1.25
"""The growth after that, because a new pattern costs a share of the wealth."""
_LEAST_PARTNERED = 0.4
"""The share of the queries that the blocks with partners must cover at least; otherwise no question has a partner. The
largest share possible is a half, because each scored question needs one that is not. Much less is not worth it: bets
with partners get half of the early alpha of a refusal, and end with these blocks."""
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Blocks:
    """How many queries of each collection are scored after each block.

    The number of questions that a set contributes to a block is proportional to the votes of its collections, whatever
    its size, until it has no more: with equal votes, all collections that share no questions contribute the same. For a
    given number of questions this makes the macro mean most precise.
    """

    whole: Design
    """All collections, the questions of each in the order in which they are scored."""
    counts: Counts
    """int64 [blocks, collections], cumulative; the last row has all queries."""

    @property
    def sizes(self) -> Counts:
        """The number of queries of each collection."""
        sizes: Counts = self.counts[-1]
        return sizes

    @property
    def weights(self) -> Floats64:
        """The weights of the collections, summing to 1."""
        return self.whole.weights

    @cached_property
    def designs(self) -> tuple[Design, ...]:
        """The questions that are scored after each block."""
        return tuple(map(self.first, self.counts))

    def first(self, used: Counts) -> Design:
        """Return the first `used` questions of every collection."""
        collections = zip(self.whole.collections, used.tolist(), strict=True)
        return Design(tuple(Questions(one.drawn_from, one.ids[:size]) for one, size in collections), self.weights)

    @cached_property
    def partnered(self) -> int:
        """The number of blocks, from the first, after which every scored question has a partner that is not scored. 0
        if not all questions have the same stake for long enough."""
        if any(len(one.ids) < len(self.whole.sets[one.drawn_from]) for one in self.whole.collections):
            return 0  # a partner must be asked in all languages of the set, like the question that it belongs to
        halves = np.all(self.counts[:-1] * 2 <= self.sizes, axis=1).tolist()
        alike = [fits and _alike(design) for fits, design in zip(halves, self.designs[:-1], strict=True)]
        last = next((place for place, fits in enumerate(alike) if not fits), len(alike))
        return last if last and self.counts[last - 1].sum() >= _LEAST_PARTNERED * self.sizes.sum() else 0

    @cached_property
    def patterns(self) -> tuple[int, ...]:
        """The number of the pattern of every block, ascending."""
        changed = [not _same(*pair) for pair in itertools.pairwise(map(_stakes, self.designs))]
        return (0, *np.cumsum(changed, dtype=np.int64).tolist())


def plan(design: Design, seed: int = 0) -> Blocks:
    """Return the plan. The first block has about 30 questions. Each following block adds a tenth of the questions so
    far, or a quarter once questions have different stakes. Every block has queries of all collections.

    Args:
        design: all questions of every collection, at least one each.
        seed: the seed of the random order of a set's questions, which depends on their ids. Default: 0.
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
    """Return for every block the number of queries of each collection whose question was drawn, from their positions in
    the order of the set. Every block has a new query of each collection that has any left."""
    rounds, rows = max(1, math.ceil(_FIRST / int(rates.sum()))), list[Counts]()
    whole = np.array([len(places) for places in own], np.int64)
    complete = all(int(places[-1]) == len(places) - 1 for places in own)
    last = np.zeros_like(whole)
    while (last < whole).any():
        taken = (rounds * rates)[of]
        row = np.array([np.searchsorted(places, size) for places, size in zip(own, taken, strict=True)], np.int64)
        if ((row > last) | (row == whole)).all():
            rows.append(row)
            last = row
        fine = complete and bool((last < whole).all())
        rounds = max(rounds + 1, math.ceil(rounds * (_FINE if fine else _COARSE)))
    return np.array(rows, np.int64)


def _ordered(ids: Sequence[str], seed: int) -> list[str]:
    return [ids[row] for row in sampling_order(ids, seed)]


def _alike(design: Design) -> bool:
    return bool(np.allclose(balanced(design)[0], 1, rtol=0, atol=_SAME))


def _stakes(design: Design) -> list[Floats64]:
    """Return the stakes of the questions of every collection."""
    stakes, _ = balanced(design)
    return [stakes[units] for units in design.units]


def _same(before: Sequence[Floats64], after: Sequence[Floats64]) -> bool:
    """Whether every question of the first block has the same stake in the second."""
    return all(np.allclose(old, new[: len(old)], rtol=0, atol=_SAME) for old, new in zip(before, after, strict=True))

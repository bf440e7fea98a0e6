"""The plan of blocks: what a user would lose is that a decision rests on every collection from the first block on."""

from __future__ import annotations

import numpy as np
import pytest

from harness.gate.blocks import plan
from harness.statistics.anytime import balanced

BEIR = (500, 50, 323, 500, 49, 300)


def even(count: int) -> np.ndarray:
    return np.full(count, 1 / count)


def test_every_collection_is_in_every_block_for_as_long_as_it_lasts() -> None:
    blocks = plan(BEIR, even(6))
    new = np.diff(blocks.counts, axis=0, prepend=0)
    left = np.array(BEIR) - blocks.counts + new
    assert ((new > 0) == (left > 0)).all()


def test_all_queries_are_in_the_plan_once() -> None:
    blocks = plan(BEIR, even(6))
    assert blocks.counts[-1].tolist() == list(BEIR)
    assert (np.diff(blocks.counts, axis=0) >= 0).all()
    assert (np.diff(blocks.counts.sum(axis=1)) > 0).all(), "a block without a query would be a look for nothing"


def test_equal_votes_give_equally_many_queries_whatever_the_sizes() -> None:
    """Shares by size would leave a set of 50 queries, which is most of the doubt, to the end."""
    blocks = plan(BEIR, even(6))
    for row in blocks.counts:
        unspent = row[row < np.array(BEIR)]
        assert len(set(unspent.tolist())) <= 1
    assert blocks.counts[0].sum() == 60


def test_members_of_a_group_give_by_their_share_of_its_vote() -> None:
    blocks = plan([500] * 14, np.array([1 / 3, 1 / 3, *[1 / 36] * 12]))
    assert blocks.counts[0].tolist() == [24, 24, *[2] * 12]


def test_blocks_share_a_pattern_until_a_collection_is_used_up() -> None:
    """One pattern is one bet for all its blocks: with all collections alike, looking more often costs nothing."""
    assert set(plan([200] * 4, even(4)).patterns) == {0}
    blocks = plan(BEIR, even(6))
    first = (blocks.counts < 49).all(axis=1).sum()
    assert blocks.patterns[:first] == (0,) * first
    assert len(set(blocks.patterns[first:])) == len(blocks.patterns) - first
    assert list(blocks.patterns) == sorted(blocks.patterns)


@pytest.mark.parametrize("sizes", [(1,), (1, 500), (3, 2, 7), (40,)])
def test_collections_smaller_than_a_block_are_planned_too(sizes: tuple[int, ...]) -> None:
    blocks = plan(sizes, even(len(sizes)))
    assert blocks.sizes.tolist() == list(sizes)
    assert (blocks.counts[0] >= 1).all()
    for row in blocks.counts:
        stakes, _ = balanced(row, blocks.weights)
        assert 0 < stakes.min() <= stakes.max() == 1

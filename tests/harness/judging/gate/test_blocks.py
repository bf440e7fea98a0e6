"""The plan of blocks: what a user would lose is that a decision rests on every collection from the first block on."""

from __future__ import annotations

import numpy as np
import pytest

from harness.judging.gate.blocks import Blocks, plan
from harness.measuring.statistics.anytime import balanced
from harness.measuring.statistics.design import Design, Questions
from tests.harness.judging.gate.plans import parallel, planned, questions

BEIR = (500, 50, 323, 500, 49, 300)


def test_every_collection_is_in_every_block_for_as_long_as_it_lasts() -> None:
    blocks = planned(BEIR)
    new = np.diff(blocks.counts, axis=0, prepend=0)
    left = np.array(BEIR) - blocks.counts + new
    assert ((new > 0) == (left > 0)).all()


def test_all_queries_are_in_the_plan_once() -> None:
    blocks = planned(BEIR)
    assert blocks.counts[-1].tolist() == list(BEIR)
    assert (np.diff(blocks.counts, axis=0) >= 0).all()
    assert (np.diff(blocks.counts.sum(axis=1)) > 0).all(), "a block without a query would be a look for nothing"


def test_equal_votes_give_equally_many_queries_whatever_the_sizes() -> None:
    """Shares by size would leave a set of 50 queries, which is most of the doubt, to the end."""
    blocks = planned(BEIR)
    for row in blocks.counts:
        unspent = row[row < np.array(BEIR)]
        assert len(set(unspent.tolist())) <= 1
    assert blocks.counts[0].sum() == 30


def test_members_of_a_group_give_by_their_share_of_its_vote() -> None:
    blocks = planned([500] * 14, np.array([1 / 3, 1 / 3, *[1 / 36] * 12]))
    assert blocks.counts[0].tolist() == [12, 12, *[1] * 12]


def test_blocks_share_a_pattern_until_a_collection_is_used_up() -> None:
    """One pattern is one bet for all its blocks: with all collections alike, looking more often costs nothing."""
    assert set(planned([200] * 4).patterns) == {0}
    blocks = planned(BEIR)
    first = (blocks.counts < 49).all(axis=1).sum()
    assert blocks.patterns[:first] == (0,) * first
    assert len(set(blocks.patterns[first:])) == len(blocks.patterns) - first
    assert list(blocks.patterns) == sorted(blocks.patterns)


@pytest.mark.parametrize("sizes", [(1,), (1, 500), (3, 2, 7), (40,)])
def test_collections_smaller_than_a_block_are_planned_too(sizes: tuple[int, ...]) -> None:
    blocks = planned(sizes)
    assert blocks.sizes.tolist() == list(sizes)
    assert (blocks.counts[0] >= 1).all()
    for design in blocks.designs:
        stakes, _ = balanced(design)
        assert 0 < stakes.min() <= stakes.max() == 1


def test_after_every_block_the_same_questions_are_there_in_all_languages() -> None:
    blocks = parallel(4, 300)
    for design in blocks.designs:
        assert len({one.ids for one in design.collections}) == 1
        assert design.queries == 4 * design.questions
    assert blocks.designs[0].questions == 30, "a block counts questions"
    assert set(blocks.patterns) == {0}


def test_a_language_that_lacks_questions_has_those_of_the_others_otherwise() -> None:
    whole, some = questions("en", 200, "set"), Questions("set", tuple(f"q{place}" for place in range(0, 200, 3)))
    blocks = plan(Design((whole, some, questions("own", 150))))
    for design in blocks.designs:
        both = [set(one.ids) for one in design.collections[:2]]
        assert both[1] == both[0] & set(some.ids)
    assert blocks.designs[-1].queries == blocks.whole.queries


def test_the_order_is_a_lot_of_the_ids_that_the_seed_draws() -> None:
    design = Design((questions("en", 100, "set"), questions("sw", 100, "set")))
    one, same, other = plan(design), plan(design), plan(design, seed=1)
    assert one.whole.collections == same.whole.collections != other.whole.collections
    assert one.whole.collections[0].ids != design.collections[0].ids


def test_a_parallel_set_gives_by_the_votes_of_all_its_languages() -> None:
    """Then every question weighs the same in the average: all stakes are 1."""
    members = [questions(name, 400, "set") for name in ("de", "en", "sw")]
    blocks = plan(Design((*members, questions("own", 400))))
    assert blocks.counts[0].tolist() == [24, 24, 24, 8]
    assert all((balanced(design)[0] == 1).all() for design in blocks.designs[:3])


def test_a_pattern_never_changes_the_stake_of_a_question() -> None:
    """Otherwise its wealth would be another bet afterwards, and no bound would hold."""
    some = Questions("set", tuple(f"q{place}" for place in range(0, 200, 3)))
    for blocks in (planned(BEIR), plan(Design((questions("en", 200, "set"), some, questions("own", 150))))):
        seen: dict[tuple[int, str, str], float] = {}
        for pattern, design in zip(blocks.patterns, blocks.designs, strict=True):
            stakes, _ = balanced(design)
            for one, units in zip(design.collections, design.units, strict=True):
                for id, stake in zip(one.ids, stakes[units], strict=True):
                    assert seen.setdefault((pattern, one.drawn_from, id), stake) == pytest.approx(stake, abs=1e-8)
        assert list(blocks.patterns) == sorted(blocks.patterns)


def test_no_block_leaves_out_a_collection_that_has_questions_left() -> None:
    """An empty block would end the gate with queries to spare."""
    rare = Questions("set", ("q3", "q77", "q150"))
    blocks = plan(Design((questions("en", 200, "set"), rare, questions("own", 50))))
    new = np.diff(blocks.counts, axis=0, prepend=0)
    left = blocks.sizes - blocks.counts + new
    assert ((new > 0) == (left > 0)).all()


@pytest.mark.parametrize("blocks", [parallel(12, 714), planned([500]), planned([300] * 4)])
def test_a_question_that_serves_as_a_partner_is_never_scored_before_the_last_block_with_partners(
    blocks: Blocks,
) -> None:
    """A question that is counted twice would make the wealth another bet."""
    last = blocks.counts[blocks.partnered - 1]
    assert blocks.partnered > 5
    assert (2 * last <= blocks.sizes).all()
    assert (2 * blocks.counts[blocks.partnered] > blocks.sizes).any()
    assert set(blocks.patterns[: blocks.partnered]) == {0}


@pytest.mark.parametrize(
    "blocks",
    [planned(BEIR), planned([40]), planned([500, 500], [1.0, 1.3])],
    ids=["small collections end early", "one block", "stakes differ"],
)
def test_no_question_has_a_partner_where_half_of_them_cannot_have_one(blocks: Blocks) -> None:
    assert blocks.partnered == 0


def test_a_language_that_lacks_questions_has_no_partners() -> None:
    """A partner in fewer languages would have another headroom than the question that it belongs to."""
    most = Questions("set", tuple(f"q{place}" for place in range(199)))
    assert plan(Design((questions("en", 200, "set"), questions("de", 200, "set")))).partnered
    assert not plan(Design((questions("en", 200, "set"), most))).partnered


def test_blocks_grow_faster_once_looking_costs_something() -> None:
    """When the smallest collection has no query left, every block begins a new bet."""
    fine, mixed = planned([500] * 4).counts[:, 0], planned(BEIR).counts[:, 0]
    assert (np.diff(fine) <= 0.1 * fine[:-1] + 1).all()
    later = mixed[(mixed >= 50) & (mixed < 500)]
    assert (np.diff(later) >= 0.25 * later[:-1]).all()

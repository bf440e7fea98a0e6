"""The sequential rule: what a user would lose is a verdict that may be believed although somebody looked all the time,
and the pairs that a sure verdict need not have cost."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from harness.judging.gate.blocks import Blocks, plan
from harness.judging.gate.sequential import Monitor, SequentialDecision, SequentialRule
from harness.measuring.statistics.anytime import averaged
from harness.measuring.statistics.design import Design, Questions
from tests.harness.judging.gate.plans import parallel, planned, questions

Floats = npt.NDArray[np.float64]
RULE = SequentialRule()


def even(count: int, size: int = 500) -> Blocks:
    return planned([size] * count)


def deltas(mean: float, size: int, seed: int, sd: float = 0.15) -> Floats:
    """Half zero, the others two-sided, exactly with this mean in expectation."""
    generator = np.random.default_rng(seed)
    moved = generator.random(size) < 0.5
    sign = np.where(generator.random(size) < 0.5 + mean / (2 * sd * 2**0.5 * 0.5), 1, -1)
    return moved * sign * sd * 2**0.5


def watched(
    streams: list[Floats], blocks: Blocks, rule: SequentialRule = RULE, headroom: list[Floats] | None = None
) -> list[Monitor]:  # fmt: skip
    """Every state until no block is wanted."""
    states = [Monitor.of(rule, blocks, headroom)]
    while states[-1].wanted.any():
        used, wanted = states[-1].used, states[-1].wanted
        block = [one[start : start + more] for one, start, more in zip(streams, used, wanted, strict=True)]
        states.append(states[-1].fed(block))
    return states


def decided(streams: list[Floats], blocks: Blocks, rule: SequentialRule = RULE) -> SequentialDecision:
    return watched(streams, blocks, rule)[-1].decision


def share(decision: SequentialDecision, blocks: Blocks) -> float:
    return sum(decision.used) / int(blocks.sizes.sum())


def test_a_large_drop_is_refused_with_few_of_the_pairs() -> None:
    blocks = even(8)
    for seed in range(5):
        found = decided([deltas(-0.05, 500, 10 * seed + one) for one in range(8)], blocks)
        assert found.verdict == "refused"
        assert share(found, blocks) < 1 / 3
        assert found.interval[1] <= -RULE.margin, "the interval says why"


def test_a_clear_gain_passes_before_the_end() -> None:
    blocks = even(8)
    found = decided([deltas(0.03, 500, one, sd=0.1) for one in range(8)], blocks)
    assert found.verdict == "pass"
    assert share(found, blocks) < 0.8
    assert found.interval[0] > -RULE.margin


def test_identical_systems_are_never_refused_and_leave_the_end_to_the_fixed_rule() -> None:
    blocks = even(6)
    found = decided([np.zeros(500)] * 6, blocks, replace(RULE, margin=1e-4))
    assert found.verdict is None
    assert found.used == (500,) * 6


def test_looking_all_the_time_refuses_no_more_than_its_share_of_what_is_at_the_margin() -> None:
    """A naive test at every block refuses about every fourth of these; alpha x early is one in a hundred."""
    blocks = even(4, 250)
    rule = replace(RULE, min_drop=0.5, early=0.2)
    verdicts = [
        decided([deltas(-rule.margin, 250, 1000 + 4 * seed + one) for one in range(4)], blocks, rule).verdict
        for seed in range(120)
    ]
    assert len([verdict for verdict in verdicts if verdict]) <= 3


def test_a_collapsed_language_refuses_although_the_macro_mean_is_well() -> None:
    blocks = even(12)
    streams = [deltas(0.01, 500, one) for one in range(11)] + [deltas(-0.08, 500, 99)]
    found = decided(streams, blocks)
    assert (found.verdict, found.collapsed) == ("refused", (11,))
    assert share(found, blocks) < 0.9


def test_no_early_pass_hides_a_collapse() -> None:
    """The macro mean is certain early; the collections that are not go on alone, and here one of them has fallen."""
    blocks = even(12)
    streams = [np.tile([0.1, 0.0, 0.0, 0.0], 125) for _ in range(11)] + [np.tile([-0.4, 0.2, 0.0, 0.0, 0.0], 100)]
    states = watched(streams, blocks)
    certain = [state.macro_certain for state in states].index(True)
    assert states[certain].decision.verdict is None, "the macro mean alone passes nobody"
    assert states[-1].decision.verdict == "refused"
    assert states[-1].decision.collapsed == (11,)


def test_once_the_macro_mean_is_certain_only_doubtful_collections_are_scored() -> None:
    blocks = even(6)
    streams = [np.tile([0.1, 0.0, 0.0, 0.0], 125) for _ in range(5)] + [np.tile([0.5, -0.5, 0.0, 0.0], 125)]
    states = watched(streams, blocks)
    found = states[-1].decision
    assert found.verdict == "pass"
    assert max(found.used[:5]) < 500
    assert found.used[5] == 500, "no pass before this one is used up"
    certain = next(state for state in states if state.macro_certain)
    assert states[-1].decision.interval == certain.decision.interval, "the interval is of balanced queries only"


def test_a_small_drop_of_one_collection_is_no_collapse() -> None:
    """Certain as it is: a drop below the declared one is let through."""
    blocks = even(6)
    streams = [np.tile([0.05, 0.0], 250) for _ in range(5)] + [np.full(500, -0.019)]
    last = watched(streams, blocks)[-1]
    assert last.below[5]
    assert last.decision.verdict == "pass"
    assert last.decision.collapsed == ()


def test_a_certain_loss_within_the_margin_passes() -> None:
    """The question is never whether the candidate is worse, but whether it is worse by the margin."""
    found = decided([np.full(500, -0.003)] * 8, even(8))
    assert found.verdict == "pass"
    assert found.interval[1] < 0


def test_what_was_certain_once_stays_certain() -> None:
    """The bounds hold at all blocks together, so a lucky start that clears a collection is paid for already."""
    blocks = even(3, 300)
    turning = np.concatenate([np.full(60, 0.4), np.full(240, -0.2)])
    rule = replace(RULE, margin=0.4, min_drop=0.05)
    states = watched([turning, np.zeros(300), np.zeros(300)], blocks, replace(rule, alpha=1e-300))
    assert any(state.above[0] for state in states)
    for before, after in itertools.pairwise(states):
        assert (before.above <= after.above).all()
        assert (before.below <= after.below).all()


def test_small_collections_may_drop_further() -> None:
    streams = [np.tile([0.05, 0.0], 100) for _ in range(5)] + [np.tile([-0.025, -0.0251], 75)]
    blocks = planned([200] * 5 + [150])
    assert decided(streams, blocks).collapsed == ()
    assert decided(streams, blocks, replace(RULE, small=100)).collapsed == (5,)


def test_a_collection_without_queries_left_is_judged_by_the_fixed_rule_at_once() -> None:
    """50 queries: too few for a bound that may be looked at, enough for a test at their end."""
    blocks = planned([500, 500, 500, 50])
    streams = [deltas(0.02, 500, one) for one in range(3)] + [np.tile([-0.15, -0.2, 0.05, 0.0, -0.1], 10)]
    states = watched(streams, blocks)
    assert states[-1].decision.verdict == "refused"
    assert states[-1].decision.collapsed == (3,)
    assert not states[-1].below[3]
    assert states[-1].used[3] == 50
    assert share(states[-1].decision, blocks) < 0.2


def test_one_query_collapses_nothing() -> None:
    blocks = planned([300, 1])
    found = decided([np.zeros(300), np.array([-1.0])], blocks)
    assert found.collapsed == ()


def test_the_less_is_spent_early_the_later_it_stops() -> None:
    blocks = even(8)
    streams = [deltas(-0.03, 500, one) for one in range(8)]
    used = [sum(decided(streams, blocks, replace(RULE, early=early)).used) for early in (1.0, 0.2, 0.01)]
    assert used == sorted(used)
    assert used[0] < used[-1]


def test_each_way_to_be_wrong_has_its_own_alpha() -> None:
    blocks = even(8)
    drop, gain = ([deltas(mean, 500, one, sd=0.1) for one in range(8)] for mean in (-0.03, 0.03))
    strict = 1e-12
    assert decided(drop, blocks, replace(RULE, refusal_alpha=strict)).blocks > decided(drop, blocks).blocks
    assert decided(drop, blocks, replace(RULE, alpha=strict)).blocks == decided(drop, blocks).blocks
    assert sum(decided(gain, blocks, replace(RULE, alpha=strict)).used) > sum(decided(gain, blocks).used)
    assert decided(gain, blocks, replace(RULE, refusal_alpha=strict)).used == decided(gain, blocks).used


def test_evidence_of_an_earlier_pattern_is_neither_lost_nor_counted_twice() -> None:
    """Collections that are used up change the stakes: old bets stop, and all together keep the first wealth of one."""
    blocks = planned([400, 400, 30])
    streams = [deltas(0.0, 400, 1), deltas(0.0, 400, 2), deltas(0.0, 30, 3)]
    rule = replace(RULE, min_drop=0.9, min_drop_small=0.9, margin=0.001)
    states = watched(streams, blocks, rule)
    patterns = max(blocks.patterns[:-1]) + 1
    for state in states[1:]:
        assert len(state.gains) <= patterns
        whole = averaged(state.gains, of=patterns).bound(rule.alpha * rule.early)
        assert state.decision.interval[0] == whole
    started = [state for state in states if state.blocks and blocks.patterns[state.blocks - 1] == 1]
    assert len(started[0].gains) == 2
    assert started[0].gains[0] is states[started[0].blocks - 1].gains[0]


def test_a_state_never_changes() -> None:
    start = Monitor.of(RULE, even(3, 100))
    block = [np.full(int(more), 0.1) for more in start.wanted]
    assert start.fed(block).decision == start.fed(block).decision
    assert start.used.tolist() == [0, 0, 0]


def test_a_block_that_was_not_asked_for_is_refused() -> None:
    start = Monitor.of(RULE, even(3, 100))
    with pytest.raises(ValueError, match="the next block has"):
        start.fed([np.zeros(1)] * 3)
    ended = watched([np.full(100, -0.9)] * 3, even(3, 100))[-1]
    assert ended.decision.verdict == "refused"
    with pytest.raises(ValueError, match="the next block has"):
        ended.fed([np.zeros(20)] * 3)


def test_many_collections_share_one_alpha() -> None:
    """40 collections that are no worse, each with its own chance of a false alarm: together one in two is allowed."""
    blocks = even(40, 60)
    rule = SequentialRule(margin=0.9, local_alpha=0.5, early=1.0, min_drop=0.0, min_drop_small=0.0)
    refused = [
        decided([deltas(0.0, 60, 40 * seed + one, sd=0.5) for one in range(40)], blocks, rule).collapsed != ()
        for seed in range(25)
    ]
    assert sum(refused) / len(refused) <= 0.5


def test_looking_at_parallel_languages_errs_no_more_often_than_promised() -> None:
    """The languages of a question move together. Taken as ten queries, its evidence would be counted ten times."""
    blocks = parallel(10, 150)
    rule = replace(RULE, min_drop=0.9, min_drop_small=0.9, early=1.0, alpha=0.1, refusal_alpha=0.1)
    verdicts = [
        decided([deltas(-rule.margin, 150, 5000 + seed, sd=0.3)] * 10, blocks, rule).verdict for seed in range(100)
    ]
    assert verdicts.count("refused") <= 10 and verdicts.count("pass") <= 10


def test_one_question_in_all_languages_is_one_draw_with_one_average_difference() -> None:
    """Three languages that say the same decide like one; that they move apart makes their average surer."""
    stream = deltas(-0.03, 500, 1, sd=0.2)
    alone, together = decided([stream], planned([500])), decided([stream] * 3, parallel(3, 500))
    assert (together.verdict, together.blocks) == (alone.verdict, alone.blocks)
    assert together.interval == pytest.approx(alone.interval)
    apart = decided([deltas(-0.03, 500, seed, sd=0.2) for seed in range(3)], parallel(3, 500))
    assert apart.verdict == "refused" and apart.blocks < alone.blocks


def test_the_anytime_interval_holds_for_languages_that_differ_and_lack_questions() -> None:
    """A question drops or gains in all its languages; the one language that has every third of them is better."""
    some = Questions("set", tuple(f"q{place}" for place in range(0, 120, 3)))
    blocks = plan(Design((questions("en", 120, "set"), some, questions("own", 80))))
    nobody = replace(RULE, alpha=1e-200, refusal_alpha=1e-200, local_alpha=1e-200, early=1.0)
    means, left = {"en": -0.1, "some": 0.2, "own": 0.05}, 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        of = {name: dict(zip(ids, generator.choice([-0.5, 0.5], len(ids)), strict=True))
              for name, ids in blocks.whole.sets.items()}  # fmt: skip
        own = zip(blocks.whole.collections, means.values(), strict=True)
        streams = [np.array([of[one.drawn_from][id] + mean for id in one.ids]) for one, mean in own]
        states = watched(streams, blocks, nobody)[1:]
        asked = replace(nobody, alpha=0.1, refusal_alpha=0.1)
        bounds = [replace(state, rule=asked).decision.interval for state in states]
        left += any(not low <= 0.05 <= high for low, high in bounds)
    assert len(states) == len(blocks.counts) > 3
    assert left <= 20


def test_so_few_queries_that_there_is_one_block_are_left_to_the_fixed_rule() -> None:
    found = decided([np.full(5, 0.9), np.full(4, 0.9)], planned([5, 4]))
    assert found.verdict is None
    assert found.used == (5, 4)


CLAIMED = replace(RULE, claimed=(0,))


def test_an_early_pass_shows_every_claimed_collection() -> None:
    blocks = even(8)
    streams = [deltas(0.03, 500, one, sd=0.1) for one in range(8)]
    found = watched(streams, blocks, replace(RULE, claimed=tuple(range(8))))[-1]
    assert found.decision.verdict == "pass"
    assert found.shown.all()


def test_a_claimed_collection_that_is_not_shown_is_read_to_its_end_with_all_others() -> None:
    """Its mean is above the drop that counts as a collapse, but a loss of 5 points is not excluded."""
    blocks = even(6)
    doubtful = np.tile([1.0, -1.0, 0.0, 0.0], 125)
    streams = [doubtful, *(np.tile([0.1, 0.0, 0.0, 0.0], 125) for _ in range(5))]
    assert decided(streams, blocks).verdict == "pass", "without the claim it passes early"
    found = decided(streams, blocks, CLAIMED)
    assert found.verdict is None, "the fixed-size rule decides"
    assert found.used == (500,) * 6


def test_a_small_claimed_collection_that_ends_early_is_decided_by_the_fixed_size_bound() -> None:
    blocks = planned([60, 500, 500])
    streams = [np.tile([0.05, -0.05], 30), *(np.tile([0.1, 0.0], 250) for _ in range(2))]
    found = watched(streams, blocks, CLAIMED)[-1]
    assert not found.shown[0], "betting needs more than 60 questions for that"
    assert found.decision.verdict == "pass"


def test_a_claim_at_a_small_alpha_takes_more_queries() -> None:
    blocks, streams = even(4), [np.tile([0.2, 0.0, -0.05, 0.0], 125) for _ in range(4)]
    claimed = replace(RULE, claimed=(0, 1, 2, 3))
    one, many = (decided(streams, blocks, replace(claimed, alpha=alpha)) for alpha in (0.05, 0.0005))
    assert sum(one.used) < sum(many.used)


ROOM = np.tile([0.04, 0.1, 0.3], 200)


def lost(seed: int, mean: float, languages: int = 1) -> list[Floats]:
    """Small differences that never exceed `ROOM`."""
    moved = np.random.default_rng(seed).normal(mean, 0.05, (languages, 600))
    return list(np.minimum(moved, ROOM))


def test_known_headroom_refuses_a_loss_in_a_parallel_set_with_fewer_questions() -> None:
    blocks = parallel(3, 600)
    for seed in range(3):
        streams = lost(seed, -0.035, 3)
        bounded, plain = watched(streams, blocks, headroom=[ROOM] * 3)[-1], watched(streams, blocks)[-1]
        assert bounded.decision.verdict == plain.decision.verdict == "refused"
        assert bounded.used[0] < 0.75 * plain.used[0]
        assert bounded.decision.interval[1] <= -RULE.margin, "the interval says why"


def test_looking_with_known_headroom_refuses_no_more_than_its_share_of_what_is_at_the_margin() -> None:
    """The candidate wins where it can win much, and loses a little everywhere else: few questions look like a loss."""
    blocks, rule = planned([300]), replace(RULE, early=1.0, refusal_alpha=0.1, min_drop=0.9, local_alpha=1e-9)
    refused = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        rare = generator.random(300) < 0.03
        room = np.where(rare, 1.0, 0.05)
        stream = np.where(rare, 1.0, -0.035 / 0.97)
        refused += decided_with([stream], blocks, rule, [room]) == "refused"
    assert refused <= 16


def decided_with(streams: list[Floats], blocks: Blocks, rule: SequentialRule, headroom: list[Floats]) -> str | None:
    return watched(streams, blocks, rule, headroom)[-1].decision.verdict


def test_evidence_from_the_headroom_ends_with_the_partners_and_is_kept() -> None:
    blocks = planned([600])
    states = watched(lost(1, 0.0), blocks, replace(RULE, margin=0.001), [ROOM])
    ended = states[blocks.partnered].bounded
    assert ended is not None and ended is not states[blocks.partnered - 1].bounded
    assert states[-1].bounded is ended and len(states) - 1 > blocks.partnered


def test_headroom_is_not_used_where_no_question_has_a_partner() -> None:
    blocks = planned([500, 50])
    streams = [deltas(-0.05, 500, 1), deltas(-0.05, 50, 2)]
    without = watched(streams, blocks)[-1].decision
    assert watched(streams, blocks, headroom=[np.ones(500), np.ones(50)])[-1].decision == without

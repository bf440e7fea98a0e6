"""One line of a table: what was gained, of how much that could be gained, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.evaluation import Evaluation
from harness.measuring.measures import parse
from harness.summary import Summary, parts, shares, summarise, votes
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters"
NDCG = parse("nDCG@10")


def summaries(*evaluations: Evaluation) -> Summary:
    return summarise(evaluations, NDCG)


def test_a_perfect_order_gains_the_whole_headroom_and_a_spoilt_one_loses_some(place: Place) -> None:
    first, best, worst = place.evaluations(rerankers=["control:oracle", "control:anti-oracle"], depth=8)
    gained = summaries(best)
    assert gained.headroom == pytest.approx(1)
    assert gained.value == pytest.approx(gained.ceiling) == 1
    assert gained.delta == pytest.approx(1 - summaries(first).value)
    lost = summaries(worst)
    assert lost.headroom is not None
    assert lost.headroom < 0
    assert lost.delta < 0


def test_the_first_stage_differs_from_itself_by_nothing(place: Place) -> None:
    (first,) = place.evaluations()
    found = summaries(first)
    assert (found.delta, found.delta_interval, found.moved, found.headroom) == (0, (0, 0), False, 0)


def test_where_nothing_was_left_to_gain_there_is_no_headroom(place: Place) -> None:
    lines = ["q1 Q0 d1 1 3 t", "q1 Q0 d4 1 2 t", "q2 Q0 d3 1 1 t", "q3 Q0 d5 1 1 t", "q4 Q0 d8 1 1 t"]
    _, best = place.evaluations(rerankers=["control:oracle"], first=f"run:{place.run_file(lines)}")
    assert summaries(best).headroom is None
    assert summaries(best).delta == 0


def test_the_interval_holds_the_value_and_has_a_width(place: Place) -> None:
    found = summaries(place.evaluations(rerankers=[f"{FAKE}:Plain"], depth=8)[1])
    low, high = found.interval
    assert low < found.value < high
    assert found.delta_interval[0] <= found.delta <= found.delta_interval[1]
    assert found.value == pytest.approx(found.delta + summaries(place.evaluations(depth=8)[0]).value)


def test_a_difference_has_moved_when_its_interval_leaves_zero_out(place: Place) -> None:
    first, worst = place.evaluations(rerankers=["control:anti-oracle"], depth=8)
    assert summaries(worst).moved
    assert summaries(worst).delta_interval[1] < 0
    assert not replace(summaries(first), delta_interval=(-0.1, 0.2)).moved
    assert not replace(summaries(first), delta_interval=(math.nan, math.nan)).moved


def test_one_query_has_no_interval(place: Place) -> None:
    collection = place.load(place.beir("single", queries={"q1": "ferry"}, qrels=[("q1", "d4", 1)]))
    _, best = place.evaluations(collection, rerankers=["control:oracle"])
    found = summaries(best)
    assert all(map(math.isnan, (*found.interval, *found.delta_interval)))
    assert found.value == 1
    assert not found.moved


def test_every_collection_has_the_same_weight_however_many_queries_it_has(place: Place) -> None:
    one = place.load()
    other = place.load(
        place.beir("small", queries={"q1": "ferry", "q2": "bread"}, qrels=[("q1", "d6", 1), ("q2", "d1", 1)])
    )
    evaluations = place.evaluations(one, other, rerankers=[f"{FAKE}:Plain"])
    mine = [done for done in evaluations if done.system.reranker]
    found = summaries(*mine)
    assert [len(done.values[0]) for done in mine] == [4, 2]
    assert found.value == pytest.approx(np.mean([done.values.mean() for done in mine]))
    assert found.value != pytest.approx(np.concatenate([done.values[0] for done in mine]).mean())
    for figure in ("delta", "ceiling", "chance", "tie_span"):
        assert getattr(found, figure) == pytest.approx(np.mean([getattr(summaries(done), figure) for done in mine]))
    assert found.interval[0] < found.value < found.interval[1]


def test_a_group_has_one_vote_however_many_members_it_has(place: Place) -> None:
    forum = place.load(place.beir("forum", rules='group = "forums"'))
    other = place.load(place.beir("other", queries={"q1": "ferry", "q2": "bread"}, qrels=[("q1", "d6", 1)]))
    small = place.load(
        place.beir("small", queries={"q1": "tide", "q2": "mill"}, qrels=[("q1", "d2", 1), ("q2", "d3", 1)])
    )
    grouped = replace(small, group="forums")
    assert votes([forum, other, grouped]).tolist() == [0.25, 0.5, 0.25]
    assert parts([forum, other, grouped]) == [[forum, grouped], [other]]
    assert votes([forum, other, small]) == pytest.approx([1 / 3] * 3)
    assert votes([forum, grouped]).tolist() == [0.5, 0.5]
    first, second, third = place.evaluations(forum, other, grouped, rerankers=[f"{FAKE}:Plain"])[1::2]
    found = summaries(first, second, third)
    for figure in ("value", "delta", "ceiling", "chance", "tie_span"):
        each = [getattr(summaries(done), figure) for done in (first, second, third)]
        assert getattr(found, figure) == pytest.approx(((each[0] + each[2]) / 2 + each[1]) / 2)


def test_the_interval_of_a_group_is_that_of_its_one_vote(place: Place) -> None:
    # Only in one forum do the queries differ: what is left of its width is its share of the vote.
    forum = place.load(place.beir("forum", rules='group = "forums"'))
    others = [
        place.load(
            place.beir(name, queries={"q1": "x", "q2": "y"}, qrels=[("q1", name, 1), ("q2", name, 1)], rules=rules)
        )
        for name, rules in (("d1", 'group = "forums"'), ("d2", 'group = "forums"'), ("d3", ""))
    ]
    wild, *still = place.evaluations(forum, *others, rerankers=["control:oracle"], depth=8)[1::2]
    low, high = summaries(wild).delta_interval
    assert [summaries(done).delta_interval[1] - summaries(done).delta_interval[0] for done in still] == [0, 0, 0]
    together = summaries(wild, *still).delta_interval
    assert together[1] - together[0] == pytest.approx((high - low) / 6)


def test_the_order_of_measures_does_not_matter(place: Place) -> None:
    one, other = (
        place.evaluations(measures=names, rerankers=["control:random"])[1]
        for names in (["nDCG@10", "R@2"], ["R@2", "nDCG@10"])
    )
    assert summaries(one) == summaries(other)


def test_the_members_of_a_group_share_one_vote_by_its_name_alone() -> None:
    assert shares(["forums", None, "forums", None, "splits"]).tolist() == pytest.approx(
        [1 / 8, 1 / 4, 1 / 8, 1 / 4, 1 / 4]
    )
    assert shares([None, None]).tolist() == [0.5, 0.5]

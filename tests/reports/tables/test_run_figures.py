"""The figures of a run: what was gained, of how much that could be gained, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Design
from harness.measuring.statistics.difference import difference
from harness.measuring.votes import parts, shares
from harness.result.evaluation import Evaluation
from harness.result.figure import Figure
from reports.tables.run import sheet_of
from tests.tiny_collection import Place, results_in

FAKE = "tests.fake_adapters"
NDCG = "nDCG@10"


SIZES = {"one": 9, "two": 8, "three": 7}
WORDS = ("ferry", "bread", "tide", "mill", "harbour", "island", "boat", "baker", "storm")


def many(count: int, end: str = "") -> dict[str, str]:
    """Queries."""
    return {f"q{place}": f"{WORDS[place % len(WORDS)]} {end}" for place in range(count)}


def answers(count: int) -> list[tuple[str, str, int]]:
    """Judgments of them."""
    return [(f"q{place}", f"d{1 + place % 8}", 1) for place in range(count)]


def in_set(evaluation: Evaluation) -> Evaluation:
    """The same, of a collection that belongs to a parallel set."""
    collection = copy(evaluation.collection)
    object.__setattr__(collection, "parallel", "set")
    return replace(evaluation, ground=replace(evaluation.ground, collection=collection))


def average(*evaluations: Evaluation) -> Figure:
    """The figure of the last system over the collections of these evaluations."""
    return of(evaluations, evaluations[-1].system.label)


def of(evaluations: Iterable[Evaluation], system: str, collection: str | None = None) -> Figure:
    """The figure of a system on a collection. Default: on all collections."""
    sheet = sheet_of(results_in(evaluations), NDCG)
    (key,) = (one for one in sheet.grid.systems if one.label == system)
    titles = [one.title for one in sheet.columns]
    return sheet.figure(key, len(titles) - 1 if collection is None else titles.index(collection))


def test_a_perfect_order_gains_the_whole_headroom_and_a_spoilt_one_loses_some(place: Place) -> None:
    first, best, worst = place.evaluations(rerankers=["control:oracle", "control:anti-oracle"], depth=8)
    gained = average(first, best)
    assert gained.headroom == pytest.approx(1)
    assert gained.value == pytest.approx(gained.ceiling) == 1
    assert gained.delta == pytest.approx(1 - (average(first).value or 0))
    lost = average(first, worst)
    assert lost.headroom is not None
    assert lost.headroom < 0
    assert (lost.delta or 0) < 0


def test_the_first_stage_has_no_difference_to_itself(place: Place) -> None:
    (first,) = place.evaluations()
    found = average(first)
    assert (found.difference, found.significant, found.headroom) == (None, False, None)


def test_where_nothing_was_left_to_gain_there_is_no_headroom(place: Place) -> None:
    lines = ["q1 Q0 d1 1 3 t", "q1 Q0 d4 1 2 t", "q2 Q0 d3 1 1 t", "q3 Q0 d5 1 1 t", "q4 Q0 d8 1 1 t"]
    found = average(*place.evaluations(rerankers=["control:oracle"], first=f"run:{place.run_file(lines)}"))
    assert found.headroom is None
    assert found.delta == 0


def test_the_interval_holds_the_value_and_has_a_width(place: Place) -> None:
    first, second = place.evaluations(rerankers=[f"{FAKE}:Plain"], depth=8)
    found = average(first, second)
    assert found.interval is not None and found.value is not None and found.delta is not None
    assert found.interval[0] < found.value < found.interval[1]
    assert found.value == pytest.approx(found.delta + (average(first).value or 0))


def test_a_run_corrects_over_its_systems_and_each_system_over_its_collections(place: Place) -> None:
    collections = [
        place.load(place.beir(name, queries=many(size), qrels=answers(size))) for name, size in SIZES.items()
    ]
    evaluations = place.evaluations(*collections, rerankers=["control:anti-oracle", f"{FAKE}:Plain"], depth=8)
    worst = [done for done in evaluations if done.system.label == "control:anti-oracle"]
    moved = [done.values[0] - done.ground.first_stage[0] for done in worst]
    asked = tuple(questions_of(one) for one in collections)
    alone = difference(Design(asked), moved)
    whole = of(evaluations, "control:anti-oracle").difference
    assert whole is not None and whole.significant
    assert whole.value == pytest.approx(alone.value)
    assert whole.interval == pytest.approx(alone.interval)
    assert (whole.p, whole.family) == (alone.p, 2)
    local = of(evaluations, "control:anti-oracle", "one").difference
    assert local is not None
    assert (local.p, local.family) == (difference(Design(asked[:1]), moved[:1]).p, 3)
    without = [done for done in evaluations if done.system.label != f"{FAKE}:Plain"]
    assert of(without, "control:anti-oracle", "one").difference == local, "another system changes nothing"
    assert of(without, "control:anti-oracle").difference.family == 1  # type: ignore[union-attr]


def test_the_collections_of_a_parallel_set_count_as_questions(place: Place) -> None:
    """Counted as queries the interval would be narrower."""
    texts = {"de": "x", "sw": "y", "th": "z"}
    collections = [place.load(place.beir(name, queries=many(9, end), qrels=answers(9))) for name, end in texts.items()]
    evaluations = place.evaluations(*collections, rerankers=["control:anti-oracle"], depth=8)
    apart = of(evaluations, "control:anti-oracle")
    together = of(map(in_set, evaluations), "control:anti-oracle")
    moved = np.mean([done.values[0] - done.ground.first_stage[0] for done in evaluations[1::2]], axis=0)
    by_hand = difference(Design((replace(questions_of(collections[0]), drawn_from="set"),)), [moved])
    assert together.difference is not None and apart.difference is not None
    assert together.difference.p == by_hand.p
    assert together.difference.interval == pytest.approx(by_hand.interval)
    assert together.difference.interval != pytest.approx(apart.difference.interval)


def test_one_query_has_no_interval(place: Place) -> None:
    collection = place.load(place.beir("single", queries={"q1": "ferry"}, qrels=[("q1", "d4", 1)]))
    found = average(*place.evaluations(collection, rerankers=["control:oracle"]))
    assert (found.interval, found.delta_interval) == (None, None)
    assert found.value == 1
    assert not found.significant


def test_every_collection_has_the_same_weight_however_many_queries_it_has(place: Place) -> None:
    one = place.load()
    other = place.load(
        place.beir("small", queries={"q1": "ferry", "q2": "bread"}, qrels=[("q1", "d6", 1), ("q2", "d1", 1)])
    )
    evaluations = place.evaluations(one, other, rerankers=[f"{FAKE}:Plain"])
    mine = [done for done in evaluations if done.system.reranker]
    found = average(*evaluations)
    assert [len(done.values[0]) for done in mine] == [4, 2]
    assert found.value == pytest.approx(np.mean([done.values.mean() for done in mine]))
    assert found.value != pytest.approx(np.concatenate([done.values[0] for done in mine]).mean())
    for figure in ("delta", "ceiling", "chance", "tie_span"):
        each = [getattr(average(*evaluations[place : place + 2]), figure) for place in (0, 2)]
        assert getattr(found, figure) == pytest.approx(np.mean(each))
    assert found.interval is not None and found.value is not None
    assert found.interval[0] < found.value < found.interval[1]


def test_a_group_has_one_vote_however_many_members_it_has(place: Place) -> None:
    forum = place.load(place.beir("forum", rules='group = "forums"'))
    other = place.load(place.beir("other", queries={"q1": "ferry", "q2": "bread"}, qrels=[("q1", "d6", 1)]))
    small = place.load(
        place.beir("small", queries={"q1": "tide", "q2": "mill"}, qrels=[("q1", "d2", 1), ("q2", "d3", 1)])
    )
    grouped = replace(small, group="forums")
    assert parts([forum, other, grouped]) == [[forum, grouped], [other]]
    evaluations = place.evaluations(forum, other, grouped, rerankers=[f"{FAKE}:Plain"])
    found = average(*evaluations)
    for figure in ("value", "delta", "ceiling", "chance", "tie_span"):
        each = [getattr(average(*evaluations[at : at + 2]), figure) for at in (0, 2, 4)]
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
    wild, *still = place.evaluations(forum, *others, rerankers=["control:identity"], depth=8)[1::2]
    low, high = average(wild).interval or (0, 0)
    assert all(abs(np.ptp(average(done).interval or (0, 1))) < 1e-12 for done in still)
    together = average(wild, *still).interval or (0, 0)
    assert together[1] - together[0] == pytest.approx((high - low) / 6)


def test_the_order_of_measures_does_not_matter(place: Place) -> None:
    one, other = (
        place.evaluations(measures=names, rerankers=["control:random"])
        for names in (["nDCG@10", "R@2"], ["R@2", "nDCG@10"])
    )
    assert average(*one).as_dict() == average(*other).as_dict()


def test_the_members_of_a_group_share_one_vote_by_its_name_alone() -> None:
    assert shares(["forums", None, "forums", None, "splits"]).tolist() == pytest.approx(
        [1 / 8, 1 / 4, 1 / 8, 1 / 4, 1 / 4]
    )
    assert shares([None, None]).tolist() == [0.5, 0.5]
    assert shares(["forums", "forums"]).tolist() == [0.5, 0.5]

"""Two systems are compared on the same queries and candidates, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from harness.judging.compare.paired import design_of, joined, paired_of, weights
from harness.judging.compare.side import fresh_side, stored_side, together
from harness.measuring.statistics.design import Questions
from harness.result.evaluation import Evaluation
from harness.result.store import Results
from harness.scoring.system import MadeOf
from tests.tiny_collection import QUERIES, Place

REVERSE = "control:reverse"
MEASURE = "nDCG@10"


def asked(*ids: str) -> Questions:
    return Questions("another", ids)


def two(place: Place) -> tuple[Evaluation, Evaluation]:
    first, reverse = place.evaluations(rerankers=[REVERSE])
    return first, reverse


def test_fresh_and_stored_evaluations_make_the_same_pairs(place: Place) -> None:
    first, reverse = two(place)
    (fresh,) = paired_of([first], [reverse], MEASURE)
    with Results(place.workspace.results) as results:
        found = [stored_side(results, results.find(one.id), MEASURE) for one in (first, reverse)]
    stored = joined(*found)
    assert fresh.queries == stored.queries == tuple(QUERIES)
    assert fresh.deltas.tolist() == stored.deltas.tolist() == (reverse.values[0] - first.values[0]).tolist()
    assert fresh.deltas.any()
    assert fresh.questions == stored.questions == Questions(first.collection.fingerprint, tuple(QUERIES))
    plain = (fresh.collection, fresh.split, fresh.fingerprint, fresh.baseline_id, fresh.candidate_id)
    assert plain == (stored.collection, stored.split, stored.fingerprint, first.id, reverse.id)
    assert fresh.same_candidates
    assert stored.same_candidates


def test_other_candidates_are_refused_and_both_are_named(place: Place) -> None:
    _, reverse = two(place)
    (shallow, *_) = place.evaluations(depth=2)
    with pytest.raises(
        DataError, match=rf"at depth 5 \({reverse.id}\).*at depth 2 \({shallow.id}\).*--unpaired-first-stages"
    ):
        paired_of([reverse], [shallow], MEASURE)
    (marked,) = paired_of([reverse], [shallow], MEASURE, unpaired=True)
    assert not marked.same_candidates


def test_a_collection_that_one_side_lacks_is_refused(place: Place) -> None:
    first, reverse = two(place)
    other = place.load(place.beir("other", queries={"q1": QUERIES["q1"]}, qrels=[("q1", "d1", 1)]))
    (elsewhere,) = place.evaluations(other)
    with pytest.raises(DataError, match="other: not measured on the same queries by both"):
        paired_of([first, elsewhere], [reverse], MEASURE)
    with pytest.raises(DataError, match="coll, other: not measured on the same queries by both"):
        paired_of([first], [elsewhere], MEASURE)


def test_another_version_of_the_evaluator_is_refused(place: Place) -> None:
    first, reverse = two(place)
    older = replace(reverse, made_of=MadeOf({**reverse.made_of.content, "evaluator": 0}))
    with pytest.raises(DataError, match="measured by versions 1 and 0 of the evaluator"):
        paired_of([first], [older], MEASURE)


def test_other_queries_or_content_are_refused_one_by_one(place: Place) -> None:
    ours, theirs = (fresh_side(one, MEASURE) for one in two(place))
    with pytest.raises(DataError, match="different content, splits or samples"):
        joined(ours, replace(theirs, fingerprint="another"))
    with pytest.raises(DataError, match="have 3 queries in common, but not all"):
        joined(ours, replace(theirs, questions=asked("q1", "q2", "q3", "q9")))
    with pytest.raises(DataError, match="have no queries in common"):
        joined(ours, replace(theirs, questions=asked("a", "b", "c", "d")))


def test_a_measure_that_was_not_asked_for_is_refused(place: Place) -> None:
    first, reverse = two(place)
    with pytest.raises(UsageError, match=r"was not measured by RR@10"):
        paired_of([first], [reverse], "RR@10")


def test_the_members_of_a_group_share_one_vote(place: Place) -> None:
    first, reverse = two(place)
    (part,) = paired_of([first], [reverse], MEASURE)
    parts = [replace(part, group=group) for group in ("forums", None, "forums", "forums")]
    assert weights(parts) == pytest.approx([1 / 6, 1 / 2, 1 / 6, 1 / 6])
    assert design_of(parts).weights == pytest.approx(weights(parts))


def test_seeds_are_averaged_query_by_query_and_must_be_of_the_same_queries(place: Place) -> None:
    _, *evaluations = place.evaluations(rerankers=["control:random?seed=1", "control:random?seed=2"])
    sides = [fresh_side(one, MEASURE) for one in evaluations]
    group = together("random", [replace(sides[0], noise=0.01), replace(sides[1], noise=0.03)])
    assert group.values.tolist() == np.mean([one.values[0] for one in evaluations], axis=0).tolist()
    assert group.ids == tuple(one.id for one in evaluations)
    assert group.noise == 0.03
    for other in ({"questions": asked("a")}, {"candidates": "others"}, {"fingerprint": "another"}, {"evaluator": 0}):
        with pytest.raises(DataError, match="all members of a group need the same"):
            together("random", [sides[0], replace(sides[1], **other)])

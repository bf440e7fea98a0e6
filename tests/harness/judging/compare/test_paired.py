"""Two systems are compared on the same queries and candidates, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from harness.judging.compare.paired import design_of, joined, weights
from harness.judging.compare.side import ComparedSide, side_of, stored_side, together
from harness.measuring.half_noise import HalfNoise
from harness.measuring.statistics.design import Questions
from harness.result.evaluation import Evaluation
from harness.result.result import results_of
from harness.result.store import Results
from tests.tiny_collection import QUERIES, Place

REVERSE = "control:reverse"
MEASURE = "nDCG@10"


def two(place: Place) -> tuple[Evaluation, Evaluation]:
    first, reverse = place.evaluations(rerankers=[REVERSE])
    return first, reverse


def sides(place: Place, *evaluations: Evaluation) -> list[ComparedSide]:
    with Results(place.workspace.results) as results:
        return [stored_side(results, results.find(one.id), MEASURE) for one in evaluations]


def other(side: ComparedSide, **stored: Any) -> ComparedSide:
    """The side with other facts about its evaluation."""
    (result,) = side.results
    return replace(side, results=(replace(result, stored=replace(result.stored, **stored)),))


def asking(side: ComparedSide, *ids: str) -> ComparedSide:
    """The side with other queries."""
    (result,) = side.results
    return replace(side, results=(replace(result, ids=ids, values=np.zeros(len(ids))),))


def elsewhere(side: ComparedSide) -> ComparedSide:
    """The side on other content."""
    return other(side, collection=replace(side.collection, fingerprint="another"))


def test_a_side_is_the_same_from_the_store_and_from_a_run(place: Place) -> None:
    evaluations = two(place)
    first, reverse = evaluations
    pairs = [joined(*sides(place, *evaluations)), joined(*(side_of(results_of(one)[0]) for one in evaluations))]
    for found in pairs:
        assert found.queries == tuple(QUERIES)
        assert found.deltas.tolist() == (reverse.values[0] - first.values[0]).tolist()
        assert found.deltas.any()
        assert found.questions == Questions(first.collection.fingerprint, tuple(QUERIES))
        assert (found.collection, found.baseline_id, found.candidate_id) == ("coll", first.id, reverse.id)
        assert found.same_candidates


def test_other_candidates_are_refused_and_both_are_named(place: Place) -> None:
    _, reverse = two(place)
    (shallow, *_) = place.evaluations(depth=2)
    with pytest.raises(
        DataError, match=rf"at depth 5 \({reverse.id}\).*at depth 2 \({shallow.id}\).*--unpaired-first-stages"
    ):
        joined(*sides(place, reverse, shallow))
    assert not joined(*sides(place, reverse, shallow), unpaired=True).same_candidates


def test_another_version_of_the_evaluator_is_refused(place: Place) -> None:
    ours, theirs = sides(place, *two(place))
    with pytest.raises(DataError, match="measured by versions 1 and 0 of the evaluator"):
        joined(ours, other(theirs, identity={**theirs.stored.identity, "evaluator": 0}))


def test_other_queries_or_content_are_refused_one_by_one(place: Place) -> None:
    ours, theirs = sides(place, *two(place))
    with pytest.raises(DataError, match="different content, splits or samples"):
        joined(ours, elsewhere(theirs))
    with pytest.raises(DataError, match="have 3 queries in common, but not all"):
        joined(ours, asking(theirs, "q1", "q2", "q3", "q9"))
    with pytest.raises(DataError, match="have no queries in common"):
        joined(ours, asking(theirs, "a", "b", "c", "d"))


def test_a_measure_that_was_not_asked_for_is_refused(place: Place) -> None:
    first, _ = two(place)
    with Results(place.workspace.results) as results, pytest.raises(UsageError, match=r"no stored values of RR@10"):
        stored_side(results, results.find(first.id), "RR@10")


def test_the_members_of_a_group_share_one_vote(place: Place) -> None:
    part = joined(*sides(place, *two(place)))
    parts = [replace(part, group=group) for group in ("forums", None, "forums", "forums")]
    assert weights(parts) == pytest.approx([1 / 6, 1 / 2, 1 / 6, 1 / 6])
    assert design_of(parts).weights == pytest.approx(weights(parts))


def test_seeds_are_averaged_query_by_query_and_must_be_of_the_same_queries(place: Place) -> None:
    _, *evaluations = place.evaluations(rerankers=["control:random?seed=1", "control:random?seed=2"])
    one, two = sides(place, *evaluations)
    group = together("random", [replace(one, noise=0.01), replace(two, noise=0.03)])
    assert group.values.tolist() == np.mean([one.values[0] for one in evaluations], axis=0).tolist()
    assert group.ids == tuple(one.id for one in evaluations)
    assert group.noise == 0.03
    for different in (asking(two, "a"), other(two, candidates="x"), elsewhere(two), other(two, identity={})):
        with pytest.raises(DataError, match="all members of a group need the same"):
            together("random", [one, different])


def of_format(side: ComparedSide, dtype: str | None) -> ComparedSide:
    """The side, of a system that computes in a number format."""
    return other(
        side, identity={**side.stored.identity, "reranker": {"adapter": "a", **({"dtype": dtype} if dtype else {})}}
    )


def test_two_number_formats_are_refused_by_name(place: Place) -> None:
    first, reverse = sides(place, *two(place))
    with pytest.raises(DataError) as refused:
        joined(of_format(first, "float32"), of_format(reverse, "bfloat16"), unpaired=True)
    assert str(refused.value) == (
        f"coll: '{first.system}' ({first.ids[0]}) was scored in float32, '{REVERSE}' ({reverse.ids[0]}) was scored in "
        "bfloat16; score both in one number format, as in harness run --dtype float32. `harness check MODEL --dtype "
        "bfloat16` says what the format of one model changes"
    )


@pytest.mark.parametrize("formats", [("bfloat16", "bfloat16"), ("bfloat16", None), (None, "float16"), (None, None)])
def test_one_number_format_and_systems_without_one_are_compared(
    place: Place, formats: tuple[str | None, str | None]
) -> None:
    made = sides(place, *two(place))
    assert joined(*map(of_format, made, formats)).queries


def test_seeds_of_two_number_formats_are_refused(place: Place) -> None:
    first, reverse = sides(place, *two(place))
    group = together("both", [of_format(reverse, "float32"), of_format(reverse, "float16")])
    with pytest.raises(DataError, match="was scored in float16 and float32"):
        joined(first, group)


def test_the_floor_of_half_precision_is_the_noise_of_a_side(place: Place) -> None:
    _, reverse = two(place)
    noise = HalfNoise(1, 10, 0.1, 0.1, 0.1, {MEASURE: 0.02})
    with Results(place.workspace.results) as results:
        stored = results.find(reverse.id)
        noisy = replace(stored, audit=replace(stored.audit, noise=noise))
        assert stored_side(results, noisy, MEASURE).noise == 0.02
        results.keep_noise(reverse.id, MEASURE, 0.05)
        assert stored_side(results, noisy, MEASURE).noise == 0.05
        assert stored_side(results, stored, MEASURE).noise == 0.05

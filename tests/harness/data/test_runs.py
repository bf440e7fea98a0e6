"""A run orders, cuts and names candidates exactly as trec_eval would, whatever the order of its rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import DataError
from harness.data.runs import Run, build, cut, without_identical_ids

IDS = ["d1", "d10", "d2", "Z", "z", "é", "漢", "𝒳", "~", "d1a"]
"""In no order: neither of bytes, nor of code points in UTF-16, nor of rows."""


def ids(rows: np.typing.NDArray[np.integer]) -> list[str]:
    return [IDS[row] for row in rows]


def run_of(*queries: Sequence[tuple[int, float]]) -> Run:
    """A run of (row of IDS, score) lists."""
    offsets = np.cumsum([0, *map(len, queries)])
    rows = [pair for query in queries for pair in query]
    return build(offsets, np.array([d for d, _ in rows], int), np.array([s for _, s in rows], np.float32), ids)


def ranked(run: Run) -> list[list[str]]:
    """The ids of every query, best first."""
    names = ids(run.documents[run.order()])
    return [names[start:stop] for start, stop in zip(run.offsets[:-1], run.offsets[1:], strict=True)]


def test_equal_scores_are_ordered_by_the_bytes_of_the_id_larger_first() -> None:
    (found,) = ranked(run_of([(row, 1.0) for row in range(len(IDS))]))
    assert found == sorted(IDS, key=str.encode, reverse=True)


def test_the_tie_order_is_that_of_trec_eval() -> None:
    best = ranked(run_of([(row, 1.0) for row in range(len(IDS))]))[0]
    for rank, name in enumerate(best, 1):
        evaluator = pytrec_eval.RelevanceEvaluator({"q": {name: 1}}, {"recip_rank"})
        value = evaluator.evaluate({"q": dict.fromkeys(IDS, 1.0)})["q"]["recip_rank"]
        assert value == pytest.approx(1 / rank), name


def test_a_minus_before_the_zero_decides_nothing() -> None:
    assert ranked(run_of([(0, -0.0), (1, 0.0), (2, 0.0)])) == [["d2", "d10", "d1"]]


def test_queries_without_candidates_keep_their_place() -> None:
    run = run_of([], [(0, 1.0)], [], [(1, 2.0), (0, 3.0)], [])
    assert ranked(run) == [[], ["d1"], [], ["d1", "d10"], []]
    assert ranked(cut(run, 1)) == [[], ["d1"], [], ["d1"], []]


def test_a_run_without_any_candidate_is_a_run() -> None:
    run = run_of([], [])
    assert (len(run), ranked(cut(run, 3))) == (0, [[], []])


def test_a_document_twice_for_a_query_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="'d10' is listed twice"):
        run_of([(0, 1.0)], [(1, 1.0), (2, 0.5), (1, 0.1)])


def test_a_document_of_two_queries_is_no_repeat() -> None:
    assert ranked(run_of([(1, 1.0)], [(1, 1.0)])) == [["d10"], ["d10"]]


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused(score: float) -> None:
    with pytest.raises(DataError, match="1 scores are not finite"):
        run_of([(0, 1.0), (1, score)])


def test_a_score_that_float32_cannot_hold_is_refused_and_not_made_infinite() -> None:
    with pytest.raises(DataError, match="not finite"):
        build(np.array([0, 2]), np.array([0, 1]), np.array([1e300, 1e299]), ids)


def test_a_cut_keeps_the_best_and_breaks_ties_like_the_measures() -> None:
    run = run_of([(0, 0.1), (1, 0.9), (2, 0.5), (3, 0.5), (4, 0.5)], [(0, 1.0)])
    assert ranked(cut(run, 2)) == [["d10", "z"], ["d1"]]
    assert ranked(cut(run, 99)) == ranked(run)


def test_identical_ids_are_left_out_for_their_own_query_only() -> None:
    run = run_of([(0, 0.9), (1, 0.5)], [(0, 0.9), (2, 0.5)])
    left = without_identical_ids(run, ["d1", "other"], ids(run.documents))
    assert ranked(left) == [["d10"], ["d1", "d2"]]


def test_identical_ids_left_out_before_the_cut_cost_no_candidate() -> None:
    run = run_of([(0, 0.9), (1, 0.5), (2, 0.4)])
    left = without_identical_ids(run, ["d1"], ids(run.documents))
    assert ranked(cut(left, 2)) == [["d10", "d2"]]


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([-1.5, 0.0, 0.25, 3.0]))), max_size=5))
def test_the_digest_ignores_the_order_of_rows(queries: list[list[tuple[int, float]]]) -> None:
    unique = [list(dict(query).items()) for query in queries]
    turned = [random.Random(7).sample(query, len(query)) for query in unique]
    ours, theirs = run_of(*unique), run_of(*turned)
    assert (ours.digest, ours.candidates) == (theirs.digest, theirs.candidates)
    assert ranked(ours) == ranked(theirs)


def test_another_score_is_another_digest_of_the_same_candidates() -> None:
    one, other = run_of([(0, 0.5), (1, 0.25)]), run_of([(0, 0.5), (1, 0.125)])
    assert one.digest != other.digest
    assert one.candidates == other.candidates


def test_another_document_or_query_is_another_list_of_candidates() -> None:
    runs = [run_of([(0, 1.0)], [(1, 1.0)]), run_of([(0, 1.0)], [(2, 1.0)]), run_of([(0, 1.0), (1, 1.0)], [])]
    assert len({run.candidates for run in runs}) == 3


def test_rescoring_cannot_change_membership() -> None:
    run = run_of([(0, 0.5), (1, 0.25)])
    again = run.rescored(np.array([0.1, 0.2]))
    assert again.candidates == run.candidates
    assert again.scores.dtype == np.float32
    assert ranked(again) == [["d10", "d1"]]
    with pytest.raises(DataError, match="3 scores for 2 candidates"):
        run.rescored(np.zeros(3, np.float32))

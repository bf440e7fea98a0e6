"""The bounds of a comparison hold whatever the unjudged documents are: a user would lose the exact worst case."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.qrels import Missing, Qrels
from harness.data.runs import Run
from harness.data.sources.judgments import sorted_qrels
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from harness.measuring.top_ranks import TopRanks, top_ranks
from harness.measuring.unjudged import bounds, measured

DOCUMENTS = 8


def run_of(*queries: dict[int, float]) -> Run:
    offsets = np.cumsum([0, *map(len, queries)]).astype(np.int64)
    documents = np.array([document for one in queries for document in one], np.int32)
    scores = np.array([score for one in queries for score in one.values()], np.float32)
    return Run(offsets, documents, scores, documents)


def qrels_of(*queries: dict[int, int], missing: tuple[int, ...] = ()) -> Qrels:
    rows = [(query, document, grade) for query, one in enumerate(queries) for document, grade in one.items()]
    known = sorted_qrels(*(np.array([row[at] for row in rows], np.int32) for at in range(3)))
    gone = Missing(
        np.zeros(len(missing), np.int32), np.array(missing, np.int32), tuple(f"gone{n}" for n in range(len(missing)))
    )
    return Qrels(known.queries, known.documents, known.grades, gone)


def ndcg(run: Run, qrels: Qrels, cutoff: int) -> np.ndarray:
    """The measure of every run of the harness."""
    return Judged(run, qrels, len(run.offsets) - 1).values([parse(f"nDCG@{cutoff}")])[0]


def by_hand(run: Run, grades: dict[int, int], gone: tuple[int, ...], cutoff: int) -> float:
    """nDCG@k of one query in plain Python."""
    ranked = sorted(zip(run.scores.tolist(), run.documents.tolist(), strict=True), reverse=True)
    gains = [grades.get(document, 0) for _, document in ranked]
    dcg, ideal = (
        sum(gain / math.log2(rank + 2) for rank, gain in enumerate(one[:cutoff]))
        for one in (gains, sorted([*grades.values(), *gone], reverse=True))
    )
    return dcg / ideal if ideal else 0.0


def brute_force(a: Run, b: Run, judged: dict[int, int], top: TopRanks, grades: list[int]) -> tuple[float, float]:
    """All labels of one query's unjudged documents, measured one by one."""
    gone, unjudged = tuple(top.qrels.missing.grades.tolist()), top.documents[top.unjudged].tolist()
    found = []
    for labels in itertools.product(grades, repeat=len(unjudged)):
        all_of = {**judged, **dict(zip(unjudged, labels, strict=True))}
        found.append(by_hand(b, all_of, gone, top.cutoff) - by_hand(a, all_of, gone, top.cutoff))
    return min(found), max(found)


@st.composite
def queries(draw: st.DrawFn) -> tuple[Run, Run, dict[int, int], tuple[int, ...], int]:
    documents = st.integers(0, DOCUMENTS - 1)
    scores = st.sampled_from([0.0, 1.0, 2.0, 3.0])  # many ties
    runs = [run_of(draw(st.dictionaries(documents, scores, min_size=1))) for _ in range(2)]
    grades = st.sampled_from(draw(st.sampled_from([[1], [0, 1], [0, 1, 2], [0, 3], [0, 1, 5, 7]])))
    judged = draw(st.dictionaries(documents, grades, min_size=1, max_size=6))
    return *runs, judged, tuple(draw(st.lists(grades, max_size=2))), draw(st.sampled_from([1, 2, 3, 4]))


@settings(max_examples=3000)
@given(queries())
def test_the_bounds_are_those_of_all_labels(one: tuple[Run, Run, dict[int, int], tuple[int, ...], int]) -> None:
    a, b, judged, gone, cutoff = one
    top = top_ranks(a, b, qrels_of(judged, missing=gone), cutoff)
    labels = top.open_labels()
    low, high = bounds(labels)
    grades = sorted({0, *judged.values(), *gone})
    assert (low[0], high[0]) == pytest.approx(brute_force(a, b, judged, top, grades), abs=1e-12)
    assert measured(labels)[0] == pytest.approx((ndcg(b, top.qrels, cutoff) - ndcg(a, top.qrels, cutoff))[0], abs=1e-12)
    assert low[0] <= measured(labels)[0] <= high[0]


def test_many_queries_at_once_have_the_bounds_that_each_has_alone() -> None:
    drawn = np.random.default_rng(3)
    each = []
    for _ in range(200):
        scores = [dict(enumerate(drawn.permutation(DOCUMENTS)[: drawn.integers(1, DOCUMENTS)])) for _ in range(2)]
        judged = {int(d): int(drawn.integers(0, 4)) for d in drawn.permutation(DOCUMENTS)[:4]}
        each.append((*scores, {**judged, 0: 1, 1: 2, 2: 3}))
    together = top_ranks(run_of(*(a for a, _, _ in each)), run_of(*(b for _, b, _ in each)), _all(each), 5)
    low, high = bounds(together.open_labels())
    for place, (a, b, judged) in enumerate(each):
        alone = bounds(top_ranks(run_of(a), run_of(b), qrels_of(judged), 5).open_labels())
        assert (low[place], high[place]) == pytest.approx((alone[0][0], alone[1][0]), abs=1e-12)


def _all(each: list[tuple[dict[int, float], dict[int, float], dict[int, int]]]) -> Qrels:
    return qrels_of(*(judged for _, _, judged in each))


def test_a_document_in_both_lists_has_one_label_and_counts_once_in_the_ideal() -> None:
    a, b = run_of({0: 2.0, 1: 1.0}), run_of({1: 2.0, 0: 1.0})
    low, high = bounds(top_ranks(a, b, qrels_of({5: 1}), 2).open_labels())
    best = (1 - 1 / np.log2(3)) / (1 + 1 / np.log2(3))
    assert (low[0], high[0]) == pytest.approx((-best, best), abs=1e-12)


def test_the_interval_has_no_width_if_everything_at_the_top_is_judged() -> None:
    a, b = run_of({0: 3.0, 1: 2.0, 7: 1.0}), run_of({1: 3.0, 0: 2.0, 6: 1.0})
    labels = top_ranks(a, b, qrels_of({0: 1, 1: 0}), 2).open_labels()
    low, high = bounds(labels)
    assert low[0] == high[0] == measured(labels)[0] < 0


def test_equal_rankings_differ_under_no_labels() -> None:
    a = run_of({0: 3.0, 1: 2.0, 2: 1.0})
    low, high = bounds(top_ranks(a, a, qrels_of({5: 2, 6: 1}), 3).open_labels())
    assert low[0] == high[0] == 0.0


def test_equal_scores_are_ordered_by_the_one_tie_rule() -> None:
    a, b = run_of({0: 1.0, 1: 1.0}), run_of({0: 2.0, 1: 1.0})
    top = top_ranks(a, b, qrels_of({5: 1}), 1)
    assert top.documents[top.in_a].tolist() == [1] and top.documents[top.in_b].tolist() == [0]


def test_the_shares_of_unjudged_documents_are_those_of_each_list() -> None:
    a, b = run_of({0: 2.0, 1: 1.0, 2: 0.5}), run_of({2: 2.0, 3: 1.0})
    assert top_ranks(a, b, qrels_of({0: 1, 1: 0}), 2).shares() == (0.0, 1.0)

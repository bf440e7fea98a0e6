"""Where a query's difference comes from: a user would lose the trust that what is shown adds up to what is claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.judging.why.difference import difference, divisors
from harness.judging.why.facing import ComparedSystem, PairedTexts
from harness.judging.why.swaps import listed, swaps
from harness.measuring.measures import parse

MEASURES = ("nDCG@10", "nDCG@3", "nDCG", "AP@5", "AP", "RR@10", "RR", "P@3", "R@2", "Success@1")


class Judging:
    """What is needed of a collection to judge a run."""

    def __init__(self, queries: int, qrels: Qrels) -> None:
        self.queries, self.qrels = range(queries), qrels


def run_of(generator: np.random.Generator, queries: int, documents: int) -> Run:
    """Lists of other lengths and documents for every query, some of them empty, with ties."""
    lists = [generator.permutation(documents)[: generator.integers(0, documents)] for _ in range(queries)]
    offsets = np.cumsum([0, *map(len, lists)])
    rows = np.concatenate(lists).astype(np.int32)
    return Run(offsets, rows, generator.integers(0, 6, len(rows)).astype(np.float32), rows)


def random_facing(seed: int, measure: str) -> PairedTexts:
    """Two rankings of other candidates, with graded judgments."""
    generator = np.random.default_rng(seed)
    grades = generator.integers(-1, 4, (6, 9))
    queries, documents = np.nonzero(grades >= 0)
    qrels = Qrels(*(part.astype(np.int32) for part in (queries, documents, grades[grades >= 0])))
    a, b = (ComparedSystem(run_of(generator, 6, 9)) for _ in range(2))
    return PairedTexts(Judging(6, qrels), parse(measure), a, b)  # type: ignore[arg-type]


@given(st.integers(0, 10_000), st.sampled_from(MEASURES))
def test_what_documents_add_sums_to_the_difference_of_their_query(seed: int, measure: str) -> None:
    facing = random_facing(seed, measure)
    found = difference(facing)
    judged_a, judged_b = facing.judged
    summed = np.bincount(found.queries, weights=found.contributions, minlength=6)
    assert np.allclose(summed, found.deltas, atol=1e-12)
    assert np.array_equal(found.a.values, judged_a.values([facing.measure])[0])
    assert np.array_equal(found.b.values, judged_b.values([facing.measure])[0])


@given(st.integers(0, 10_000), st.sampled_from(MEASURES))
def test_a_swap_is_worth_what_exchanging_the_two_scores_does(seed: int, measure: str) -> None:
    facing = random_facing(seed, measure)
    for query in range(6):
        found = listed(facing, query)
        divisor = float(divisors(facing.measure, facing.judged[0].ideal)[query])
        for swap in swaps(found, facing.measure, divisor):
            rows = [(found.rows_a[k], found.rows_b[k]) for k in (swap.better, swap.worse)]
            if min(map(min, rows)) < 0:
                continue  # a document that is no candidate has no score to exchange
            moved = [exchanged(facing, side, query, rows[0][side], rows[1][side]) for side in (0, 1)]
            assert swap.effect == pytest.approx((moved[0] - moved[1]) / 2, abs=1e-12)
            assert found.grades[swap.better] > max(found.grades[swap.worse], 0)


def exchanged(facing: PairedTexts, side: int, query: int, one: int, other: int) -> float:
    """What the measure gains in one ranking when two rows trade places."""
    run, judged = facing.sides[side].run, facing.judged[side]
    scores = -facing.sides[side].ranks.astype(np.float32)
    before = judged.values([facing.measure], scores)[0][query]
    scores[[one, other]] = scores[[other, one]]
    assert len(scores) == len(run)
    return float(judged.values([facing.measure], scores)[0][query] - before)


def test_the_swap_that_cost_most_comes_first(planted: list[PairedTexts]) -> None:
    """A has the relevant document at 1, B puts eight others before it."""
    thai = planted[1]
    query = int(np.argmin(difference(thai).deltas))
    found = listed(thai, query)
    first, *others = swaps(found, thai.measure, 1.0)
    assert first.effect < 0 and all(abs(first.effect) >= abs(other.effect) for other in others)
    assert found.grades[first.better] == 1 and found.grades[first.worse] < 1
    assert found.ranks_a[first.better] < found.ranks_a[first.worse]
    assert found.ranks_b[first.better] > found.ranks_b[first.worse]


def test_equal_rankings_have_no_swaps(planted: list[PairedTexts]) -> None:
    same = replace(planted[0], b=planted[0].a)
    assert not difference(same).deltas.any()
    assert not any(swaps(listed(same, query), same.measure, 1.0) for query in range(5))


def test_a_relevant_document_that_only_one_side_retrieved_is_listed() -> None:
    """Other first stages: a user sees that B never had the document."""
    facing = random_facing(1, "nDCG@10")
    found = difference(facing)
    only_a = np.flatnonzero((found.a.rows >= 0) & (found.b.rows < 0))
    assert len(only_a)
    shown = listed(facing, int(found.queries[only_a[0]]))
    at = int(np.flatnonzero(shown.documents == found.documents[only_a[0]])[0])
    assert shown.ranks_a[at] > 0 and shown.ranks_b[at] == 0 and shown.rows_b[at] == -1

"""A teacher against people. What a user would lose: a student that is taught by somebody who knows less."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

from adapters.errors import ModelError
from harness.data.collection import Collection
from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import difference
from tests.fake_adapters import asked
from tests.tiny_collection import FIRST, Place
from tests.training.validating.fake_judges import SPEC
from training.validating.board import board_of
from training.validating.calibration import Bin, bins, in_order, monotone, per_query_auc, wilson
from training.validating.measured import ValidationRow
from training.validating.teacher import Lead, lead, measure

POOR = f"{SPEC}?column=poor"

Document = tuple[float, float, int | None]
"""What the good and the poor judge say of it, and the grade that people gave it, if any."""


def judged(place: Place, queries: Iterable[Iterable[Document]]) -> Collection:
    """Every query has its own documents; the first stage finds those first, then any others."""
    corpus, asked_for, qrels = {}, {}, []
    for number, documents in enumerate(queries):
        asked_for[f"q{number}"] = f"word{number}"
        for place_, (good, poor, grade) in enumerate(documents):
            name = f"d{number}-{place_}"
            corpus[name] = f"word{number} good={good} poor={poor}"
            if grade is not None:
                qrels.append((f"q{number}", name, grade))
    return place.load(place.beir(corpus=corpus, queries=asked_for, qrels=qrels))


def rows(place: Place, collection: Collection, student: str | None = None, depth: int = 4) -> dict[str, ValidationRow]:
    with place.session() as session:
        found = measure(collection, [SPEC], FIRST, session, student=student, depth=depth, enough=1)
    return {row.statistic: row for row in found}


def test_wilson_by_hand() -> None:
    # 8 of 10 with z = 1.96: (0.8 + 0.192073) / 1.384146 -+ 1.96 sqrt(0.016 + 0.0096036) / 1.384146
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_bins_of_equal_width_by_hand() -> None:
    scores = np.array([0.0, 1.0, 3.9, 4.0, 7.9, 8.0])
    found = bins(scores, np.array([False, False, True, True, True, True]), 4)
    assert [(one.low, one.high, one.pairs, one.relevant) for one in found] == [
        (0.0, 2.0, 2, 0), (2.0, 4.0, 1, 1), (4.0, 6.0, 1, 1), (6.0, 8.0, 2, 2),
    ]  # fmt: skip
    assert [one.share for one in found] == [0.0, 1.0, 1.0, 1.0]
    assert bins(np.array([]), np.array([], bool)) == []
    assert len(bins(np.array([1.0, 1.0]), np.array([True, False]))) == 1


def test_only_a_drop_that_the_intervals_can_tell_breaks_the_order() -> None:
    low, high = Bin(0, 1, 100, 60), Bin(1, 2, 100, 20)
    assert not monotone([low, high])
    assert monotone([high, low])
    assert monotone([Bin(0, 1, 5, 3), Bin(1, 2, 5, 2)]), "five pairs cannot tell"
    assert not monotone([low, Bin(1, 2, 2, 1), high]), "neighbours alone would not see it"
    assert in_order([Bin(0, 1, 5, 3), Bin(1, 2, 5, 2), Bin(2, 3, 5, 4)]) == 0.5


def test_auc_within_each_query_by_hand() -> None:
    offsets = np.array([0, 4, 6, 7])
    scores = np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0, 5.0])
    relevant = np.array([False, True, False, True, True, False, True])
    counted = np.array([True, True, True, False, True, True, True])
    # 3 beats 2 and loses to 4; a tie is half; the last query has one kind
    assert per_query_auc(offsets, scores, relevant, counted) == pytest.approx([0.5, 0.5, np.nan], nan_ok=True)


def test_the_teachers_ndcg_is_that_of_its_order_of_the_candidates(place: Place) -> None:
    # the teacher puts the relevant document second in one query and first in the other
    collection = judged(place, [[(3, 0, 0), (2, 0, 1), (1, 0, 0)], [(1, 0, 0), (5, 0, 1), (2, 0, 0)]])
    found = rows(place, collection, depth=3)["nDCG@10"]
    assert found.value == pytest.approx((1 / math.log2(3) + 1) / 2)
    assert found.levels["teacher"] == found.value
    assert found.levels["first stage"] is not None


def test_a_relevant_document_that_the_first_stage_missed_is_not_put_into_the_ranking(place: Place) -> None:
    collection = judged(place, [[(1, 0, 0), (2, 0, 0), (9, 0, 1)]] * 2)
    with place.session() as session:
        board = board_of(collection, [SPEC], FIRST, (), 2, None, session)
    assert board.teacher.tolist() == [0.0, 0.0]
    assert len(board.candidates) == 4
    assert len(board.pool) == 6, "its score still counts where people are compared with the teacher"


def test_auc_bins_and_refusals_by_hand(place: Place) -> None:
    collection = judged(
        place,
        [
            [(4, 0, 1), (3, 0, 0), (2, 0, None), (1, 0, 0)],  # AUC 1
            [(9, 0, None), (3, 0, 0), (2, 0, 1), (1, 0, 0)],  # AUC 1/2, a refused one is first among the judged
            [(4, 0, 1), (2, 0, 1)],  # one kind
            [(4, 0, 0), (2, 0, 0)],  # one kind
        ],
    )
    found = rows(place, collection)
    assert found["AUC"].value == pytest.approx(0.75)
    assert "2 of 4 queries" in found["AUC"].note
    refused = found["P(first refused)"]
    assert (refused.value, refused.interval) == (0.5, wilson(1, 2))
    pairs = found["bins in order"].parts["bins"]
    assert sum(one["pairs"] for one in pairs) == 10, "unjudged pairs are not counted as anything"
    assert sum(one["relevant"] for one in pairs) == 4


def test_missing_not_relevant_judgments_are_noted(place: Place) -> None:
    collection = judged(place, [[(4, 0, 1), (3, 0, None), (2, 0, None)]] * 4)
    found = rows(place, collection, depth=3)
    assert found["AUC"].value == 1.0
    assert "an unjudged candidate counts as not relevant" in found["AUC"].note
    assert found["P(first refused)"].value is None
    assert "was judged not relevant" in found["P(first refused)"].note


def mixed(count: int) -> list[list[Document]]:
    """The good judge is right but in every fifth query; the poor one in every second."""
    found = []
    for number in range(count):
        good, poor = (5 if number % 5 else 0), (5 if number % 2 else 0)
        found.append([(good, poor, 1), (1.0, 1.0, 0), (2.0, 2.0, 0), (3.0, 3.0, 0)])
    return found  # type: ignore[return-value]


def test_a_better_teacher_leads_and_a_worse_or_equal_one_does_not(place: Place) -> None:
    collection = judged(place, mixed(40))
    with place.session() as session:
        better = lead(collection, [SPEC], POOR, FIRST, session, depth=4)
        worse = lead(collection, [POOR], SPEC, FIRST, session, depth=4)
        equal = lead(collection, [SPEC], SPEC, FIRST, session, depth=4)
    assert better.leads
    assert (worse.leads, equal.leads) == (False, False)
    found = better.difference
    assert (worse.difference.value, equal.difference.value) == (-found.value, 0.0)
    # right: 1; last of four: 1 / log2(5); of 40 queries 32 and 20 are right
    assert found.value == pytest.approx((32 - 20) / 40 * (1 - 1 / math.log2(5)))
    assert 0 < found.interval[0] < found.value < found.interval[1] and found.family == 1


@pytest.mark.parametrize(("moved", "leads"), [(0.0, False), (0.02, False), (0.1, True), (-0.1, False)])
def test_a_lead_that_chance_could_give_is_none(moved: float, leads: bool) -> None:
    deltas = np.random.default_rng(0).normal(0, 0.15, 50)
    design = Design((Questions("c", tuple(map(str, range(50)))),))
    found = difference(design, [deltas - deltas.mean() + moved])
    assert Lead(found, 50).leads is leads
    assert leads == (found.interval[0] > 0), "the interval says the same"


def test_fewer_than_six_judged_queries_have_no_interval_of_the_lead(place: Place) -> None:
    row = rows(place, judged(place, mixed(5)), POOR)["difference of nDCG@10"]
    assert row.interval is None and row.value is not None and row.parts["leads"] is False


def test_the_lead_is_tested_by_the_rule_of_all_differences(place: Place) -> None:
    collection = judged(place, mixed(40))
    with place.session() as session:
        found = lead(collection, [SPEC], POOR, FIRST, session, depth=4).difference
        board = board_of(collection, [SPEC], FIRST, (), 4, None, session)
        poor = board_of(collection, [POOR], FIRST, (), 4, None, session)
    by_hand = difference(Design((questions_of(collection),)), [board.teacher - poor.teacher])
    assert found == by_hand


def test_the_measure_says_whether_the_teacher_leads(place: Place) -> None:
    collection = judged(place, mixed(40))
    found = rows(place, collection, POOR)
    row = found["difference of nDCG@10"]
    assert row.parts["leads"] is True
    assert found["nDCG@10"].levels["student"] == pytest.approx(found["nDCG@10"].value - row.value)  # type: ignore[operator]
    assert rows(place, collection, SPEC)["difference of nDCG@10"].parts["leads"] is False


def test_no_pair_is_scored_twice(place: Place) -> None:
    collection = judged(place, mixed(6))
    log = place.log()
    spec = f"{SPEC}?log={log}"
    with place.session() as session:
        measure(collection, [spec], FIRST, session, depth=4, enough=1)
        known = asked(log)
        lead(collection, [spec], POOR, FIRST, session, depth=3)
    assert asked(log) == known
    assert len(known) == len(set(known)) == 24


def test_several_teachers_are_judged_as_they_teach_together(place: Place) -> None:
    collection = judged(place, mixed(20))
    with place.session() as session:
        both = board_of(collection, [SPEC, POOR], FIRST, (1, 3), 4, None, session)
        good = board_of(collection, [SPEC], FIRST, (), 4, None, session)
    assert both.teacher.mean() < good.teacher.mean()


def test_a_teacher_that_says_nothing_is_an_error_not_a_number(place: Place) -> None:
    collection = judged(place, mixed(4))
    with place.session() as session, pytest.raises(ModelError, match="use another teacher"):
        measure(collection, ["tests.fake_adapters:Constant"], FIRST, session, enough=1)


def test_without_enough_judged_queries_it_says_so(place: Place) -> None:
    collection = judged(place, mixed(4))
    with place.session() as session:
        few = measure(collection, [SPEC], FIRST, session, student=POOR)
        none = measure(None, [SPEC], FIRST, session)
    assert len(few) == 5
    assert all(row.note == "not measured: there are 4 judged queries, but 200 are needed" for row in few)
    assert [row.note for row in none] == ["not measured: there are no judged real queries"] * 4

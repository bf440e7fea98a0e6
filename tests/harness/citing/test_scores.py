"""Means leave out only what is counted, and differences follow the one rule: a user would compare unlike things."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adapters.errors import DataError
from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts
from harness.citing.parsing import parsed
from harness.citing.scores import F1, PRECISION, RECALL, CitationScores, evaluate, paired
from harness.citing.support import SupportRules
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import difference
from tests.cited_answers import Facts, Hashed, Table, factual, generated

DOCUMENTS = (CitedReference("fact1"), CitedReference("fact2"), CitedReference("nothing"))


def scores_of(texts: dict[str, str], table: Table | None = None) -> CitationScores:
    answers = [parsed(Answer(id, "Why?", text, DOCUMENTS)) for id, text in texts.items()]
    judge = table or Facts()
    return evaluate(answers, Verdicts(judge), SupportRules.of(judge))


def test_macro_and_micro_means_by_hand() -> None:
    found = scores_of({"a": "So fact1 [1]. So fact2 [3].", "b": "So fact1.", "c": "", "d": "So fact2 [2][3][1]."})
    assert found.mean(RECALL) == pytest.approx((0.5 + 0 + 0 + 1) / 4)
    assert found.mean(PRECISION) == pytest.approx((0.5 + 1 / 3) / 2) and found.left_out(PRECISION) == 2
    assert found.mean(F1) == pytest.approx((0.5 + 0 + 0 + 0.5) / 4)
    assert found.micro_recall == pytest.approx(2 / 5) and found.micro_precision == pytest.approx(2 / 5)
    recall, precision = found.mean(RECALL), found.mean(PRECISION)
    assert found.f1_of_means == pytest.approx(2 * recall * precision / (recall + precision))


def test_counts_say_what_the_answers_consist_of() -> None:
    counts = scores_of({"a": "So fact1 [1][9]. So fact2.", "b": "", "c": "So fact1 fact2 [1][2][3]."}).counts
    assert (counts.answers, counts.empty, counts.uncited_answers, counts.statements) == (3, 1, 1, 4)
    assert (counts.uncited, counts.citations, counts.invalid, counts.joint) == (1, 5, 1, 1)
    assert counts.uncited_share == 0.25 and counts.invalid_share == 0.2 and counts.citations_per_statement == 1.25


def test_uncited_means_that_there_is_no_citation_at_all_in_counts_and_causes() -> None:
    found = scores_of({"a": "So fact1. So fact2 [9]. So fact1 [1]. So fact2 [0][2].", "b": ""})
    assert (found.counts.uncited, found.counts.only_invalid, found.counts.statements) == (1, 1, 5)
    assert found.counts.uncited_share == found.counts.only_invalid_share == 0.2
    assert {name: lost for name, lost in found.recall_causes.items() if lost} == {
        "uncited": 0.125, "invalid": 0.125, "empty": 0.5,
    }  # fmt: skip


def test_an_empty_answer_is_not_one_in_which_nothing_needs_support() -> None:
    answers = [parsed(Answer(id, "Why?", text, DOCUMENTS)) for id, text in (("a", ""), ("b", "Hello."), ("c", "So."))]
    counts = evaluate(answers, Verdicts(Facts()), SupportRules(), [[True], [False], [True]]).counts
    assert (counts.empty, counts.unneeding) == (1, 1)


def test_an_answer_that_the_judge_did_not_finish_is_left_out_and_counted() -> None:
    table = Table({("fact1", "So fact1."): math.nan, ("fact2", "So fact2."): 1.0})
    found = scores_of({"a": "So fact1 [1].", "b": "So fact2 [2]."}, table)
    assert found.counts.unjudged == found.left_out(RECALL) == 1 and found.mean(RECALL) == found.micro_recall == 1


def test_all_answers_take_three_calls_of_the_judge() -> None:
    table = Hashed(zeros=9)
    evaluate([parsed(one) for one in generated(200)], Verdicts(table), SupportRules())
    assert len(table.calls) == 3


def test_two_answers_with_one_id_are_refused() -> None:
    one = parsed(Answer("a", "Why?", "So.", DOCUMENTS))
    with pytest.raises(DataError, match="two answers have the id 'a'"):
        evaluate([one, one], Verdicts(Table()), SupportRules())


def test_a_difference_is_that_of_the_rule_over_the_questions_that_have_both() -> None:
    texts = {f"q{n}": "So fact1 [1]." if n % 3 else "So fact1 [3]." for n in range(20)}
    worse = {id: "So fact1." if id in ("q1", "q2") else "So fact1 [3][1]." for id in texts} | {"extra": "So fact1 [1]."}
    found = paired(scores_of(texts), scores_of(worse), PRECISION)
    assert (found.questions, found.left_out) == (18, 3)
    ids = tuple(id for id in texts if id not in ("q1", "q2"))
    deltas = np.array([(1.0 if int(id[1:]) % 3 else 0.0) - 0.5 for id in ids])
    assert found.difference == difference(Design((Questions("", ids),)), [deltas])


def test_an_interval_is_over_the_questions_that_have_a_value() -> None:
    texts = {f"q{n}": "So fact1 [1]." if n % 3 else "So fact1." for n in range(30)}
    low, high = scores_of(texts).interval(RECALL)
    assert low < 2 / 3 < high and scores_of(texts).interval(PRECISION) == (1, 1)


@pytest.mark.parametrize("measure", [RECALL, PRECISION, F1])
def test_values_are_fractions_and_do_not_depend_on_other_answers(measure: str) -> None:
    answers, table = [parsed(one) for one in generated(300, factual)], Facts()
    together = evaluate(answers, Verdicts(table), SupportRules.of(table)).values(measure)
    alone = [evaluate([one], Verdicts(table), SupportRules.of(table)).values(measure)[0] for one in answers]
    np.testing.assert_array_equal(together, alone)
    assert ((together >= 0) & (together <= 1) | np.isnan(together)).all()

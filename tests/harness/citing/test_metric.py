"""Citation recall, precision and F1 of an answer, worked by hand: a user would lose what these numbers mean."""

from __future__ import annotations

import math

import pytest

from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts, answered
from harness.citing.metric import AnswerScore, cited_of, needs_of, scored
from harness.citing.parsing import parsed
from harness.citing.support import SupportRules
from tests.cited_answers import Facts, Table

DOCUMENTS = tuple(map(CitedReference, ("fact1", "fact2", "fact3 fact4", "fact1 fact5", "nothing")))


def score(text: str, needs: list[bool] | None = None, *, graded: bool = False) -> AnswerScore:
    table, one = Facts(), parsed(Answer("q", "Why?", text, DOCUMENTS))
    return answered([scored(one, cited_of(one, needs), SupportRules.of(table, graded=graded))], Verdicts(table))[0]


@pytest.mark.parametrize(
    ("text", "recall", "precision", "f1"),
    [
        ("So fact1 [1].", 1, 1, 1),
        ("So fact1 [1][4].", 1, 1, 1),
        ("So fact1 [1][5].", 1, 0.5, 2 / 3),
        ("So fact1 and fact2 [1][2].", 1, 1, 1),
        ("So fact1 and fact2 [1][2][5].", 1, 2 / 3, 0.8),
        ("So fact1 and fact2 [1].", 0, 0, 0),
        ("So fact1 [1]. So fact2.", 0.5, 1, 2 / 3),
        ("So fact1 [1]. So fact2 [5].", 0.5, 0.5, 0.5),
        ("So fact1 [1][9].", 1, 0.5, 2 / 3),
        ("So fact1 [0].", 0, 0, 0),
        ("So fact1 [1][1][1, 1].", 1, 1, 1),
        ("So fact1.", 0, math.nan, 0),
        ("", 0, math.nan, 0),
        ("[1]", 0, 0, 0),
    ],
)
def test_recall_precision_and_f1(text: str, recall: float, precision: float, f1: float) -> None:
    found = score(text)
    assert [found.recall, found.precision, found.f1] == pytest.approx([recall, precision, f1], abs=1e-12, nan_ok=True)


def test_long_lists_of_right_citations_are_not_punished() -> None:
    """The joint premise is too long for the judge, so ALCE gives 0."""
    table = Facts(longest=3)
    one = parsed(Answer("q", "Why?", "So fact1 [1][2][3][4][5].", (CitedReference("fact1"),) * 5))
    found = answered([scored(one, cited_of(one), SupportRules.of(table))], Verdicts(table))[0]
    assert (found.recall, found.precision, found.redundant) == (1, 1, 4)


def test_partial_support_counts_one_half_only_if_asked_for() -> None:
    text = "So fact1 and fact2 [1]. So fact3 [3]."
    plain, graded = score(text), score(text, graded=True)
    assert (plain.recall, plain.precision) == (0.5, 0.5)
    assert (graded.recall, graded.precision) == (0.75, 1)


def test_statements_without_need_count_in_neither_and_their_invalid_citations_still_do() -> None:
    text = "Good question [5][8]. So fact1 [1]. So fact2 [2]."
    found = score(text, [False, True, True])
    assert (found.recall, found.precision, found.unneeded) == (1, 2 / 3, 1)
    assert found.recall_of_all == pytest.approx(2 / 3)


def test_an_answer_in_which_nothing_needs_support_is_one_uncited_statement() -> None:
    found = score("I do not know.", [False])
    assert (found.recall, found.f1, found.empty) == (0, 0, True) and math.isnan(found.precision)


def test_trecs_weighted_values_judge_each_document_alone() -> None:
    found = score("So fact1 and fact2 [1][2][5]. So fact3 [3][7]. So fact4.")
    assert found.weighted_precision == pytest.approx((0.5 + 0.5 + 0 + 1 + 0) / 5)
    assert found.weighted_recall == pytest.approx((0.5 + 1 + 0) / 3)


def test_an_answer_has_no_value_where_the_judge_gave_none() -> None:
    table = Table({("fact1", "So fact1."): math.nan})
    one = parsed(Answer("q", "Why?", "So fact1 [1].", DOCUMENTS))
    found = answered([scored(one, cited_of(one), SupportRules())], Verdicts(table))[0]
    assert found.missing == 1 and all(map(math.isnan, (found.recall, found.precision, found.f1, found.weighted_recall)))


def test_need_is_decided_on_the_text_without_marks() -> None:
    statements = parsed(Answer("q", "Why?", "Good question [1]. So fact1 [1].", DOCUMENTS)).statements
    table = Table({("Why?", "So fact1."): 1.0})
    assert answered([needs_of(statements, "Why?")], Verdicts(table)) == [(False, True)]
    assert table.calls == [[("Why?", "Good question."), ("Why?", "So fact1.")]]

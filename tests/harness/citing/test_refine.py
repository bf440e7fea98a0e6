"""Refining: a user would lose the text of an answer, a right citation, or the certainty that refining again changes
nothing."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest

from harness.citing.answers import Answer, CitedReference, ParsedAnswer
from harness.citing.asking import Verdicts, answered
from harness.citing.metric import cited_of, scored
from harness.citing.parsing import parsed
from harness.citing.refine import REFINERS, Refined, refine
from harness.citing.rewriting import numbers_of
from harness.citing.support import SupportRules
from tests.cited_answers import Facts, Hashed, Table, factual, generated, messy
from tests.marked_texts import marked, only_marks_differ

pytest.importorskip("sentencex")
COUNT = int(os.environ.get("REFINED_ANSWERS", "400"))
"""How many; benchmarks/README.md has the result for 20,000."""
DOCUMENTS = ("fact1", "fact2", "fact1 fact2", "fact3")


def of(text: str, documents: tuple[str, ...] = DOCUMENTS) -> ParsedAnswer:
    return parsed(Answer("q", "Why?", text, tuple(map(CitedReference, documents))))


def refined(
    text: str, way: str = "refine", needs: list[bool] | None = None, documents: tuple[str, ...] = DOCUMENTS
) -> Refined:
    judge = Facts()
    [found] = answered([REFINERS[way](of(text, documents), needs, SupportRules.of(judge))], Verdicts(judge))
    return found


def claims(answer: ParsedAnswer) -> list[str]:
    return [one.text for one in answer.statements]


def text_of(text: str, way: str = "refine", needs: list[bool] | None = None) -> str:
    return refined(text, way, needs).after.answer.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("It is fact1.", "It is fact1 [1]."),
        ("It is fact1 [4].", "It is fact1 [1]."),
        ("It is fact1 [1][4].", "It is fact1 [1]."),
        ("It is fact1 [4][1].", "It is fact1 [1]."),
        ("It is fact1 [0][9].", "It is fact1 [1]."),
        ("It is fact1, fact2 and fact3 [3].", "It is fact1, fact2 and fact3 [3][4]."),
        ("It is fact1 and fact2 [2].", "It is fact1 and fact2 [3]."),
        ("It is fact7 [1].", "It is fact7."),
        ("It is fact7.", "It is fact7."),
    ],
)
def test_what_is_missing_comes_and_what_is_irrelevant_goes(before: str, after: str) -> None:
    assert text_of(before) == after


def test_only_one_of_the_two_steps() -> None:
    text = "It is fact1 [4]. It is fact2. It is fact3 [9]."
    assert text_of(text, "complete") == "It is fact1 [4][1]. It is fact2 [2]. It is fact3 [9][4]."
    assert text_of(text, "remove") == "It is fact1. It is fact2. It is fact3."


def test_a_statement_that_needs_no_support_gets_no_citation_and_keeps_its_own() -> None:
    text = "It is fact1. It is fact2 [4][0]."
    assert text_of(text, needs=[False, False]) == "It is fact1. It is fact2 [4]."


def test_a_supported_statement_gets_no_further_citation() -> None:
    assert text_of("It is fact1 [1].") == "It is fact1 [1]."
    assert text_of("It is fact1 [1][3].") == "It is fact1 [1][3]."


def test_documents_beyond_those_that_are_offered_are_counted() -> None:
    found = refined("It is fact1.", documents=(*["none"] * 10, "fact1", "fact1"))
    assert (found.after.answer.text, found.unread) == ("It is fact1.", 2)


def test_a_statement_without_a_value_of_the_judge_stays_as_it_is() -> None:
    judge = Table({("fact1", "It is fact1."): float("nan"), ("fact2", "It is fact2."): 1.0}, None)
    text = "It is fact1 [1][4]. It is fact2 [4]."
    [found] = answered([refine(of(text), None, SupportRules.of(judge))], Verdicts(judge))
    assert found.after.answer.text == "It is fact1 [1][4]. It is fact2 [2]."
    assert found.unjudged == (0,)


def test_post_hoc_cites_the_first_of_the_best_documents() -> None:
    assert text_of("It is fact1 [4]. It is fact7 [2].", "post-hoc") == "It is fact1 [1]. It is fact7 [1]."


def test_the_oracle_cites_the_smallest_set() -> None:
    assert text_of("It is fact1 and fact2 [1][2]. It is fact7 [1].", "oracle") == (
        "It is fact1 and fact2 [3]. It is fact7."
    )


def test_refined_answers_have_the_recall_of_the_oracle_and_full_precision() -> None:
    judge = Facts()
    verdicts, rules = Verdicts(judge), SupportRules.of(judge)
    answers = [parsed(one) for one in generated(100, factual)]
    found = answered([refine(one, None, rules) for one in answers], verdicts)
    best = answered([REFINERS["oracle"](one, None, rules) for one in answers], verdicts)
    scores = answered([scored(one.after, cited_of(one.after), rules) for one in found], verdicts)
    ideal = answered([scored(one.after, cited_of(one.after), rules) for one in best], verdicts)
    assert [one.recall for one in scores] == [one.recall for one in ideal]
    assert {one.precision for one in scores if one.citations} == {1.0}


def test_an_answer_with_right_citations_stays_to_the_byte() -> None:
    judge = Facts()
    verdicts, rules = Verdicts(judge), SupportRules.of(judge)
    for one in generated(200, factual):
        answer = parsed(one)
        [score] = answered([scored(answer, cited_of(answer), rules)], verdicts)
        if score.recall == score.precision == 1:
            [found] = answered([refine(answer, None, rules)], verdicts)
            assert found.after.answer.text == one.text


@pytest.mark.parametrize("way", REFINERS)
def test_only_marks_and_the_spaces_before_them_change_and_refining_again_changes_nothing(way: str) -> None:
    """In texts of many scripts with marks of all forms, and with a judge that may say anything."""
    chance = random.Random(11)
    for number in range(COUNT):
        answer = (messy if number % 3 == 0 else marked)(chance, number)
        judge = Hashed(chance.choice([(0.0, 1.0), (0.0, 0.5, 1.0)]), seed=number)
        verdicts, rules = Verdicts(judge), SupportRules.of(judge, graded=chance.random() < 0.3)
        [found] = answered([REFINERS[way](parsed(answer), None, rules)], verdicts)
        text, n = found.after.answer.text, len(answer.references)
        assert only_marks_differ(answer.text, text, n), (answer.text, text)
        assert claims(parsed(replace(answer, text=text))) == claims(found.before), (answer.text, text)
        new = {number for one in found.after.statements for number in numbers_of(one)}
        old = {number for one in found.before.statements for number in numbers_of(one)}
        assert all(1 <= number <= n for number in new - old)
        if way in ("refine", "remove") and not found.refused:
            assert all(1 <= number <= n for number in new)
        [again] = answered([REFINERS[way](found.after, None, rules)], verdicts)
        assert again.after.answer.text == text, answer.text

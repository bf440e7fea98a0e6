"""Every control obeys its law, and a broken metric is noticed: a user would reward what only looks like a citation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.citing.answers import Answer, CitedReference, ParsedAnswer
from harness.citing.asking import Verdicts, answered
from harness.citing.controls import GENERIC, LAWS, ControlOutcome, controls, oracle, random_citations, relevant_share
from harness.citing.metric import AnswerScore, cited_of, scored
from harness.citing.parsing import parsed
from harness.citing.scores import CitationScores, evaluate
from harness.citing.support import SupportRules
from tests.cited_answers import Facts, Hashed, Table, factual, generated

TABLES = [Facts(), Facts(longest=2), Hashed(zeros=4), Hashed((0.0, 0.5, 1.0), zeros=2)]
LAWS_OF_ANSWERS = [name for name in LAWS if name not in ("shuffled", "random")]


def outcomes(answers: list[Answer], table: Table, *, graded: bool = False) -> dict[str, ControlOutcome]:
    cases, verdicts, rules = [parsed(one) for one in answers], Verdicts(table), SupportRules.of(table, graded=graded)
    own = evaluate(cases, verdicts, rules)
    return {one.name: one for one in controls(cases, own, verdicts, rules)}


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("table", TABLES)
def test_the_laws_of_single_answers_hold_on_thousands_of_messy_answers(table: Table, graded: bool) -> None:
    found = outcomes(generated(250, seed=11) + generated_factual(100), table, graded=graded)
    assert [name for name in LAWS_OF_ANSWERS if not found[name].held] == []


def generated_factual(count: int) -> list[Answer]:
    return [replace(one, id=f"fact-{one.id}") for one in generated(count, factual)]


def test_right_citations_beat_shuffled_and_random_ones_in_the_mean() -> None:
    found = outcomes(generated(300, factual), Facts())
    own = evaluate_all(generated(300, factual), Facts())
    assert found["shuffled"].held and found["random"].held
    assert max(found["shuffled"].f1, found["random"].f1) < own.mean("citation-F1") - 0.05


def evaluate_all(answers: list[Answer], table: Table) -> CitationScores:
    return evaluate([parsed(one) for one in answers], Verdicts(table), SupportRules.of(table))


def test_the_order_is_that_of_the_laws_and_every_law_has_a_control() -> None:
    assert outcomes(generated(5), Facts()).keys() == LAWS.keys()


def test_a_broken_metric_breaks_the_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = generated(60, factual)
    monkeypatch.setattr(
        AnswerScore, "invalid", property(lambda one: -sum(len(s.cited.invalid) for s in one.statements))
    )
    found = outcomes(answers, Facts())
    assert not found["zero"].held and not found["out of range"].held


def text_of(one: ParsedAnswer, change: str) -> str:
    """The answer's text with a change of its marks."""
    answer, text, at = one.answer, "", 0
    for mark in (mark for statement in one.statements for mark in statement.marks):
        shown = answer.text[slice(*mark.span)]
        text += (
            answer.text[at : mark.span[0]]
            + {"duplicated": shown * 2, "zero": shown + "[0]", "out of range": shown + "[7]"}[change]
        )
        at = mark.span[1]
    return text + answer.text[at:]


@pytest.mark.parametrize("change", ["duplicated", "zero", "out of range"])
def test_the_laws_hold_for_marks_that_are_written_into_the_text(change: str) -> None:
    table = Hashed(zeros=2)
    before = [parsed(one) for one in generated(700, seed=3)]
    after = [parsed(replace(one.answer, text=text_of(one, change))) for one in before]
    verdicts, rules = Verdicts(table), SupportRules.of(table)
    for own, changed in zip(
        evaluate(before, verdicts, rules).answers, evaluate(after, verdicts, rules).answers, strict=True
    ):
        if change == "duplicated":
            same = math.isnan(own.precision) and math.isnan(changed.precision)
            assert (own.recall, own.f1) == (changed.recall, changed.f1) and (same or own.precision == changed.precision)
        else:
            assert changed.recall <= own.recall and changed.f1 <= own.f1


def test_an_uncited_generic_paragraph_never_helps() -> None:
    table = Hashed(zeros=2)
    before = generated(700, seed=4)
    after = [replace(one, text=f"{one.text}\n\n{GENERIC}") for one in before]
    for own, changed in zip(evaluate_all(before, table).answers, evaluate_all(after, table).answers, strict=True):
        assert changed.recall <= own.recall and changed.f1 <= own.f1


def test_the_share_of_relevant_pairs_by_hand() -> None:
    documents = (
        CitedReference("fact1"),
        CitedReference("fact2"),
        CitedReference("nothing"),
        CitedReference("fact1 fact2"),
    )
    one = parsed(Answer("q", "Why?", "So fact1 [1]. So fact1 and fact2.", documents))
    share = answered([relevant_share(one, cited_of(one), SupportRules.of(Facts()))], Verdicts(Facts()))[0]
    assert share == (2 + 3) / 8


def test_the_oracle_cites_the_smallest_supporting_subset() -> None:
    documents = (CitedReference("fact1"), CitedReference("fact2"), CitedReference("nothing"), CitedReference("fact3"))
    one = parsed(Answer("q", "Why?", "So fact1 and fact2 [3]. So fact3. So fact9 [1].", documents))
    verdicts, rules = Verdicts(Facts()), SupportRules.of(Facts())
    best = answered([oracle(one, cited_of(one), rules)], verdicts)[0]
    assert [own.ids for own in best] == [(1, 2), (4,), ()]
    found = answered([scored(one, best, rules)], verdicts)[0]
    assert (found.recall, found.precision) == (2 / 3, 1)


def test_random_citations_are_as_many_and_the_same_each_time() -> None:
    for one in (parsed(answer) for answer in generated(100, factual)):
        cited = cited_of(one)
        drawn = random_citations(one, cited)
        assert [len(own.ids) for own in drawn] == [len(own.ids) for own in cited]
        assert drawn == random_citations(one, cited)


class _Forgetful(Facts):
    """Gives no value for one document that a right answer does not cite, so that only some controls have values."""

    def value(self, premise: str, claim: str) -> float:
        return math.nan if "unreadable" in premise else super().value(premise, claim)


def test_controls_are_compared_on_the_answers_that_all_of_them_have_values_of() -> None:
    right, hard = CitedReference("fact1"), CitedReference("unreadable")
    answers = [
        Answer("a", "Why?", "So fact1 [1].", (right, hard)),
        Answer("b", "Why?", "So fact2 [1].", (right,)),
        Answer("c", "Why?", "So fact1 [1].", (right,)),
    ]
    found = outcomes(answers, _Forgetful())
    assert {one.left_out for one in found.values()} == {1}
    assert found["duplicated"].recall == found["oracle"].recall == 0.5
    assert all(one.held for one in found.values())


def test_a_law_without_any_answer_is_not_checked() -> None:
    answer = Answer("a", "Why?", "So fact1 [1].", (CitedReference("fact1"), CitedReference("unreadable")))
    assert not any(one.checked for one in outcomes([answer], _Forgetful()).values())

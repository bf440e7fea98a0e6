"""Correctness is what ASQA, ALCE and ROUGE define: a user would compare by another measure than was published."""

from __future__ import annotations

import math

import pytest

from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts, answered
from harness.citing.correctness import Correctness, correctness, normalised, rouge_lsum, str_em, token_f1
from harness.citing.sentences import nltk_sentences, sentences
from harness.citing.support import SupportRules
from tests.cited_answers import Table

ONE = (CitedReference("Text"),)


def of(answer: Answer, table: Table | None = None, *, alce: bool = False) -> Correctness:
    judge = table or Table()
    return answered([correctness(answer, SupportRules.of(judge), alce=alce)], Verdicts(judge))[0]


def test_str_em_is_the_share_of_facts_and_str_hit_whether_it_is_all() -> None:
    answer = Answer(
        "q",
        "Who?",
        "It was built by Ana Li, in the year 1894 [1].",
        ONE,
        (("1894", "94"), ("A. Li", "Ana Li"), ("Oslo",)),
    )
    found = of(answer)
    assert (found.str_em, found.str_hit) == (2 / 3, 0)
    assert str_em("Ana Li: 1894", [["ana li"], ["1894"]]) == 1


def test_an_empty_short_answer_matches_only_as_in_alce() -> None:
    assert str_em("It is so.", [["The"]]) == 0 and str_em("It is so.", [["The"]], alce=True) == 1


def test_claim_recall_asks_the_judge_with_the_whole_answer_without_marks() -> None:
    answer = Answer("q", "Why?", "It is tall [1].\nIt is old.", ONE, sub_claims=("tall", "old", "red"))
    table = Table(
        {
            ("It is tall.\nIt is old.", "tall"): 1.0,
            ("It is tall.\nIt is old.", "old"): 1.0,
            ("It is tall.", "tall"): 1.0,
        }
    )
    assert of(answer, table).claim_recall == 2 / 3
    assert of(answer, table, alce=True).claim_recall == 1 / 3


def test_what_has_nothing_to_compare_with_has_no_value() -> None:
    found = of(Answer("q", "Why?", "It is so [1].", ONE))
    assert all(map(math.isnan, (found.str_em, found.str_hit, found.claim_recall, found.rouge_lsum, found.token_f1)))
    assert found.length == 3


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        ("The tower is tall.", ["A tower, tall!"], 2 * 2 / (3 + 2)),
        ("tower", ["bell", "The Tower"], 1),
        ("tower", ["bell"], 0),
        ("the", ["a"], 1),
        ("tower", ["the"], 0),
    ],
)
def test_token_f1_is_that_of_squad_and_the_best_over_references(text: str, others: list[str], expected: float) -> None:
    assert token_f1(text, others) == pytest.approx(expected)


def test_rouge_lsum_is_that_of_the_package_and_the_best_over_references() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    text, others = (
        "It was built in 1894. It is found in Oslo.",
        ["Built in 1894, it is tall.", "It is found in Oslo. It was built in 1894."],
    )
    scorer = RougeScorer(["rougeLsum"], use_stemmer=True)
    split = ["\n".join(nltk_sentences()(one.lower())) for one in (text, *others)]
    expected = max(scorer.score(other, split[0])["rougeLsum"].fmeasure for other in split[1:])
    assert rouge_lsum(text, others, nltk_sentences()) == pytest.approx(expected)
    assert rouge_lsum(text, others, sentences) == pytest.approx(expected)


def test_alce_sees_the_first_line_only() -> None:
    answer = Answer("q", "When?", "Long ago [1].\nIn 1894.", ONE, (("1894",),), long_answers=("Long ago.",))
    assert of(answer).str_em == 1 and of(answer, alce=True).str_em == 0 and of(answer, alce=True).length == 2


def test_normalising_is_that_of_squad() -> None:
    assert normalised("The  tower, an OLD one; a-b.") == "tower old one ab"

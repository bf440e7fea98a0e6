"""New marks look like the answer's own: a user would lose an answer that reads as if one hand had written it."""

from __future__ import annotations

import pytest

from harness.citing.answers import Answer, CitedReference
from harness.citing.parsing import parsed
from harness.citing.rewriting import rewritten

pytest.importorskip("sentencex")


def written(text: str, *wanted: set[int]) -> str:
    answer = parsed(Answer("q", "Why?", text, tuple(CitedReference(f"text {n}") for n in range(6))))
    return rewritten(answer, list(map(frozenset, wanted))).answer.answer.text


@pytest.mark.parametrize(
    ("text", "wanted", "after"),
    [
        ("One [1, 2].", {1, 2, 4}, "One [1, 2, 4]."),
        ("One [1][2].", {1, 2, 4}, "One [1][2][4]."),
        ("One [1] [2].", {1, 2, 4}, "One [1] [2] [4]."),
        ("One. [1]", {1, 4}, "One. [1][4]"),
        ("One【1】。", {4}, "One【4】。"),
        ("One ［1］.", {1, 4}, "One ［1］［4］."),
        ("One [^1].", {1, 4}, "One [^1][^4]."),
        ("One [١].", {1, 4}, "One [١][٤]."),
        ("One \\[1\\].", {1, 4}, "One \\[1\\]\\[4\\]."),
        ("One [[1]](https://a.b/c).", {1, 4}, "One [[1]](https://a.b/c)[[4]]."),
        ("One [1-4].", {1, 2, 3}, "One [1-3]."),
        ("One [1-4].", {1, 3, 4}, "One [1, 3, 4]."),
        ("One [1]-[3].", {1, 3}, "One [1][3]."),
        ("One [1,2,3].", {1, 3}, "One [1,3]."),
        ("One [1], [2].", {1, 5}, "One [1], [5]."),
        ("One [1], [2].", {1}, "One [1]."),
        ("One [1], [2] and [3].", {1, 3}, "One [1] and [3]."),
        ("One [1], [2] and [3].", {2, 3}, "One [2] and [3]."),
        ("One [1] and [2] say.", {2}, "One [2] say."),
        ("One [1] and [2].", set(), "One."),
        ("One ([1]).", set(), "One."),
        ("One ([1], [2]).", {1}, "One ([1])."),
        ("One ( [1]; [2] ).", {2}, "One ( [2] )."),
        ("One ([1], [2]).", {1, 2, 4}, "One ([1], [2], [4])."),
        ("One<sup>[2]</sup>.", set(), "One."),
        ("One (<sup>[2]</sup>).", set(), "One."),
        ("One ([1])([2]).", {2}, "One ([2])."),
        ("One **[1]**.", set(), "One."),
        ("One **two**[1]**three**.", set(), "One **two****three**."),
        ("One [1]/[2].", {1}, "One [1]."),
        ("One [[1][2]].", {1}, "One [[1]]."),
        ("One [[1][2]].", set(), "One."),
        ("One [[1], [2]].", {2}, "One [[2]]."),
        ("One [1](http://x.org/1) and [[2]](http://x) and [^3].", {1}, "One [1](http://x.org/1)."),
        ("One ［1－3］.", {1, 2}, "One ［1, 2］."),
        ("One [1] two.", set(), "One two."),
        ("[1] One.", set(), " One."),
        ("One [1] [2].", {2}, "One [2]."),
        ("One", {3}, "One [3]"),
        ("東京は首都です。", {3}, "東京は首都です[3]。"),
        ('He said "one."', {3}, 'He said "one [3]."'),
        ("Une tour !", {3}, "Une tour [3] !"),
        ("One.\n", {3}, "One [3].\n"),
        ("| a | b |\n|---|---|\n| One | two |", {3}, "| a | b |\n|---|---|\n| One | two [3] |"),
        ("One.\n\n| a | b |\n|---|---|", {3}, "One [3].\n\n| a | b |\n|---|---|"),
        ("One.\n---", {3}, "One [3].\n---"),
        ("One.\n\n[^1]: http://x", {3}, "One [3].\n\n[^1]: http://x"),
        ("| One. |  |", {3}, "| One [3]. |  |"),
    ],
)
def test_a_statement_cites_what_it_should_in_the_style_of_the_answer(text: str, wanted: set[int], after: str) -> None:
    assert written(text, wanted) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("One [1]. Two.", "One [1]. Two [3]."),
        ("One. [1] Two.", "One. [1] Two. [3]"),
        ("One[1]. Two.", "One[1]. Two[3]."),
        ("One【1】. Two.", "One【1】. Two【3】."),
        ("One ([1]). Two.", "One ([1]). Two ([3])."),
        ("One<sup>[1]</sup>. Two.", "One<sup>[1]</sup>. Two<sup>[3]</sup>."),
    ],
)
def test_a_statement_without_marks_gets_them_where_the_others_have_them(text: str, after: str) -> None:
    assert written(text, {1}, {3}) == after


def test_marks_stand_before_a_statement_where_those_of_the_answer_do() -> None:
    assert written("[1] One. Two. [2] Three.", {1}, {3}, {2}) == "[1] One. [3] Two. [2] Three."
    assert written("[1] One. [2] Two.", {1}, {4}) == "[1] One. [4] Two."


def test_a_statement_with_the_right_documents_keeps_its_marks_to_the_byte() -> None:
    text = "One [ 2,1 ][1] x[3]. Two [1]."
    assert written(text, {1, 2}, {2}) == "One [ 2,1 ][1] x[3]. Two [2]."


def test_a_mark_that_would_not_be_read_as_one_is_not_written() -> None:
    answer = parsed(Answer("q", "Why?", "It is an array", (CitedReference("text"),)))
    found = rewritten(answer, [frozenset({1})])
    assert (found.answer.answer.text, found.refused) == ("It is an array", (0,))


def test_a_bracket_of_the_text_does_not_become_part_of_a_mark() -> None:
    for text in ("[\\[1\\] [2].", "So [\\[1\\] [2]."):
        answer = parsed(Answer("q", "Why?", text, (CitedReference("one"), CitedReference("two"))))
        found = rewritten(answer, [frozenset({2})])
        assert (found.answer.answer.text, found.refused) == (text.replace("\\[1\\] ", ""), ())
        assert [one.text for one in found.answer.statements] == [one.text for one in answer.statements]

"""Every citation reaches the sentence that it is meant for: a user would lose support that the answer names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.citing.answers import Answer, CitedReference
from harness.citing.marks import marks_of, runs_of
from harness.citing.parsing import parsed, unmarked

FIVE = tuple(CitedReference(f"Text {n}") for n in range(5))


def statements(text: str, language: str | None = None) -> list[tuple[str, tuple[int, ...]]]:
    found = parsed(Answer("q", "Why?", text, FIVE, language=language)).statements
    return [(one.text, (*one.cited(5), *one.invalid(5))) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is tall [1]. It is old [2].", [("It is tall.", (1,)), ("It is old.", (2,))]),
        ("It is tall. [1] It is old. [2]", [("It is tall.", (1,)), ("It is old.", (2,))]),
        ("It is tall.[1] It is old.[2]", [("It is tall.", (1,)), ("It is old.", (2,))]),
        ("It is tall.[1][2]\n\nIt is old.", [("It is tall.", (1, 2)), ("It is old.", ())]),
        ("It is tall. It is old.\n[1] [2]\n", [("It is tall.", ()), ("It is old.", (1, 2))]),
        ("[1] says it is tall. It is old.", [("says it is tall.", (1,)), ("It is old.", ())]),
        ("It is tall.\n[2] It is old.", [("It is tall.", ()), ("It is old.", (2,))]),
        ("- It is tall [1]\n- It is old [2]", [("- It is tall", (1,)), ("- It is old", (2,))]),
        ("1. It is tall. [1]\n2. It is old.", [("1. It is tall.", (1,)), ("2. It is old.", ())]),
        ("It is tall ([1], [2]), he said.", [("It is tall, he said.", (1, 2))]),
        ("It is tall [1], [2] and [3].", [("It is tall.", (1, 2, 3))]),
        ("According to [1], it is tall.", [("According to, it is tall.", (1,))]),
        ("塔很高。[1]它很旧【2】。", [("塔很高。", (1,)), ("它很旧。", (2,))]),
        ("मीनार ऊँची है। [1] यह पुरानी है [2]।", [("मीनार ऊँची है।", (1,)), ("यह पुरानी है।", (2,))]),
        ("البرج طويل. [1] إنه قديم [2].", [("البرج طويل.", (1,)), ("إنه قديم.", (2,))]),
        (
            "Dr. Ana Li built it in 3.5 years [1]. It is old.",
            [("Dr. Ana Li built it in 3.5 years.", (1,)), ("It is old.", ())],
        ),
        ("It is tall [0]. It is old [9].", [("It is tall.", (0,)), ("It is old.", (9,))]),
        ("[1] It is tall. [2] It is old.", [("It is tall.", (1,)), ("It is old.", (2,))]),
        (
            "[1] It is tall. It is big. [2] It is old.",
            [("It is tall.", (1,)), ("It is big.", ()), ("It is old.", (2,))],
        ),
        (
            "[1] It is tall.\n[2] It is old. [3] It is big.",
            [("It is tall.", (1,)), ("It is old.", (2,)), ("It is big.", (3,))],
        ),
        ("[1] It is tall. [2] It is old. [3]", [("It is tall.", (1, 2)), ("It is old.", (3,))]),
        ("[1] It is tall. [2] It is old [3].", [("It is tall.", (1, 2)), ("It is old.", (3,))]),
    ],
)
def test_a_mark_belongs_to_the_sentence_that_it_follows(text: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| a | b |\n|---|:-:|\n| It is tall. | [1] |", [("| It is tall. | |", (1,))]),
        ("So it is.\n\na | b\n-|-\nIt is tall | so [2]", [("So it is.", ()), ("It is tall | so", (2,))]),
        ("It is tall [^1].\n\n[^1]: Smith, A history of towers.", [("It is tall.", (1,))]),
        ("It is tall [1].\n\n[1]: http://x.org", [("It is tall.", (1,))]),
        ("| It is tall | so |", [("| It is tall | so |", ())]),
    ],
)
def test_heads_of_tables_and_definitions_of_footnotes_are_no_statements(
    text: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert statements(text) == expected


def test_an_answer_of_a_megabyte_is_read() -> None:
    text = " ".join(f"It is fact{n} [{n % 5 + 1}]." for n in range(40_000)) + "[1]" * 50_000
    assert len(statements(text)) == 40_000


@pytest.mark.parametrize(("text", "cited"), [("", ()), ("  \n", ()), ("[1]", (1,)), ("---\n[2]", (2,))])
def test_an_answer_without_words_is_one_empty_statement(text: str, cited: tuple[int, ...]) -> None:
    assert statements(text) == [("", cited)]


TEXTS = st.text(alphabet="abcABC12 ..!?。।؟[]【】()-*\n\t\r\u3000\xa0\u2028\u0301🙂é字", max_size=80)


@given(TEXTS)
@settings(max_examples=1500, deadline=None)
def test_the_spans_of_statements_are_the_whole_text_and_hold_their_marks(text: str) -> None:
    found = parsed(Answer("q", "Why?", text, FIVE)).statements
    assert "".join(text[slice(*one.span)] for one in found) == text
    assert [mark for one in found for mark in one.marks] == list(marks_of(text, 5))
    for one in found:
        assert all(one.span[0] <= mark.span[0] and mark.span[1] <= one.span[1] for mark in one.marks)


def test_a_mark_behind_one_of_the_next_statement_belongs_to_that_statement_too() -> None:
    text = "It is tall.\n[1] | a |\n|---|\n[2]\nIt is old."
    assert statements(text) == [("It is tall.", ()), ("It is old.", (1, 2))]


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_sentences_do_not_depend_on_marks(text: str) -> None:
    bare = unmarked(text, runs_of(text, 5)).text
    if not marks_of(bare, 5):
        assert [one for one, _ in statements(bare)] == [one for one, _ in statements(text)]


@given(
    st.lists(
        st.sampled_from(["It is tall {}.", "Old it is. {}", "So {}, it was!\n", "塔很高{}。"]), min_size=1, max_size=5
    ),
    st.data(),
)
@settings(max_examples=400, deadline=None)
def test_doubling_and_reordering_marks_changes_no_statement(parts: list[str], data: st.DataObject) -> None:
    marks = [
        data.draw(st.lists(st.sampled_from(["[1]", "[2, 3]", "[0]", "[1-4]", "【5】"]), max_size=3)) for _ in parts
    ]
    plain, changed = (
        " ".join(part.format(change(own)) for part, own in zip(parts, marks, strict=True))
        for change in ("".join, _changed)
    )
    assert statements(plain) == statements(changed)


def _changed(marks: list[str]) -> str:
    return "".join(reversed([*marks, *marks]))

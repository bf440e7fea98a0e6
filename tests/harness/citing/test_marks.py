"""A citation is read as it was written: a user would lose the right document, or gain one that nobody cited."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.citing.marks import marks_of


def numbers(text: str, references: int = 5) -> list[tuple[int, ...]]:
    return [mark.ids for mark in marks_of(text, references)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is so [1][2].", [(1,), (2,)]),
        ("It is so [1, 2].", [(1, 2)]),
        ("It is so [1,2; 3 and 4].", [(1, 2, 3, 4)]),
        ("It is so [1-3].", [(1, 2, 3)]),
        ("It is so [1–3].", [(1, 2, 3)]),
        ("It is so ［1－3］.", [(1, 2, 3)]),
        ("It is so ［１－３］.", [(1, 2, 3)]),
        ("It is so [[1][2]].", [(1,), (2,)]),
        ("It is so [1]-[3].", [(1, 2, 3)]),
        ("It is so [1]—[3].", [(1, 2, 3)]),
        ("It is so [1-2, 4].", [(1, 2, 4)]),
        ("そうです【1】。", [(1,)]),
        ("そうです［１］。", [(1,)]),
        ("そうです〔2、3〕。", [(2, 3)]),
        ("هو كذلك [١].", [(1,)]),
        ("ऐसा है [२]।", [(2,)]),
        ("It is so 【4†source】.", [(4,)]),
        ("It is so [^2].", [(2,)]),
        ("It is so [[3]].", [(3,)]),
        ("It is so \\[4\\].", [(4,)]),
        ("It is so [ 1 ].", [(1,)]),
        ("It is so [[1]](https://example.org/a_(b)).", [(1,)]),
        ("It is so [1](https://example.org).", [(1,)]),
        ("**It is so [1]**.", [(1,)]),
        ("It is so<sup>[1]</sup>.", [(1,)]),
        ("tower[1]", [(1,)]),
        ("as shown in [1, 2]", [(1, 2)]),
        ("costs $5 [1] and $6 [2]", [(1,), (2,)]),
        ("- [1] says so", [(1,)]),
        ("See http://a.b/page[1].", [(1,)]),
        ("See http://a.b/page [1].", [(1,)]),
        ("See [alpha](http://a.b/page)[1].", [(1,)]),
    ],
)
def test_every_way_to_write_a_citation_is_read(text: str, expected: list[tuple[int, ...]]) -> None:
    assert numbers(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "In [2019] it was so.",
        "From [1999, 2003] it was so.",
        "In [1990-1995] it was so.",
        "About [1,000] people.",
        "About [12,345,678] people.",
        "They said it were [sic] so.",
        "See [note 1].",
        "Use x[10] here.",
        "Use my_list[1][2] here.",
        "Use np.array[1] here.",
        "Use `a [1]` here.",
        "```\nlist [1]\n```",
        "Since $x [1]$ holds.",
        "Since \\(x [1]\\) holds.",
        "Since \\[ x + [1] \\] holds.",
        "The root \\sqrt[3]{8} is 2.",
        "Let x = [1, 2].",
        "For x ∈ [1, 2] it holds.",
        "For x in [0, 1] it holds.",
        "On the interval [1, 2] it holds.",
        "They won [3-1].",
        "[1]: https://example.org",
        "It is 【】.",
        "See [alpha](http://a.b/[1]).",
        "See [alpha](page[1].html).",
        'See [alpha](/page[1] "Title").',
        "See http://a.b/[1].",
        "See http://a.b/[1][2] now.",
        "See https://a.b/list?x[1]=3 now.",
        "See <https://a.b/x[1]>.",
        'See <a href="/page[1]">this</a>.',
    ],
)
def test_years_numbers_code_and_maths_are_no_citations(text: str) -> None:
    assert numbers(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[0]", [(0,)]),
        ("[6]", [(6,)]),
        ("[1, 9]", [(1, 9)]),
        ("[4-9]", [(4, 5, 9)]),
        ("[0-2]", [(0, 1, 2)]),
        ("[7-9]", [(7, 9)]),
        ("[1-999999999]", [(1, 2, 3, 4, 5, 999999999)]),
        ("[3]-[8]", [(3, 4, 5, 8)]),
        ("[99999999999999999999]", [(99999999999999999999,)]),
        ("[1-99999999999]", [(1, 2, 3, 4, 5, 99999999999)]),
    ],
)
def test_a_document_that_is_not_there_stays_a_wrong_number_and_becomes_no_other_document(
    text: str, expected: list[tuple[int, ...]]
) -> None:
    assert numbers(text) == expected


def test_a_number_of_any_length_is_a_wrong_number() -> None:
    [(number,)] = numbers("[" + "1" * 5000 + "]")
    assert number > 5


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("So ([1]).", ["([1])"]),
        ("So ([1], [2]).", ["([1]", ", [2])"]),
        ("So<sup>[1]</sup>.", ["<sup>[1]</sup>"]),
        ("So [[1][2]].", ["[[1]", "[2]]"]),
        ("So [1] and [2].", ["[1]", " and [2]"]),
        ("So [1] [2].", ["[1]", "[2]"]),
        ("So (see [1]).", ["[1]"]),
    ],
)
def test_brackets_around_marks_and_signs_between_them_belong_to_the_marks(text: str, mark: list[str]) -> None:
    assert [text[slice(*one.span)] for one in marks_of(text, 5)] == mark


def test_a_year_is_a_citation_where_there_are_that_many_documents() -> None:
    assert numbers("[2019]", references=3000) == [(2019,)]


@given(st.text(alphabet="ab1230 .,;-–[]()【】［］`$\\^†:=\n", max_size=60))
@settings(max_examples=2000, deadline=None)
def test_marks_are_apart_and_in_order_in_any_text(text: str) -> None:
    marks = marks_of(text, 3)
    ends = [0, *(mark.span[1] for mark in marks)]
    assert all(end <= mark.span[0] < mark.span[1] <= len(text) for end, mark in zip(ends, marks, strict=False))
    assert all(mark.ids and len(set(mark.ids)) == len(mark.ids) for mark in marks)

"""What a generator says is held against its profile. What a user would lose: queries that are no queries."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from training.synthesis.parser import REASONS, AnswerParser, as_queries, overlap, parsed
from training.synthesis.profiles import Profile, load_profile

DOCUMENT = "The ferry leaves the old harbour at nine and comes back before the tide turns in the evening."
ENGLISH = replace(load_profile("generic/en"), count=2, shortest=3, longest=8)


def verdicts(answer: str, profile: Profile = ENGLISH) -> list[str | None]:
    return [one.reason for one in AnswerParser(profile).parse(answer, DOCUMENT)]


def test_good_queries_are_accepted() -> None:
    judged = AnswerParser(ENGLISH).parse('["when does the ferry return", "old harbour ferry departure"]', DOCUMENT)
    assert as_queries(judged) == ["when does the ferry return", "old harbour ferry departure"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Here are your queries: ferry, harbour", "grammar"),
        ('{"queries": ["when does the ferry return"]}', "grammar"),
        ("I'm sorry, but I cannot help with that.", "refusal"),
        ('["as an ai language model I cannot ask"]', "refusal"),
        ("   ", "empty"),
        ('["?!"]', "empty"),
        ('["other words than the document where you can"]', "echo"),
        ('["когда уходит паром домой"]', "wrong script"),
        ('["quand est le départ du bateau"]', "wrong language"),
        ('["ferry harbour"]', "too short"),
        ('["when does the ferry that leaves the old harbour return"]', "too long"),
        ('["comes back before the tide turns?"]', "copies the document"),
    ],
)
def test_every_fault_has_its_name(answer: str, reason: str) -> None:
    assert verdicts(answer)[0] == reason
    assert reason in REASONS


@pytest.mark.parametrize(
    ("form", "query", "reason"),
    [
        ("question", "when does the ferry return", None), ("question", "ferry return harbour", "wrong form"),
        ("question", "is the ferry back before noon?", None),
        ("statement", "the ferry is late on most days", None), ("statement", "ferry harbour evening", None),
        ("statement", "when does the ferry return", "wrong form"), ("any", "when does the ferry return", None),
    ],
)  # fmt: skip
def test_the_form_is_checked_where_the_profile_demands_one(form: Any, query: str, reason: str | None) -> None:
    assert verdicts(json.dumps([query]), replace(ENGLISH, form=form))[0] == reason


@pytest.mark.parametrize(("query", "reason"), [
    ("who leaves the old harbour", None), ("ferry leaves the old harbour when", "copies a stretch"),
    ("when does the ferry come back", None),
])  # fmt: skip
def test_a_copied_stretch_is_found_where_the_profile_limits_it(query: str, reason: str | None) -> None:
    assert verdicts(json.dumps([query]), replace(ENGLISH, longest_copy=4))[0] == reason
    assert verdicts(json.dumps([query]))[0] is None


def test_a_stretch_is_counted_in_characters_in_a_language_without_spaces() -> None:
    chinese, document = replace(load_profile("web-zh"), longest_copy=6), "渡船每天九点离开旧港口。"
    found = AnswerParser(chinese).parse("渡船每天九点离开吗", document)[0]
    assert found.reason == "copies a stretch"
    assert AnswerParser(chinese).parse("渡船几点离开旧港口", document)[0].reason is None


def test_an_answer_that_breaks_the_grammar_counts_as_all_queries_that_were_wanted() -> None:
    assert verdicts("no idea") == ["grammar", "grammar"]


def test_more_queries_than_wanted_are_surplus() -> None:
    assert verdicts('["when does the ferry go", "who runs the ferry", "why is there a tide"]')[2] == "surplus"


def test_a_query_is_accepted_once_whatever_document_brings_it_again() -> None:
    parser = AnswerParser(ENGLISH)
    assert as_queries(parser.parse('["When does the ferry go?"]', DOCUMENT))
    assert [one.reason for one in parser.parse('["when does the ferry go"]', "another text")] == ["duplicate"]


def test_a_forbidden_overlap_is_measured() -> None:
    assert verdicts('["evening harbour ferry"]') == [None]
    assert verdicts('["evening harbour ferry"]', replace(ENGLISH, max_overlap=0.5)) == ["overlaps too much"]
    assert overlap("ferry boat", DOCUMENT, "words") == 0.5
    assert overlap("東京塔", "東京駅", "characters") == 0.5


@pytest.mark.parametrize(
    ("answer", "grammar", "queries"),
    [
        ('```json\n["a", "b"]\n```', "json", ["a", "b"]),
        ('["a", 1]', "json", None),
        ("[]", "json", None),
        ("1. a b\n2) c", "lines", ["a b", "c"]),
        ("Queries:\n1. a b", "lines", None),
        ("", "lines", None),
        (" a b ", "line", ["a b"]),
        ("a\nb", "line", None),
    ],
)
def test_a_grammar_is_taken_at_its_word(answer: str, grammar: str, queries: list[str] | None) -> None:
    assert parsed(answer, grammar) == queries


def test_vowel_signs_stay_in_their_word_and_unspaced_text_is_counted_in_characters() -> None:
    hindi = replace(load_profile("generic/hi"), shortest=3, longest=3)
    assert [one.reason for one in AnswerParser(hindi).parse('["दिल्ली की राजधानी"]', "x")] == [None]
    thai = replace(load_profile("generic/th"), shortest=10, longest=40)
    assert [one.reason for one in AnswerParser(thai).parse('["กรุงเทพคืออะไร"]', "x")] == [None]


def test_names_may_keep_their_own_script() -> None:
    russian = load_profile("generic/ru")
    assert [one.reason for one in AnswerParser(russian).parse('["когда вышел первый iPhone"]', "x")] == [None]

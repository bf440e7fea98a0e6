"""What a generator says is held against its profile. What a user would lose: queries that are no queries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.synthesis.parser import REASONS, AnswerFilter, as_queries, overlap, parsed
from training.synthesis.profiles import Profile, load_profile

DOCUMENT = "The ferry leaves the old harbour at nine and comes back before the tide turns in the evening."
ENGLISH = replace(load_profile("generic/en"), count=2, shortest=3, longest=8)


def verdicts(answer: str, profile: Profile = ENGLISH) -> list[str | None]:
    return [one.reason for one in AnswerFilter(profile).judge(answer, DOCUMENT)]


def test_good_queries_are_accepted() -> None:
    judged = AnswerFilter(ENGLISH).judge('["when does the ferry return", "old harbour ferry departure"]', DOCUMENT)
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


def test_an_answer_that_breaks_the_grammar_counts_as_all_queries_that_were_wanted() -> None:
    assert verdicts("no idea") == ["grammar", "grammar"]


def test_more_queries_than_wanted_are_surplus() -> None:
    assert verdicts('["when does the ferry go", "who runs the ferry", "why is there a tide"]')[2] == "surplus"


def test_a_query_is_accepted_once_whatever_document_brings_it_again() -> None:
    judge = AnswerFilter(ENGLISH)
    assert as_queries(judge.judge('["When does the ferry go?"]', DOCUMENT))
    assert [one.reason for one in judge.judge('["when does the ferry go"]', "another text")] == ["duplicate"]


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
    assert [one.reason for one in AnswerFilter(hindi).judge('["दिल्ली की राजधानी"]', "x")] == [None]
    thai = replace(load_profile("generic/th"), shortest=10, longest=40)
    assert [one.reason for one in AnswerFilter(thai).judge('["กรุงเทพคืออะไร"]', "x")] == [None]


def test_names_may_keep_their_own_script() -> None:
    russian = load_profile("generic/ru")
    assert [one.reason for one in AnswerFilter(russian).judge('["когда вышел первый iPhone"]', "x")] == [None]

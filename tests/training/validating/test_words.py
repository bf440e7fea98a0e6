"""What counts as a word: a user would lose measures that mean the same in every script."""

from __future__ import annotations

import pytest

from training.validating.words import tokens, unit_name, units, words


def test_case_width_and_punctuation_do_not_part_words() -> None:
    assert words("The RIVER, the ＲＩＶＥＲ!") == ["the", "river", "the", "river"]
    assert words("Straße STRASSE") == ["strasse", "strasse"]
    assert words("co\u00adoperate") == ["cooperate"]


def test_a_text_of_nothing_but_punctuation_has_no_words() -> None:
    assert words("?! ...") == units("") == tokens("  ") == []


def test_scripts_without_spaces_are_counted_in_characters_and_compared_in_pairs() -> None:
    assert units("东京在哪里？") == list("东京在哪里")
    assert tokens("东京在哪里？") == ["东京", "京在", "在哪", "哪里"]
    assert tokens("猫") == ["猫"]
    assert units("ラーメン") == list("ラーメン")
    assert tokens("ไทย") == ["ไท", "ทย"]


def test_a_text_of_two_scripts_is_cut_by_each() -> None:
    assert units("iPhone手机 2024年") == ["iphone", "手", "机", "2024", "年"]
    assert tokens("iPhone手机价格") == ["iphone", "手机", "机价", "价格"]


def test_korean_and_hindi_have_words() -> None:
    assert units("한국의 수도는") == ["한국의", "수도는"]
    assert units("हिन्दी में") == ["हिन्दी", "में"]


def test_vowel_marks_and_tatweel_do_not_part_arabic_words() -> None:
    assert words("كِتَاب كتـــاب") == ["كتاب", "كتاب"]


@pytest.mark.parametrize(("language", "expected"), [("tr", "ısı"), ("tr-TR", "ısı"), ("en", "isi")])
def test_case_is_folded_as_the_language_does(language: str, expected: str) -> None:
    assert words("ISI", language) == [expected]
    assert words("İzmir", language) == ["izmir"]


def test_lengths_are_reported_in_the_most_frequent_unit() -> None:
    assert unit_name(["where is Tokyo", "东京"]) == "words"
    assert unit_name(["东京在哪里", "iPhone 价格"]) == "characters"
    assert unit_name([]) == "words"

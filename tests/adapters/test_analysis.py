"""Terms: what a user would lose is a match that a reader sees, or a match that nobody would make."""

from __future__ import annotations

import pytest

from adapters.analysis import Analyzer
from adapters.errors import UsageError


def terms(text: str, language: str | None = None, *, stem: bool = True) -> list[str]:
    return Analyzer(language, stem=stem).terms(text)


def test_case_and_width_and_ligatures_do_not_hide_a_match() -> None:
    assert terms("ﬁne ＢＥＲＬＩＮ Straße") == terms("fine berlin STRASSE") == ["fine", "berlin", "strasse"]


def test_composed_and_decomposed_letters_are_the_same_term() -> None:
    assert terms("Caf\u00e9") == terms("cafe\u0301".upper()) == ["café"]


def test_soft_hyphens_do_not_cut_a_word() -> None:
    assert terms("Über\u00adsetzung") == ["übersetzung"]


def test_punctuation_and_underscores_separate_words_and_numbers_stay() -> None:
    assert terms("snake_case, COVID-19; 3.5 %") == ["snake", "case", "covid", "19", "3", "5"]


def test_repetitions_are_kept_because_bm25_counts_them() -> None:
    assert terms("to be or not to be").count("be") == 2


@pytest.mark.parametrize("empty", ["", "   ", "?! —", "\u200b"])
def test_a_text_without_words_has_no_terms(empty: str) -> None:
    assert terms(empty, "en") == []


def test_english_forms_meet() -> None:
    assert terms("Running dogs", "en") == terms("run dog", "eng") == terms("runs dogs", "en-GB")


def test_german_forms_meet() -> None:
    assert terms("Die Häuser", "de")[1] == terms("das Haus", "deu")[1] == "haus"


def test_russian_and_greek_forms_meet_whatever_the_final_letter() -> None:
    assert terms("книгами", "ru") == terms("книги", "rus")
    assert terms("Λόγος", "el") == terms("λόγοι", "ell")


def test_swahili_has_no_stemmer_and_keeps_its_words() -> None:
    assert terms("Watoto wanasoma vitabu", "sw") == terms("Watoto wanasoma vitabu", "swa")
    assert terms("Watoto wanasoma vitabu", "sw") == ["watoto", "wanasoma", "vitabu"]


def test_nothing_is_stemmed_without_a_language_or_with_stemming_off() -> None:
    assert terms("running") == terms("running", "en", stem=False) == ["running"]


def test_turkish_capital_i_meets_its_own_small_letter() -> None:
    assert terms("IŞIK", "tr") == terms("ışık", "tr")
    assert terms("İstanbul", "tr") == terms("istanbul", "tr") == terms("İstanbul")


def test_arabic_vowel_signs_and_tatweel_do_not_hide_a_match() -> None:
    assert terms("كِتَابٌ") == terms("كتـــاب") == terms("كتاب") == ["كتاب"]
    assert terms("اَلْعَرَبِيَّةُ", "ar") == terms("العربية", "ara")


def test_a_persian_non_joiner_parts_words() -> None:
    assert terms("می\u200cخواهم") == ["می", "خواهم"]


def test_hindi_vowel_signs_stay_in_their_word() -> None:
    assert terms("नई दिल्ली है") == ["नई", "दिल्ली", "है"]
    assert terms("क्\u200dष") == terms("क्\u200cष") == terms("क्ष") == ["क्ष"]


def test_chinese_becomes_overlapping_bigrams() -> None:
    assert terms("北京大学", "zh") == ["北京", "京大", "大学"]


def test_a_single_character_between_other_things_is_a_term() -> None:
    assert terms("2023年，我", "zh") == ["2023", "年", "我"]


def test_japanese_kanji_kana_and_the_length_mark_are_one_run() -> None:
    assert terms("コーヒーを飲む", "ja") == ["コー", "ーヒ", "ヒー", "ーを", "を飲", "飲む"]
    assert terms("ｺｰﾋｰ") == terms("コーヒー")


def test_thai_is_cut_into_bigrams_of_letters_and_vowel_signs() -> None:
    assert terms("ภาษา", "th") == ["ภา", "าษ", "ษา"]


@pytest.mark.parametrize("text", ["ພາສາ", "ភាសា", "ဘာသာ"])
def test_lao_khmer_and_burmese_are_cut_into_bigrams(text: str) -> None:
    assert terms(text) == [text[:2], text[1:3], text[2:]]


def test_korean_particles_do_not_hide_the_noun() -> None:
    assert "서울" in terms("서울은", "ko")
    assert "서울" in terms("서울에서", "ko")


def test_mixed_text_is_cut_by_script_not_by_the_declared_language() -> None:
    expected = ["iphone15", "手机", "ภา", "าษ", "ษา", "ок"]
    assert terms("iPhone15手机 ภาษา ОК", "zh") == terms("iPhone15手机 ภาษา ОК", "th") == expected


def test_the_other_words_of_a_mixed_text_are_still_stemmed() -> None:
    assert terms("running 北京", "en") == ["run", "北京"]


def test_a_stemmer_is_part_of_the_description_and_languages_without_one_share_theirs() -> None:
    assert Analyzer("en").describe() != Analyzer("de").describe()
    assert Analyzer("en").describe() != Analyzer("en", stem=False).describe()
    assert Analyzer("en").describe() == Analyzer("eng-Latn").describe()
    assert Analyzer("sw").describe() == Analyzer("th").describe() == Analyzer(None).describe()


def test_the_snowball_version_is_in_the_description_because_stems_change_with_it() -> None:
    assert Analyzer("en").describe()["snowball"]
    assert Analyzer("sw").describe()["snowball"] is None


def test_a_language_that_is_spelled_out_is_refused_instead_of_silently_not_stemmed() -> None:
    with pytest.raises(UsageError, match=r"'english'.*'en'"):
        Analyzer("english")


@pytest.mark.parametrize("language", ["jp", "cn", "dk", "xx", "german", "e", ""])
def test_what_is_no_language_is_refused_and_not_left_unstemmed(language: str) -> None:
    """Codes of countries are written in the place of languages; the texts would silently get the terms of none."""
    with pytest.raises(UsageError, match=f"language '{language}' is not an ISO 639 code"):
        Analyzer(language)


@pytest.mark.parametrize("language", ["de", "DE", "pt-BR", "zh_Hant", "yo", "swa", "qqq", "iw"])
def test_codes_of_languages_are_taken_with_a_stemmer_or_without(language: str) -> None:
    assert Analyzer(language).language == language

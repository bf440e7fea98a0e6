"""Sentences are found in the scripts of the world, and no character is lost: a user would lose statements."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.citing.sentences import nltk_sentences, sentence_ends, sentences


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Dr. Li went to the U.S. in 1999. She left.", ["Dr. Li went to the U.S. in 1999.", "She left."]),
        ("de", "Er kam am 3. Oktober an. Das ist z. B. gut.", ["Er kam am 3. Oktober an.", "Das ist z. B. gut."]),
        ("ru", "Москва — столица. Она велика.", ["Москва — столица.", "Она велика."]),
        ("zh", "长城很长。它建于明代！真的吗？", ["长城很长。", "它建于明代！", "真的吗？"]),
        ("ja", "東京は首都です。大きいです。", ["東京は首都です。", "大きいです。"]),
        ("ar", "القاهرة عاصمة مصر. هل هي كبيرة؟ نعم.", ["القاهرة عاصمة مصر.", "هل هي كبيرة؟", "نعم."]),
        ("hi", "दिल्ली राजधानी है। यह बड़ी है।", ["दिल्ली राजधानी है।", "यह बड़ी है।"]),
        ("ur", "لاہور ایک شہر ہے۔ بڑا ہے۔", ["لاہور ایک شہر ہے۔", "بڑا ہے۔"]),
        ("am", "አዲስ አበባ ዋና ከተማ ናት። ትልቅ ናት።", ["አዲስ አበባ ዋና ከተማ ናት።", "ትልቅ ናት።"]),
        ("sw", "Mlima ni mrefu. Uko Tanzania.", ["Mlima ni mrefu.", "Uko Tanzania."]),
        (None, "长城很长。它建于明代！", ["长城很长。", "它建于明代！"]),
        (None, "1. First it is. Then more.\n2. Second", ["1. First it is.", "Then more.", "2. Second"]),
        (None, "One line\nand one more", ["One line", "and one more"]),
    ],
)
def test_sentences_of_many_languages(language: str | None, text: str, expected: list[str]) -> None:
    assert list(sentences(text, language)) == expected


@given(st.text(max_size=60), st.sampled_from([None, "en", "zh", "ar", "de", "th", "hi", "xx"]))
@settings(max_examples=1500, deadline=None)
def test_the_pieces_of_any_text_are_the_text(text: str, language: str | None) -> None:
    ends = sentence_ends(text, language)
    assert list(ends) == sorted(ends) and (ends[-1] if ends else 0) == len(text)


@pytest.mark.parametrize("space", ["\u3000", "\xa0", "\u2028", "\x85", "\u2009", "\r", "\ud800"])
def test_unusual_spaces_do_not_stop_the_library(space: str) -> None:
    text = f"J{space}.K.{space}It is so.{space}"
    assert sentence_ends(text)[-1] == len(text)


def test_alces_sentences_are_those_of_nltk() -> None:
    text = 'Dr. Li went to the U.S. in 1999. She left (e.g. by train). [1] It was 3.5 km. "So!" he said.'
    assert nltk_sentences()(text) == (
        "Dr. Li went to the U.S. in 1999.", "She left (e.g.", "by train).", "[1] It was 3.5 km.", '"So!"', "he said.",
    )  # fmt: skip
    assert nltk_sentences()("  ") == ()

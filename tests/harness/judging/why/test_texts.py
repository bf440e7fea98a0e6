"""Texts without a model: a user would lose groups that mean the same in every script."""

from __future__ import annotations

import pytest

from adapters.languages import NAMES, named
from harness.judging.why.texts import overlap, script


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when does the ferry leave?", "Latin"),
        ("เรือออกเมื่อไร 2024", "Thai"),
        ("渡轮几点开", "Han"),
        ("フェリーは何時に出ますか", "Japanese"),
        ("когда уходит паром", "Cyrillic"),
        ("متى تغادر العبارة", "Arabic"),
        ("नौका कब निकलती है", "Devanagari"),
        ("페리는 언제 떠나나요", "Hangul"),
        ("ferry เรือข้าม", "mixed"),
        ("12:30 ?!", None),
        ("", None),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, expected: str | None) -> None:
    assert script(text) == expected


def test_overlap_needs_no_spaces_between_words() -> None:
    assert overlap("เรือข้ามฟาก", ["ไม่มีอะไร", "วันนี้เรือข้ามฟากออกเก้าโมง"]) == pytest.approx(0.8, abs=0.15)
    assert overlap("渡轮几点开", ["今天渡轮几点开"]) == pytest.approx(0.8, abs=0.2)
    assert overlap("渡轮几点开", ["面包卖到中午"]) == 0


def test_overlap_looks_past_case_width_and_punctuation() -> None:
    assert overlap("The FERRY, please!", ["the ferry please"]) == 1
    assert overlap("ＡＢＣ", ["abc"]) == 1


def test_overlap_of_nothing_is_not_known() -> None:
    assert overlap("", ["text"]) is None
    assert overlap("query", []) is None
    assert overlap("query", [""]) == 0


def test_a_sentence_says_the_language() -> None:
    assert named("th") == "Thai (th)"
    assert named("xx") == "xx"
    assert all(len(code) == 2 and name[0].isupper() for code, name in NAMES.items())

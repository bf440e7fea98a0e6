"""Questions without a model. What a user would lose: queries that ask, in every language, and are no copies."""

from __future__ import annotations

import json

import pytest

from adapters.answer_spans import Token, is_year, phrases, spans
from adapters.errors import UsageError
from adapters.protocols import Prompt, Setting
from adapters.question_words import ANSWERS, QuestionWords, question_words
from adapters.spec import open_generator
from training.synthesis.parser import AnswerParser, as_queries
from training.synthesis.profiles import languages, load_profile

DOCUMENT = (
    "The tide mill of Ancasnow grinds barley at low tide. Its wheel was built of oak in 1780, and the miller Anna "
    "Brandt kept a diary of every tide. Every year 4200 visitors reach the mill from Port Ellen, and 35 % of them stay."
)
FILLERS = [f"The {word} was seen in the garden by a man and a woman of the town." for word in ("fox", "hen", "cow")]
TEXTS = {
    "zh": "潮汐磨坊建于1780年，位于港口旁边。磨坊每天接待420名游客，游客可以乘坐渡船到达磨坊。",
    "ja": "潮汐の水車小屋は1780年に港のそばで建てられた。粉屋の主人は12冊の日記を書いた。",
    "th": "โรงสีน้ำขึ้นน้ำลง สร้างขึ้นในปี 1780 ใกล้ท่าเรือ ผู้มาเยือน 420 คนเดินทางด้วยเรือข้ามฟาก",
    "ru": "Приливная мельница построена в 1780 году у старой гавани. Мельник вёл дневник приливов каждый день.",
    "hi": "ज्वार की चक्की पुराने बंदरगाह के पास 1780 में बनी थी। चक्की का मालिक हर दिन ज्वार की ऊंचाई लिखता था।",
}


def queries(document: str, name: str, spec: str = "questions", corpus: list[str] | None = None) -> list[str]:
    profile, generator = load_profile(name), open_generator(spec)
    if corpus is not None:
        generator = generator.bind(Setting([document, *corpus], "digest", profile.language))  # type: ignore[attr-defined]
    (answer,) = generator.generate([profile.prompt(document)])
    return as_queries(AnswerParser(profile).parse(answer, document))


def test_every_language_of_the_profiles_can_ask() -> None:
    assert set(question_words()) == set(languages())
    for words in question_words().values():
        assert all(words.words_for(kind) for kind in ANSWERS) and all("{}" in one for one in words.count)


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_a_question_has_a_question_word_and_keeps_to_the_profile(language: str) -> None:
    found = queries(TEXTS[language], f"generic/{language}")
    words = question_words()[language]
    asked = [part for kind in ANSWERS for one in words.words_for(kind) for part in one.split("{}") if part.strip()]
    assert found and all(any(part.strip() in one for part in asked) for one in found)


def test_a_question_leaves_out_its_answer() -> None:
    found = queries(DOCUMENT, "generic/en", "questions?drop=0", FILLERS)
    assert found and all(one.endswith("?") for one in found)
    for one in found:
        if one.startswith(("when", "in what year", "what year")):
            assert "1780" not in one
        if one.startswith("how many"):
            assert one.startswith("how many visitors") and "4200" not in one


def test_the_answers_of_a_sentence_are_its_years_numbers_names_and_rarest_noun() -> None:
    generator = open_generator("questions").bind(Setting([DOCUMENT, *FILLERS * 4], "d", "en"))  # type: ignore[attr-defined]
    kinds = {}
    for sentence in DOCUMENT.split(". "):
        tokens = generator._tokens(sentence, "en")
        for one in spans(tokens, question_words()["en"]):
            kinds[" ".join(token.text for token in tokens[one.start : one.end])] = one.kind
    assert kinds["1780"] == "time" and kinds["Anna Brandt"] == "person" and kinds["Port Ellen"] == "place"
    assert kinds["4200 visitors"] == "count" and kinds["35"] == "amount"


@pytest.mark.parametrize(("text", "year"), [("1780", True), ("٢٠٠١", True), ("420", False), ("9999", False)])
def test_a_year_is_read_in_the_digits_of_any_script(text: str, year: bool) -> None:
    assert is_year(text) is year


def test_a_word_with_a_capital_is_no_name_where_all_nouns_have_one() -> None:
    tokens = [Token("Er", 0, " "), Token("fuhr", 3, " "), Token("im", 0, " "), Token("Bereich", 4, ".")]
    german = question_words()["de"]
    assert [one.kind for one in spans(tokens, german)] == ["thing"]
    assert QuestionWords is type(german)


def test_function_words_stay_only_with_the_content_word_after_them() -> None:
    words = [("for", 0), ("the", 0), ("of", 0), ("big", 3), ("dam", 4), ("and", 0), ("is", 0)]
    tokens = [Token(text, weight, " ") for text, weight in words]
    assert phrases(tokens) == [[1, 2, 3, 4]]


def test_more_words_are_left_out_and_the_rare_ones_more_often() -> None:
    none, many = (queries(DOCUMENT, "generic/en", f"questions?drop={drop}", FILLERS) for drop in (0, 0.8))
    assert sum(len(one.split()) for one in many) / len(many) < sum(len(one.split()) for one in none) / len(none)
    for wrong in ("1", "-0.1"):
        with pytest.raises(UsageError, match="share of the words"):
            open_generator(f"questions?drop={wrong}")


def test_no_question_copies_a_stretch_of_six_words() -> None:
    for one in queries(DOCUMENT, "generic/en", corpus=FILLERS):
        words = one.rstrip("?").lower().split()
        assert not any(" ".join(words[at : at + 6]) in DOCUMENT.lower() for at in range(len(words) - 5))


def test_the_same_document_gets_the_same_questions_whatever_the_others_are() -> None:
    generator, prompt = open_generator("questions"), load_profile("generic/en").prompt(DOCUMENT)
    other = Prompt("", "Another text about bread and butter.", 3, "en")
    first, _ = generator.generate([prompt, other])
    _, last = generator.generate([other, prompt])
    assert first == last and json.loads(first)
    assert open_generator("questions?seed=1").identity != generator.identity


def test_a_language_without_question_words_gets_extractive_queries() -> None:
    prompt = Prompt("", DOCUMENT, 2, "cy", (3, 9))
    asked, taken = (next(iter(open_generator(name).generate([prompt]))) for name in ("questions", "extractive"))
    assert asked == taken

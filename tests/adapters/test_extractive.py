"""Queries without a model. What a user would lose: a loop that runs offline, in every language."""

from __future__ import annotations

import json

import pytest

from adapters.errors import ModelError
from adapters.protocols import Prompt, Setting
from adapters.spec import open_generator, open_reranker
from training.synthesis.parser import AnswerParser, as_queries
from training.synthesis.profiles import load_profile

DOCUMENT = (
    "The tide mill of Ancasnow grinds barley at low tide. Its wheel was built of oak in 1780, and the miller kept a "
    "diary of every tide. Visitors reach the mill by the small ferry that leaves the harbour at nine."
)
TEXTS = {
    "zh": "潮汐磨坊建于一七八零年，位于港口旁边。磨坊主人每天记录潮水的高度，游客可以乘坐渡船到达磨坊。",
    "ja": "潮汐の水車小屋は一七八〇年に港のそばで建てられた。粉屋の主人は毎日の潮の高さを日記に書いた。",
    "th": "โรงสีน้ำขึ้นน้ำลง สร้างขึ้นในปี 1780 ใกล้ท่าเรือ ผู้มาเยือนเดินทางด้วยเรือข้ามฟาก ทุกวันเวลาเก้าโมง",
    "ru": "Приливная мельница стоит у старой гавани. Мельник вёл дневник приливов, а гости плывут на пароме.",
    "ar": "تقع طاحونة المد قرب الميناء القديم. كان الطحان يكتب ارتفاع المد كل يوم في دفتر صغير.",
    "hi": "ज्वार की चक्की पुराने बंदरगाह के पास है। चक्की का मालिक हर दिन ज्वार की ऊंचाई लिखता था।",
}


def queries(document: str, name: str) -> list[str]:
    profile = load_profile(name)
    (answer,) = open_generator("extractive").generate([profile.prompt(document)])
    return as_queries(AnswerParser(profile).parse(answer, document))


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_every_script_gets_queries_that_keep_to_its_profile(language: str) -> None:
    assert len(queries(TEXTS[language], f"generic/{language}")) >= 2


@pytest.mark.parametrize("name", ["claim-en", "keywords-en", "generic/en"])
def test_every_grammar_is_kept(name: str) -> None:
    assert len(queries(DOCUMENT, name)) >= 2


def test_the_same_document_gets_the_same_queries_whatever_the_others_are() -> None:
    generator, prompt = open_generator("extractive"), load_profile("generic/en").prompt(DOCUMENT)
    other = Prompt("", "Another text about bread and butter.", 3, "en")
    first, _ = generator.generate([prompt, other])
    _, last = generator.generate([other, prompt])
    assert first == last


def test_a_corpus_says_which_words_tell_much() -> None:
    corpus = [DOCUMENT, *["The wheel was built of oak in 1780, and the miller kept a diary of every tide."] * 30]
    generator = open_generator("extractive")
    bound = generator.bind(Setting(corpus, "digest", "en"))  # type: ignore[attr-defined]
    assert bound.identity != generator.identity
    keywords = json.loads(next(bound.generate([Prompt("", DOCUMENT, 3, "en", (3, 6))])))[2]
    assert "diary" not in keywords
    assert "mill" in keywords


def test_an_empty_document_gets_no_query() -> None:
    assert list(open_generator("extractive").generate([Prompt("", "  ")])) == ["[]"]


def test_a_generator_is_no_reranker_nor_the_reverse() -> None:
    with pytest.raises(ModelError, match=r"cannot be a reranker; name it with --generator"):
        open_reranker("extractive")
    with pytest.raises(ModelError, match=r"cannot be a generator; name it with --first-stage, --reranker"):
        open_generator("bm25")

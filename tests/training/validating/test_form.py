"""V3: a user would lose to see that a generator asks one kind of question only."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.validating.planted_queries import QUICK, Draw, asked, compared, natural
from training.synthesis.profiles import profile_names
from training.validating.drawn import Effort
from training.validating.form import counts, measure
from training.validating.query_types import TYPES, grammar_of, languages, query_type
from training.validating.sets import QuerySet, Sets

ASKED = {
    "en": {
        "Who wrote Faust?": "who",
        "when harry met sally": "when",
        "In which year did it start?": "when",
        "where's the tower": "where",
        "At what temperature does water boil?": "what",
        "how to bake bread": "how",
        "how  MANY people live there": "how-many",
        "why is the sky blue": "why",
        "which river is longer": "which",
        "Is the sky blue?": "yes-no",
        "does aspirin help": "yes-no",
        "can openers": "keyword",
        "The tower was built by whom?": "who",
        "The man who wrote it was old.": "claim",
        "Vitamin D lowers the risk.": "claim",
        "aspirin is associated with bleeding": "claim",
        "bread recipe": "keyword",
        "aspirin is safe": "keyword",
        "": "keyword",
    },
    "fr": {
        "Qui a écrit Faust ?": "who",
        "Qu'est-ce que la lune ?": "what",
        "À quelle heure part le train ?": "when",
        "En quelle année ?": "when",
        "Dans quelle ville est-il né ?": "which",
        "Combien d'habitants ?": "how-many",
        "Est-ce que la terre est ronde ?": "yes-no",
        "La Terre est-elle ronde ?": "yes-no",
        "L'homme qui rit est un roman.": "claim",
        "recette de pain": "keyword",
    },
    "de": {
        "Wer schrieb Faust?": "who",
        "Wie viele Einwohner hat Köln?": "how-many",
        "Wie groß ist der Mond?": "how-many",
        "Wie backt man Brot?": "how",
        "In welchem Jahr begann es?": "when",
        "Ist die Erde rund?": "yes-no",
        "Brot backen Rezept": "keyword",
        "Der Mond ist kleiner als die Erde": "claim",
    },
    "es": {
        "¿Quién escribió el Quijote?": "who",
        "¿Por qué el cielo es azul?": "why",
        "cuantos habitantes tiene": "how-many",
        "¿En qué año empezó?": "when",
        "¿Es redonda la Tierra?": "yes-no",
    },
    "ru": {
        "Кто написал «Идиота»?": "who",
        "В каком году началась война?": "when",
        "Сколько людей живёт в Москве": "how-many",
        "На какой реке стоит город?": "which",
        "Правда ли, что земля круглая": "yes-no",
        "Является ли Плутон планетой": "yes-no",
        "рецепт хлеба": "keyword",
    },
    "zh": {
        "谁写了红楼梦": "who",
        "红楼梦是谁写的？": "who",
        "长城是什么时候建的": "when",
        "北京有多少人": "how-many",
        "为什么天空是蓝色的": "why",
        "地球是圆的吗": "yes-no",
        "北京人口": "keyword",
        "北京是首都": "keyword",
        "北京是中华人民共和国的首都": "claim",
        "北京是中华人民共和国的首都。": "claim",
    },
    "ja": {
        "富士山はどこにありますか？": "where",
        "誰が書いた": "who",
        "東京の人口は何人ですか": "how-many",
        "地球は丸いですか": "yes-no",
        "東京 人口": "keyword",
        "富士山は日本で一番高い山である。": "claim",
    },
    "ar": {
        "من كتب الرواية؟": "who",
        "متى بدأت الحرب؟": "when",
        "كم عدد السكان؟": "how-many",
        "هل الأرض كروية؟": "yes-no",
        "في أي مدينة ولد؟": "which",
    },
    "hi": {
        "गोदान किसने लिखा?": "who",
        "भारत की राजधानी क्या है?": "what",
        "क्या पृथ्वी गोल है?": "yes-no",
        "भारत में कितने राज्य हैं?": "how-many",
    },
    "th": {
        "ใครเป็นคนเขียน": "who",
        "เมืองหลวงของไทยคืออะไร": "what",
        "โลกกลมหรือไม่": "yes-no",
        "ประชากรมีเท่าไร": "how-many",
    },
    "tr": {
        "Faust'u kim yazdı?": "who",
        "Savaş ne zaman başladı?": "when",
        "Dünya yuvarlak mı?": "yes-no",
        "Kaç kişi yaşıyor?": "how-many",
        "IRAK NEREDE": "where",
    },
    "vi": {"Ai viết Truyện Kiều?": "who", "Thủ đô ở đâu": "where", "Trái đất có tròn không?": "yes-no"},
    "el": {
        "Ποιος έγραψε την Ιλιάδα;": "who",
        "Πότε ξεκίνησε ο πόλεμος;": "when",
        "Πόσοι κάτοικοι ζουν εκεί;": "how-many",
    },
    "ro": {"Cine a scris Luceafărul?": "who", "În ce an a început?": "when", "De ce este cerul albastru?": "why"},
    "pt": {"Quem escreveu Os Lusíadas?": "who", "O que é a lua?": "what", "Por que o céu é azul?": "why"},
    "it": {"Chi ha scritto il Decameron?": "who", "Perché il cielo è blu?": "why", "Dov'è Roma?": "where"},
    "ko": {
        "누가 썼나요?": "who",
        "언제 시작되었나요": "when",
        "몇 명이 살고 있나요": "how-many",
        "지구는 둥근가요": "yes-no",
        "서울 인구": "keyword",
    },
    "sw": {
        "Nani aliandika kitabu hiki?": "who",
        "Je, mji mkuu ni upi?": "which",
        "Je, dunia ni duara?": "yes-no",
        "Kwa nini anga ni buluu?": "why",
    },
    "bn": {"গীতাঞ্জলি কে লিখেছেন?": "who", "ভারতের রাজধানী কোথায়": "where", "কলকাতার জনসংখ্যা কত?": "how-many"},
    "fa": {"شاهنامه را چه کسی سرود؟": "who", "پایتخت ایران کجاست": "where", "آیا زمین گرد است؟": "yes-no"},
    "fi": {
        "Kuka kirjoitti Kalevalan?": "who",
        "Kuinka monta asukasta siellä on": "how-many",
        "Onko maa pyöreä?": "yes-no",
    },
    "id": {"Siapa penulisnya?": "who", "Apakah bumi bulat?": "yes-no", "Apakah yang dimaksud gerhana": "what"},
    "te": {"రామాయణం ఎవరు రాశారు?": "who", "భారత రాజధాని ఏమిటి": "what", "జనాభా ఎంత?": "how-many"},
    "yo": {"Ta ni ó kọ ìwé náà?": "who", "Kí ni olú ìlú Nàìjíríà?": "what", "Ṣé ayé rí roboto?": "yes-no"},
    "xx": {"Wat is dit?": "question", "dit en dat": "keyword", "dit is zo.": "claim"},
}


def of_who(text: str, draw: Draw) -> str:
    return f"who {natural(text, draw)}"


@pytest.mark.parametrize("language", ASKED)
def test_queries_are_typed_as_a_reader_would(language: str) -> None:
    grammar = grammar_of(language)
    found = {query: query_type(query, grammar) for query in ASKED[language]}
    assert found == ASKED[language]


def test_every_table_has_all_question_words_and_no_empty_phrase() -> None:
    assert set(ASKED) - {"xx"} == set(languages())
    assert {name.partition("/")[2] for name in profile_names() if name.startswith("generic/")} <= set(languages())
    for language in languages():
        grammar = grammar_of(language)
        assert set(grammar.phrases.values()) == set(TYPES[:8]), language
        assert () not in grammar.phrases and () not in grammar.verbs | grammar.yes_no | grammar.yes_no_within
        assert grammar.yes_no or grammar.yes_no_within or grammar.yes_no_end, language


def test_only_who_questions_are_above_the_floor_and_natural_ones_are_not() -> None:
    same, _ = measure(compared(natural), effort=QUICK)
    divergence, spread = measure(compared(of_who), effort=QUICK)
    assert not same.above_floor and same.parts["p"] > 0.01
    assert divergence.above_floor and divergence.parts["p"] < 1e-9
    assert spread.above_floor and spread.levels["synthetic"] == 0
    assert divergence.parts["shares"]["synthetic"][TYPES.index("who")] == 1


def test_the_divergence_is_that_of_the_shares() -> None:
    who, what = ("who is it",) * 60, ("what is it",) * 60
    real = QuerySet("real", who[:30] * 2 + what, language="en")
    apart, _ = measure(Sets(QuerySet("synthetic", who, language="en"), QuerySet("real", what, language="en")))
    half, _ = measure(Sets(QuerySet("synthetic", who, language="en"), real), effort=QUICK)
    assert apart.value == 1
    assert half.value == pytest.approx(0.311, abs=0.03)
    assert half.parts["counts"] == {"synthetic": counts(np.zeros(60)).tolist(), "real": [60, 0, 0, 60] + [0] * 8}


def test_without_real_queries_the_shares_are_reported() -> None:
    row, spread = measure(Sets(QuerySet("synthetic", ("who is it", "what is it"), language="en")))
    assert row.value is None and row.note == "" and "p" not in row.parts
    assert row.parts["shares"]["synthetic"][:4] == [0.5, 0, 0, 0.5]
    assert spread.levels == {"synthetic": 1}


def test_a_set_of_unknown_language_is_read_as_the_synthetic_one() -> None:
    real = QuerySet("real", ("Wer ist das?",))
    row, _ = measure(Sets(QuerySet("synthetic", ("Wer war es?",), language="de-AT"), real))
    assert row.parts["counts"]["real"] == row.parts["counts"]["synthetic"]


def test_the_queries_of_a_document_are_resampled_together() -> None:
    alone = asked("synthetic", 1, 120, query=lambda _, draw: ("who is", "what is")[draw.integers(2)])
    groups = tuple(row // 12 for row in range(120))
    alike = QuerySet("synthetic", tuple(alone.texts[group] for group in groups), groups=groups, language="en")
    real = asked("real", 2, query=lambda _, draw: ("who is", "what is")[draw.integers(2)])
    narrow, wide = (measure(Sets(one, real), effort=Effort(60))[0].interval for one in (alone, alike))
    assert narrow is not None and wide is not None and wide[1] > 2 * narrow[1]

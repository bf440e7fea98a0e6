"""What a generator or a model leaves in queries is found in many languages, and what people ask is not.

What a user would lose: training on labels, markup, prefixes and empty lines; or good queries, for a word in them.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.validating.planted_texts import asked, made
from training.validating.faults.artefacts import LIMIT, artefact
from training.validating.faults.background import Background
from training.validating.faults.fault import Fault
from training.validating.faults.find import faults
from training.validating.faults.references import LANGUAGES
from training.validating.sets import Sets

QUESTIONS, DOCUMENTS = made("en")


def fault(texts: list[str]) -> Fault:
    found = faults(Sets(asked(texts, DOCUMENTS[: len(texts)], "en")), Background.of(DOCUMENTS, "en"))
    return next(one for one in found if one.kind == "artefacts")


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t\n", "\u200b", "?", "...", "[]", "nan", "NaN", "None", "null", "N/A", "n/a.", "undefined", "<NA>"],
)
def test_a_query_without_words_is_an_artefact(text: str) -> None:
    assert artefact(text) == "no words"


@pytest.mark.parametrize("text", ["", "nan"])
def test_each_empty_query_counts_although_they_are_all_the_same(text: str) -> None:
    some = [text if at % 10 == 0 else one for at, one in enumerate(QUESTIONS)]
    assert fault(some).found and "no words 10%" in fault(some).line
    few = [text if at == 0 else one for at, one in enumerate(QUESTIONS)]
    assert not fault(few).found and fault(few).share == pytest.approx(1 / len(QUESTIONS))
    assert fault([text] * len(QUESTIONS)).share == 1


@pytest.mark.parametrize(
    "text", ["Nan Goldin exhibition", "null hypothesis", "none of your business song", "naan", "C"]
)
def test_the_same_words_in_a_query_are_no_artefacts(text: str) -> None:
    assert artefact(text) is None


@pytest.mark.parametrize(
    "label",
    ["search_query:", "Search-Query:", "query_text:", "question_1:", "user query:", "query: ", "passage: ",
     "Instruct: x\n",
     "<Instruct>:", "search_document:", '"query":', "Represent this sentence for searching relevant passages:",
     "Frage 2:", "Вопрос:", "سؤال:", "प्रश्न:", "질문:", "问题：", "Câu hỏi:", "คำถาม:"],
)  # fmt: skip
def test_labels_and_prefixes_of_models_are_found(label: str) -> None:
    assert artefact(f"{label} who built it") == "a label"


@pytest.mark.parametrize(
    "text",
    ["Johnson &amp; Johnson founder", "Tom&nbsp;Hanks films", "who is the king&#39;s son", "caf&eacute; opening",
     "a &#x27; b",
     "<p>who built it</p>", "who<br/>built it", '<a href="x">castle</a>', "who built [it](https://example.org)",
     "<b>who</b> built it", "`` ```who``` ``", "<|im_start|>who"],
)  # fmt: skip
def test_entities_and_markup_are_found(text: str) -> None:
    assert artefact(text) == "markup"


REFERENCES = {
    "en": ["who built it according to the article", "what does the text above claim"],
    "de": ["Wer wird im obigen Artikel genannt?", "Was steht im Text?", "Wer baute laut dem Artikel die Burg?",
           "Was geschah diesem Text zufolge?"],
    "es": ["¿Quién la construyó según el artículo?", "Según el texto, ¿qué pasó?", "¿Qué se dice en este documento?"],
    "fr": ["Selon le texte, qui a gagné ?", "D’après l’article, qui a gagné ?", "Que dit le document fourni ?"],
    "it": ["Secondo il testo, chi ha vinto?"], "pt": ["De acordo com o texto, quem venceu?"],
    "nl": ["Wie won er volgens de tekst?"], "pl": ["Kto wygrał zgodnie z tekstem?"],
    "ru": ["Согласно тексту, кто победил?", "О ком говорится в данной статье?", "Согласно приведённому тексту, кто?"],
    "el": ["Σύμφωνα με το κείμενο, ποιος νίκησε;"], "ro": ["Potrivit textului, cine a câștigat?"],
    "tr": ["Metne göre kim kazandı?", "Bu makalede kim anlatılıyor?"], "fi": ["Kuka voitti tekstin mukaan?"],
    "vi": ["Theo văn bản, ai đã thắng?", "Đoạn văn trên nói về ai?"], "id": ["Menurut teks, siapa yang menang?"],
    "sw": ["Kulingana na makala, nani alishinda?"], "ar": ["وفقًا للنص، من فاز؟", "من ذكر في هذا المقال؟", 
           "وفقا للمقال من فاز؟"],
    "fa": ["طبق متن چه کسی برنده شد؟"], "hi": ["पाठ के अनुसार कौन जीता?", "इस लेख में किसका उल्लेख है?"],
    "bn": ["নিবন্ধ অনুযায়ী কে জিতেছে?"], "te": ["వ్యాసం ప్రకారం ఎవరు గెలిచారు?"], "th": ["ตามบทความ ใครเป็นผู้ชนะ"],
    "zh": ["根据上述文章，谁赢了？", "根據這篇文章，誰贏了？", "文中提到了谁？"],
    "ja": ["この文章によると、誰が勝ちましたか。", "記事によれば誰ですか"],
    "ko": ["이 글에 따르면 누가 이겼나요?", "본문에 따르면 누가 이겼나요?"],
}  # fmt: skip


def test_every_language_has_an_example() -> None:
    assert set(REFERENCES) == set(LANGUAGES)


@pytest.mark.parametrize("text", [text for texts in REFERENCES.values() for text in texts])
def test_references_to_the_document_are_found(text: str) -> None:
    assert artefact(text) == "a reference to the document"


@pytest.mark.parametrize(
    "text",
    ["Was steht in Artikel 5 GG?", "droits selon l'article 49 de la Constitution", "derechos según el artículo 14",
     "enviar mensajes de texto gratis", "procesador de texto", "Что говорится в статье 228 УК?", "R&D; AT&T", "Q&A",
     "if x<y and z>3", "Anayasa madde 5", "ce que dit l’article 5", "paragraaf 3 BGB", "the articles of confederation"],
)  # fmt: skip
def test_laws_messages_and_comparisons_are_no_artefacts(text: str) -> None:
    assert artefact(text) is None


def real_queries(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for file in sorted(folder.rglob("queries.jsonl")):
        yield str(file), [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]
    for file in sorted(folder.rglob("topics.*.tsv.gz")):
        with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
            yield str(file), [row[1] for row in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)]
    for file in sorted(folder.rglob("topics.*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            yield str(file), [json.loads(line)["title"] for line in stream]


def test_real_queries_are_far_from_the_limit(shared_data: Path) -> None:
    """Questions of people in 19 languages, claims, titles and long topics."""
    sets = [(name, texts) for name, texts in real_queries(shared_data) if len(texts) >= 20]
    assert sets
    for name, texts in sets:
        assert sum(artefact(text) is not None for text in texts) / len(texts) < LIMIT / 4, name

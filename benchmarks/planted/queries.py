"""Queries of real collections with planted faults, for `benchmarks/validation.py`."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.validating.faults.background import Background
from training.validating.query_types import WORDS, grammar_of, query_type
from training.validating.sets import QuerySet
from training.validating.words import units

LANGUAGES = ("en", "de", "es", "zh")
CELLS = (*(f"{name}/{language}" for name in ("xquad", "mlqa-dev-r") for language in LANGUAGES), "scifact")
SIZE = 200
Draw = np.random.Generator


class Asked(NamedTuple):
    """A query with its relevant document."""

    id: str
    text: str
    document: str


@dataclass(frozen=True)
class Cell:
    """A collection in one language, with each query's relevant document."""

    name: str
    language: str
    documents: Mapping[str, str]
    queries: tuple[Asked, ...]
    foreign: tuple[Mapping[str, str], ...] = ()
    """The same queries in other languages by id, or queries of another collection."""

    @cached_property
    def background(self) -> Background:
        return Background.of(self.documents.values(), self.language)

    @cached_property
    def topics(self) -> Mapping[str, Sequence[int]]:
        """The rows of the queries of each topic: the first four letters of an id are an article."""
        found: dict[str, list[int]] = defaultdict(list)
        for row, (_, _, document) in enumerate(self.queries):
            found[document if self.name == "scifact" else document.split("p")[0]].append(row)
        return found

    def halves(self, draw: Draw) -> tuple[list[int], list[int]]:
        """The queries of two random halves of the topics."""
        order = draw.permutation(sorted(self.topics)).tolist()
        sizes = np.cumsum([len(self.topics[topic]) for topic in order])
        middle = int(np.searchsorted(sizes, sizes[-1] / 2)) + 1
        return tuple([row for topic in part for row in self.topics[topic]] for part in (order[:middle], order[middle:]))  # type: ignore[return-value]

    @cached_property
    def sentences(self) -> Mapping[str, Sequence[str]]:
        """The sentences of each document that has queries, of five words and more."""
        mark = "。！？" if self.language == "zh" else ".!?"
        found = {}
        for document in {document for _, _, document in self.queries}:
            text = self.documents[document]
            for one in mark[1:]:
                text = text.replace(one, mark[0])
            parts = [part.strip() for part in text.split(mark[0])]
            found[document] = [part for part in parts if len(units(part, self.language)) >= 6] or [text[:120]]
        return found

    def words(self, document: str) -> list[str]:
        return units(self.documents[document], self.language)

    def joined(self, words: Sequence[str]) -> str:
        return ("" if self.language == "zh" else " ").join(words)


@dataclass(frozen=True)
class Planting:
    """The queries of a draw in which a fault is planted."""

    cell: Cell
    rows: Sequence[int]
    """All queries of the half of the topics, in random order."""
    draw: Draw
    others: Sequence[int] = ()
    """The queries of the other half, which are evaluation queries for V13."""

    def each(self, change: Callable[[Asked], str], size: int = SIZE) -> QuerySet:
        chosen = [self.cell.queries[row] for row in self.rows[:size]]
        return self.made([(change(one), one.document) for one in chosen])

    def made(self, pairs: Sequence[tuple[str, str]]) -> QuerySet:
        texts = tuple(text for text, _ in pairs)
        documents = tuple(self.cell.documents[document] for _, document in pairs)
        names = list(dict.fromkeys(document for _, document in pairs))
        groups = tuple(names.index(document) for _, document in pairs)
        return QuerySet("synthetic", texts, documents, groups, self.cell.language)

    def choice(self, among: Sequence[Any]) -> Any:
        return among[int(self.draw.integers(len(among)))]


def real(plant: Planting) -> QuerySet:
    return plant.each(lambda asked: asked.text)


def copied(plant: Planting) -> QuerySet:
    return plant.each(lambda asked: plant.choice(plant.cell.sentences[asked.document]))


def half_copied(plant: Planting) -> QuerySet:
    return plant.each(
        lambda asked: plant.choice(plant.cell.sentences[asked.document]) if plant.draw.random() < 0.5 else asked.text
    )


def first_words(plant: Planting) -> QuerySet:
    size = 16 if plant.cell.language == "zh" else 10
    return plant.each(lambda asked: plant.cell.joined(plant.cell.words(asked.document)[:size]))


def shuffled(plant: Planting) -> QuerySet:
    whole = real(plant)
    order = plant.draw.permutation(len(whole))
    return replace(whole, texts=tuple(whole.texts[row] for row in order.tolist()))


def other_language(plant: Planting) -> QuerySet:
    texts = plant.choice(plant.cell.foreign)
    names = list(texts.values())
    return plant.each(lambda asked: texts.get(asked.id) or plant.choice(names))


_PHRASES = {
    "en": ("in the context of this topic,", "for my homework I need to know"),
    "de": ("im Zusammenhang mit diesem Thema", "für meine Hausaufgaben möchte ich wissen"),
    "es": ("en el contexto de este tema", "para mi tarea necesito saber"),
    "zh": ("在这个主题的背景下", "为了我的作业我想知道"),
}


def phrase(plant: Planting) -> QuerySet:
    words = plant.choice(_PHRASES[plant.cell.language])
    before = plant.draw.random() < 0.5
    return plant.each(
        lambda asked: plant.cell.joined([words, asked.text] if before else [asked.text.rstrip("?？"), words])
    )


def random_words(plant: Planting) -> QuerySet:
    texts = [plant.cell.words(document) for document in dict.fromkeys(one.document for one in plant.cell.queries)]
    every = [word for one in texts for word in one]
    size = 14 if plant.cell.language == "zh" else 8
    return plant.each(lambda _: plant.cell.joined([plant.choice(every) for _ in range(size)]))


def random_words_of_document(plant: Planting) -> QuerySet:
    size = 14 if plant.cell.language == "zh" else 8
    return plant.each(
        lambda asked: plant.cell.joined([plant.choice(plant.cell.words(asked.document)) for _ in range(size)])
    )


def word_order(plant: Planting) -> QuerySet:
    return plant.each(
        lambda asked: plant.cell.joined(plant.draw.permutation(units(asked.text, plant.cell.language)).tolist())
    )


_WHAT = {
    "en": "What is known about {}?",
    "de": "Was weiß man über {}?",
    "es": "¿Qué se sabe de {}?",
    "zh": "{}是什么？",
}


def one_type(plant: Planting) -> QuerySet:
    grammar = grammar_of(plant.cell.language)
    types = {row: query_type(plant.cell.queries[row][1], grammar) for row in plant.rows}
    common = Counter(type_ for type_ in types.values() if type_ in WORDS).most_common(1)
    if common and common[0][1] >= 40:
        rows = [row for row in plant.rows if types[row] == common[0][0]]
        return replace(plant, rows=rows).each(lambda asked: asked.text)
    mark = _WHAT[plant.cell.language]
    return plant.each(lambda asked: mark.format(plant.cell.joined(units(asked.text, plant.cell.language)[-4:])))


def four_times(plant: Planting) -> QuerySet:
    quarter = plant.each(lambda asked: asked.text, SIZE // 4)
    return quarter.take(np.repeat(np.arange(len(quarter)), 4))


def keywords(plant: Planting) -> QuerySet:
    commonest = plant.cell.background.commonest(60)
    grammar = {word for phrase in grammar_of(plant.cell.language).phrases for word in phrase}
    grammar |= {word for phrase in grammar_of(plant.cell.language).verbs for word in phrase}

    def changed(asked: Asked) -> str:
        words = [
            word for word in units(asked.text, plant.cell.language) if word not in commonest and word not in grammar
        ]
        return plant.cell.joined((words or plant.cell.words(asked.document))[:6])

    return plant.each(changed)


def truncated(plant: Planting) -> QuerySet:
    return plant.each(lambda asked: asked.text[: max(4, int(len(asked.text) * plant.draw.uniform(0.4, 0.85)))].rstrip())


_ARTEFACTS = {
    "en": ("Sure! Here are three questions: {}", "I'm sorry, but I can't help with that.", "1. {}", '["{}"', "**{}**",
           "Query: {}", "As an AI language model, I cannot answer this.", "[document] {}"),
    "de": ("Natürlich! Hier sind drei Fragen: {}", "Es tut mir leid, das kann ich nicht.", "1. {}", '["{}"', "**{}**",
           "Frage 1: {}"),
    "es": ("¡Claro! Aquí tienes tres preguntas: {}", "Lo siento, no puedo ayudar con eso.", "1. {}", '["{}"', "**{}**",
           "Pregunta 1: {}"),
    "zh": ("好的，以下是三个问题：{}", "抱歉，我无法提供帮助。", "1. {}", '["{}"', "**{}**", "问题1：{}"),
}  # fmt: skip


def artefacts(plant: Planting) -> QuerySet:
    """A fifth of the queries has one."""
    kinds = _ARTEFACTS[plant.cell.language]
    return plant.each(lambda asked: plant.choice(kinds).format(asked.text) if plant.draw.random() < 0.2 else asked.text)


_PROMPTS = {
    "en": ("Write a search query that this document answers: {}", "Generate 3 questions for the passage. {}",
           "You are given a text of a corpus. Ask for what it says. {}"),
    "de": ("Schreibe eine Suchanfrage, die dieses Dokument beantwortet: {}", "Erstelle 3 Fragen zum Text. {}",
           "Du bekommst einen Text aus einem Korpus. Frage nach seinem Inhalt. {}"),
    "es": ("Escribe una consulta que este documento responda: {}", "Genera 3 preguntas para el pasaje. {}",
           "Recibes un texto de un corpus. Pregunta por su contenido. {}"),
    "zh": ("写一个本文档能回答的查询：{}", "为这段文字生成3个问题。{}",
           "你会得到语料库中的一段文字。请针对内容提问。{}"),
}  # fmt: skip


def prompts(plant: Planting) -> QuerySet:
    """One prompt before three in four queries."""
    prompt = plant.choice(_PROMPTS[plant.cell.language])
    return plant.each(lambda asked: prompt.format(asked.text) if plant.draw.random() < 0.75 else asked.text)


_REFERENCES = {
    "en": ("According to the document, {}", "{} in the passage", "What does the text say about {}"),
    "de": ("Laut dem Dokument: {}", "{} im Text", "Was sagt der Text aus dem Dokument über {}"),
    "es": ("Según el documento, {}", "{} en el texto", "¿Qué se dice en el pasaje sobre {}"),
    "zh": ("根据文档，{}", "根据上文，{}", "根据段落，{}"),
}


def references(plant: Planting) -> QuerySet:
    """A quarter of the queries speaks of the document."""
    kinds = _REFERENCES[plant.cell.language]
    return plant.each(
        lambda asked: plant.choice(kinds).format(asked.text.rstrip("?？")) if plant.draw.random() < 0.25 else asked.text
    )


def leaked(plant: Planting) -> QuerySet:
    """A tenth of the queries are evaluation queries with a word before them, one letter less, or without the mark."""
    others = plant.others or plant.rows

    def changed(asked: Asked) -> str:
        if plant.draw.random() >= 0.1:
            return asked.text
        text = plant.cell.queries[plant.choice(others)].text
        at = int(plant.draw.integers(len(text)))
        return str(plant.choice((text.rstrip("?？"), text[:at] + text[at + 1 :], plant.cell.joined(["ok", text]))))

    return plant.each(changed)


PLANTS: Mapping[str, tuple[Callable[[Planting], QuerySet], tuple[str, ...], bool]] = {
    "copied sentences": (copied, ("copied",), False),
    "half of them copied sentences": (half_copied, ("copied",), False),
    "the first words of the document": (first_words, ("copied",), False),
    "queries of other documents": (shuffled, ("pairs",), False),
    "another language": (other_language, ("language",), False),
    "one phrase in all": (phrase, ("phrase",), False),
    "random words of the corpus": (random_words, ("random words",), False),
    "random words of the document": (random_words_of_document, ("random words",), False),
    "words in another order": (word_order, ("random words",), False),
    "one question word only": (one_type, ("one form", "phrase"), False),
    "each query four times": (four_times, ("repeated",), False),
    "truncated": (truncated, ("truncated",), False),
    "a fifth with refusals, openings, markup": (artefacts, ("artefacts",), False),
    "a prompt in three of four": (prompts, ("artefacts", "phrase"), False),
    "a quarter speaks of the document": (references, ("artefacts", "phrase"), False),
    "keywords where people ask": (keywords, ("form",), True),
}
"""The function that plants, the kinds that name the fault, and whether only real queries can show it."""
CONTROL = "real held-out queries"
LEAKED = "a tenth are evaluation queries"
"""What only V13 can see; `leaked` plants it."""


def read(folder: Path, name: str) -> Cell:
    """One collection."""
    language = name.split("/")[1] if "/" in name else "en"
    documents = {
        row["_id"]: " ".join(filter(None, (row.get("title"), row["text"])))
        for row in lines(folder / name / "corpus.jsonl")
    }
    texts = {row["_id"]: row["text"] for row in lines(folder / name / "queries.jsonl")}
    judged: dict[str, str] = {}
    for file in sorted((folder / name / "qrels").iterdir()):
        for line in file.read_text("utf-8").splitlines()[1:]:
            query, document, grade = line.split("\t")
            if int(grade) > 0 and query in texts:
                judged.setdefault(query, document)
    rows = tuple(Asked(query, texts[query], document) for query, document in judged.items())
    source = name.split("/")[0] if "/" in name else "xquad"
    others = tuple(
        {row["_id"]: row["text"] for row in lines(folder / source / other / "queries.jsonl")}
        for other in LANGUAGES if other != language
    )  # fmt: skip
    return Cell(name, language, documents, rows, others)


def lines(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]

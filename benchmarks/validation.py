"""How often planted faults of synthetic queries are named, and how often real held-out queries are accused.

    python benchmarks/validation.py DATA WORK.jsonl [--draws 24] [--out FILE.json]

DATA holds the collections xquad/<language>, mlqa-dev-r/<language> and scifact in BEIR's layout. Each draw takes a
random half of the topics (the articles of XQuAD and MLQA, the abstracts of SciFact) and at most 200 of its queries, and
plants a fault in them. The control plants nothing. The rules of V15 read the set once alone, as the default call does,
and once with the real queries of the other half of the topics, and V6 too. WORK.jsonl keeps finished parts; the same
command goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness.result.environment import machine
from training.validating import classifier
from training.validating.calibration import wilson
from training.validating.decision import SUSPICIOUS
from training.validating.faults.background import Background
from training.validating.faults.find import faults
from training.validating.measured import LEAST
from training.validating.query_types import WORDS, grammar_of, query_type
from training.validating.sets import QuerySet, Sets
from training.validating.topics import with_topics
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


def read(folder: Path, name: str) -> Cell:
    """One collection."""
    language = name.split("/")[1] if "/" in name else "en"
    documents = {
        row["_id"]: " ".join(filter(None, (row.get("title"), row["text"])))
        for row in _lines(folder / name / "corpus.jsonl")
    }
    texts = {row["_id"]: row["text"] for row in _lines(folder / name / "queries.jsonl")}
    judged: dict[str, str] = {}
    for file in sorted((folder / name / "qrels").iterdir()):
        for line in file.read_text("utf-8").splitlines()[1:]:
            query, document, grade = line.split("\t")
            if int(grade) > 0 and query in texts:
                judged.setdefault(query, document)
    rows = tuple(Asked(query, texts[query], document) for query, document in judged.items())
    source = name.split("/")[0] if "/" in name else "xquad"
    others = tuple(
        {row["_id"]: row["text"] for row in _lines(folder / source / other / "queries.jsonl")}
        for other in LANGUAGES if other != language
    )  # fmt: skip
    return Cell(name, language, documents, rows, others)


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


MODES = ("alone", "with real queries")
Part = dict[str, Any]


def battery(cells: Sequence[Cell], draws: int, seed: int, work: Path) -> list[Part]:
    """For each fault, collection and mode: how often each kind was named. Parts in the file are not repeated."""
    found = _lines(work) if work.exists() else []
    known = {_key(one) for one in found}
    for mode in MODES:
        for plant in (CONTROL, *PLANTS):
            for number, cell in enumerate(cells):
                part = {"fault": plant, "collection": cell.name, "mode": mode, "draws": draws, "seed": seed}
                if _key(part) not in known:
                    part |= _counted(plant, cell, draws, [seed, number], mode == MODES[1])
                    found.append(part)
                    with work.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(part, ensure_ascii=False) + "\n")
    return [one for one in found if (one["draws"], one["seed"]) == (draws, seed)]


def _key(part: Part) -> tuple[object, ...]:
    return tuple(part[name] for name in ("fault", "collection", "mode", "draws", "seed"))


def _counted(plant: str, cell: Cell, draws: int, seed: Sequence[int], compared: bool) -> Part:
    change, kinds, _ = PLANTS.get(plant, (real, (), False))
    draw = np.random.default_rng([*seed, *plant.encode(), compared])
    named, blocked, found, size = 0, 0, Counter[str](), 0
    separated, above, areas = 0, 0, list[float]()
    for _ in range(draws):
        sets = _drawn(cell, change, draw, compared)
        there = [one for one in faults(sets, cell.background, cell.background) if one.found]
        found.update(one.kind for one in there)
        named += any(one.kind in kinds for one in there)
        blocked += any(one.blocks for one in there)
        size += len(sets.synthetic)
        if compared:
            (row,) = classifier.measure(with_topics(sets), enough=LEAST)
            if row.value is not None:
                areas.append(row.value)
                separated += row.value > SUSPICIOUS
                above += bool(row.above_floor)
    v6 = (
        {"V6": {"separated": separated, "above": above, "of": len(areas), "mean": float(np.mean(areas))}}
        if areas
        else {}
    )
    return {"named": named, "blocked": blocked, "kinds": dict(found), "queries": round(size / draws), **v6}


def _drawn(cell: Cell, change: Callable[[Planting], QuerySet], draw: Draw, compared: bool) -> Sets:
    own, other = cell.halves(draw)
    if not compared and len(own) < SIZE:
        own = own + other
    sets = Sets(change(Planting(cell, draw.permutation(own).tolist(), draw)), seed=int(draw.integers(1 << 30)))
    if not compared:
        return sets
    shown = real(Planting(cell, draw.permutation(other).tolist(), draw))
    return replace(sets, real=replace(shown, name="real"))


def summary(parts: Sequence[Part]) -> dict[str, Any]:
    """The rates of each fault over all collections, by mode."""
    return {
        plant: {mode: _totals([one for one in parts if (one["fault"], one["mode"]) == (plant, mode)]) for mode in MODES}
        for plant in (CONTROL, *PLANTS)
    }


def _totals(parts: Sequence[Part]) -> dict[str, Any]:
    draws = sum(one["draws"] for one in parts)
    kinds = sum((Counter(one["kinds"]) for one in parts), Counter[str]())
    total: dict[str, Any] = {"draws": draws}
    for key in ("named", "blocked"):
        hits = sum(one[key] for one in parts)
        total[key] = {"hits": hits, "share": hits / max(1, draws), "interval": wilson(hits, draws)}
    measured = [one["V6"] for one in parts if "V6" in one]
    if measured:
        of = sum(one["of"] for one in measured)
        total["V6"] = {
            name: {"share": hits / of, "interval": wilson(hits, of)}
            for name in ("separated", "above") for hits in [sum(one[name] for one in measured)]
        } | {"mean": sum(one["mean"] * one["of"] for one in measured) / of}  # fmt: skip
    low = {one["collection"]: one["named"] / one["draws"] for one in parts if one["named"] < 0.95 * one["draws"]}
    return {**total, "kinds": {kind: count / max(1, draws) for kind, count in kinds.most_common()}, "below 95 %": low}


def table(found: Mapping[str, Any]) -> list[str]:
    """The rows of the table in docs/validation.md."""
    rows = []
    for plant, modes in found.items():
        alone, compared = (modes[mode] for mode in MODES)
        key = "blocked" if plant == CONTROL else "named"
        shown = [f"{one[key]['hits']} of {one['draws']}" for one in (alone, compared)]
        if PLANTS.get(plant, (real, (), False))[2]:
            shown[0] = "–"
        rows.append(f"| {plant} | {shown[0]} | {shown[1]} | {compared['V6']['mean']:.2f} |")
    return rows


def main() -> None:
    """Draw, plant and read; the same command goes on after a kill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--draws", type=int, default=24, help="draws for each fault and collection")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    parts = battery([read(options.data, name) for name in CELLS], options.draws, options.seed, options.work)
    result = {
        "machine": machine(), "draws": options.draws, "seed": options.seed, "faults": summary(parts), "parts": parts,
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print(*table(result["faults"]), sep="\n")
    if options.out:
        options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()

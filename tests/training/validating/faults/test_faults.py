"""Faults by name. What a user would lose: hours of training on copies, on another language, on random words; or good
queries, for a fault that they do not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.training.validating.planted_texts import asked, made
from training.validating.faults.artefacts import artefact
from training.validating.faults.background import Background
from training.validating.faults.fault import KINDS, Fault, exceeds
from training.validating.faults.find import faults, measure
from training.validating.sets import QuerySet, Sets

QUESTIONS, DOCUMENTS = made("en")
GERMAN = made("de")
COLOURS = ["red", "blue", "green", "black", "white", "grey", "pink", "brown"]
DRAW = np.random.default_rng(1)
Change = Callable[[], list[str]]


def found(questions: list[str], documents: list[str] = DOCUMENTS, real: QuerySet | None = None,
          language: str | None = "en") -> dict[str, Fault]:  # fmt: skip
    """The named faults by kind."""
    sets = Sets(asked(questions, documents, language), real)
    return {one.kind: one for one in faults(sets, Background.of(documents, language)) if one.found}


def rotated(words: list[str]) -> list[str]:
    return [*words[7:], *words[:7]]


def shuffled_words() -> list[str]:
    return [" ".join(DRAW.permutation(one.rstrip("?").split()).tolist()) for one in QUESTIONS]


def of_the_corpus() -> list[str]:
    words = " ".join(DOCUMENTS).split()
    return [" ".join(words[int(at)] for at in DRAW.integers(len(words), size=8)) for _ in QUESTIONS]


PLANTED: dict[str, tuple[Change, str, str]] = {
    "sentences": (lambda: [one.split(".")[0] for one in DOCUMENTS], "copied", "100% of the queries are a passage"),
    "first words": (lambda: [" ".join(one.split()[:10]) for one in DOCUMENTS], "copied", "of these its first words"),
    "exchanged": (lambda: rotated(QUESTIONS), "pairs", "the queries do not ask about their documents"),
    "German": (lambda: GERMAN[0], "language", "look German"),
    "phrase": (lambda: [f"for my homework I ask: {one}" for one in QUESTIONS], "phrase",
               "100% begin with 'for my homework i ask'"),
    "random": (of_the_corpus, "random words", "random words"),
    "order": (shuffled_words, "random words", "random words"),
    "one word": (lambda: [f"who {one.partition(' ')[2]}" for one in QUESTIONS], "one form", "100% ask 'who'"),
    "four times": (lambda: [one for one in QUESTIONS[:30] for _ in range(4)], "repeated", "each query occurs 4 times"),
    "cut": (lambda: [one[: len(one) * 6 // 10].rstrip() for one in QUESTIONS], "truncated", "stop in the middle"),
    "refusals": (lambda: [f"Sure! Here are three questions: {one}" if at % 5 == 0 else one
                          for at, one in enumerate(QUESTIONS)], "artefacts", "the opening of an answer 20%"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_named_in_words(name: str) -> None:
    change, kind, words = PLANTED[name]
    documents = [one for one in DOCUMENTS[:30] for _ in range(4)] if name == "four times" else DOCUMENTS
    named = found(change(), documents)
    assert kind in named and words in named[kind].line and named[kind].blocks


@pytest.mark.parametrize("language", ["en", "de"])
def test_questions_have_no_fault(language: str) -> None:
    questions, documents = made(language)
    assert found(questions, documents, language=language) == {}
    others = asked(*made(language, seed=5), language, "real")
    assert found(questions, documents, others, language) == {}


def test_a_language_with_few_marks_shows_no_end_of_a_sentence() -> None:
    """In Thai 70 % of real questions would stop in the middle."""
    texts = [f"กรุงเทพมหานครเป็นเมืองหลวงและเมืองที่มีประชากรมากที่สุดของประเทศไทย {at}" for at in range(40)]
    (one,) = [one for one in faults(Sets(asked([text[:20] for text in texts], texts, "th")), Background.of(texts, "th"))
              if one.kind == "truncated"]  # fmt: skip
    assert one.share is None and "too few marks" in one.line


def test_every_kind_has_a_row_and_only_the_found_ones_have_a_sentence() -> None:
    rows = measure(Sets(asked(QUESTIONS, DOCUMENTS, "en")), DOCUMENTS)
    assert [row.statistic for row in rows] == list(KINDS)
    assert {row.id for row in rows} == {"V15"} and not any(row.parts["found"] for row in rows)
    (form,) = [row for row in rows if row.statistic == "form"]
    assert form.levels["synthetic"] is None and "needs real queries" in form.note


def test_keywords_where_people_ask_are_another_form_and_alone_no_fault() -> None:
    keywords = [" ".join(word for word in one.rstrip("?").split() if word[0].isupper() or len(word) > 5)
                for one in QUESTIONS]  # fmt: skip
    keywords = [one.partition(" ")[2] or one for one in keywords]
    real = asked(*made("en", seed=5), "en", "real")
    assert "form" in found(keywords, real=real) and "are keywords" in found(keywords, real=real)["form"].line
    assert not {"form", "one form", "random words", "pairs"} & set(found(keywords))


def test_what_real_queries_do_too_is_no_fault() -> None:
    sentences, others = [one.split(".")[0] for one in DOCUMENTS], made("en", seed=5)[1]
    real = asked([one.split(".")[0] for one in others], others, "en", "real")
    assert "copied" in found(sentences)
    assert "copied" not in found(sentences, real=real)


def test_queries_in_another_language_than_their_documents_are_wanted_if_their_language_is_declared() -> None:
    """A profile may ask for German queries about English documents; words then say nothing about the pairs."""
    assert found(GERMAN[0], language="de") == {}
    undeclared = found(GERMAN[0], language=None)
    assert list(undeclared) == ["language"] and not undeclared["language"].blocks


def test_queries_of_two_languages_are_compared_with_the_language_that_each_declares() -> None:
    """Half of the rows would be called a fault for what they rightly declare, and the set could not be used."""
    half = len(QUESTIONS) // 2
    texts, documents = [*QUESTIONS[:half], *GERMAN[0][half:]], [*DOCUMENTS[:half], *GERMAN[1][half:]]
    right = ("en",) * half + ("de",) * (len(texts) - half)

    def named(languages: tuple[str, ...]) -> dict[str, Fault]:
        sets = Sets(replace(asked(texts, documents, "en"), languages=languages))
        return {one.kind: one for one in faults(sets, Background.of(documents, "en")) if one.found}

    assert named(right) == {}
    wrong = named(right[::-1])["language"]
    assert wrong.blocks and "not in the declared language of the query" in wrong.line
    assert "look German" in named(())["language"].line, "without languages of their own, rows have that of the corpus"


def test_queries_that_name_no_document_are_compared_with_the_language_of_the_corpus() -> None:
    """Most files of queries are ids and texts alone."""
    alone = QuerySet("synthetic", tuple(GERMAN[0]), None, tuple(range(len(GERMAN[0]))), None)
    read = {one.kind: one for one in faults(Sets(alone, None), Background.of(DOCUMENTS, None))}
    assert read["language"].found and "not English" in read["language"].line
    assert read["random words"].share is None, "words of two languages are not compared"
    assert "'document'" in read["copied"].line


def test_vectors_find_exchanged_pairs_across_languages() -> None:
    draw = np.random.default_rng(3)
    documents = draw.normal(size=(120, 16)).astype(np.float32)
    documents /= np.linalg.norm(documents, axis=1, keepdims=True)
    texts = tuple(made("de", seed=9)[0])  # with other names than the documents
    for shift, kinds in ((0, []), (7, ["pairs"])):
        vectors = np.roll(documents, shift, axis=0)
        own = QuerySet(
            "synthetic", texts, tuple(DOCUMENTS), tuple(range(120)), "de", vectors=vectors, document_vectors=documents
        )  # fmt: skip
        named = [one.kind for one in faults(Sets(own), Background.of(DOCUMENTS, "de")) if one.found]
        assert named == kinds


def test_a_corpus_without_grammar_decides_nothing_about_order() -> None:
    lists = [" ".join(DRAW.permutation(COLOURS)) for _ in range(60)]
    (one,) = [one for one in faults(Sets(asked(lists, lists, "en")), Background.of(lists, "en"))
              if one.kind == "random words"]  # fmt: skip
    assert one.share is None and "no order of words" in one.line


def test_a_share_exceeds_a_limit_only_for_certain() -> None:
    assert not exceeds(7, 20, 0.3)  # 35 %, but 18 % to 57 %
    assert exceeds(70, 200, 0.28)
    assert not exceeds(70, 200, 0.28, real=(60, 200))
    assert not exceeds(0, 0, 0.0)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("As an AI language model, I cannot answer", "a refusal"),
        ("Hier sind drei Fragen: wer?", "the opening of an answer"),
        ("Question 2: who built it?", "a label"),
        ("2. who built it", "a number"),
        ("**who** built it", "markup"),
        ("Write a search query that this text answers", "an instruction"),
        ("What does the passage say, according to the document?", "a reference to the document"),
        ("GrÃ¶ÃŸe der Burg", "damaged letters"),
    ],
)
def test_artefacts_are_recognised(text: str, name: str) -> None:
    assert artefact(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "1,000 genomes project enables mapping", "5% of mortality", "what is in the context of war", "C++ or C#?",
        "Sure Start centres in England", "how to write a letter", "U.S. Route 2", "in welchem Jahr war das?",
        "¿Qué es el texto sagrado del islam?", "什么是文档数据库？", "who wrote the Declaration of Independence",
    ],
)  # fmt: skip
def test_what_people_ask_is_no_artefact(text: str) -> None:
    assert artefact(text) is None


def test_one_form_is_seen_where_nothing_declares_a_language() -> None:
    """Most files of queries declare none, and "0 %" would say that their form was read."""
    for texts, documents in ((QUESTIONS, DOCUMENTS), GERMAN):
        asks = [f"{'who' if texts is QUESTIONS else 'wer'} {one.partition(' ')[2]}" for one in texts]
        assert "one form" in found(asks, documents, language=None)
        assert "one form" not in found(texts, documents, language=None)


def test_a_form_in_a_language_without_a_table_is_not_called_read() -> None:
    by_kind = {one.kind: one for one in faults(Sets(asked(QUESTIONS, DOCUMENTS, "hu")), Background.of(DOCUMENTS, "hu"))}
    assert by_kind["one form"].share is None and "question words" in by_kind["one form"].line

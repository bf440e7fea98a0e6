"""The planted questions: what a user would lose is that a probe accuses a reranker for something else than its sign."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.packaged import PACKAGES, weights_of
from adapters.spec import open_reranker
from harness.checks.probe import (
    FACTS,
    Planted,
    coin,
    language_code,
    languages,
    planted,
    planted_from,
    planted_in,
    ranked,
    wrong_sign,
)
from harness.data.suites.targets import suites
from tests.fake_rankers import ByLength, Flipped, Good, Resisting
from tests.tiny_collection import CORPUS, QUERIES, Place


def scored(reranker: Good, asked: Planted) -> np.ndarray:
    return reranker.score(asked.queries, asked.answers, asked.pairs)


def test_every_language_of_the_suites_has_planted_questions() -> None:
    spoken = {one.language for suite in suites().values() for one in suite.collections if one.language}
    assert spoken
    assert {language for language in spoken if language_code(language) is None} == set()
    assert {"el", "tr", "vi", "pl", "uk", "he", "ta", "ur"} <= set(languages())


@pytest.mark.parametrize("language", languages())
def test_a_language_has_four_different_questions_and_answers(language: str) -> None:
    asked = planted(language)
    assert len(set(asked.queries)) == len(set(asked.answers)) == FACTS
    assert not set(asked.queries) & set(asked.answers)
    assert all(text == text.strip() for text in (*asked.queries, *asked.answers))


@pytest.mark.parametrize("language", languages())
def test_a_scorer_that_only_looks_at_the_document_is_right_in_half(language: str) -> None:
    found = ranked(planted(language), scored(ByLength(), planted(language)))
    assert (found.right, found.of) == (6, 12)
    assert not found.reads
    assert wrong_sign([found]) is None


@pytest.mark.parametrize(
    ("given", "code"),
    [("nb", "no"), ("NOB-Latn", "no"), ("zh_CN", "zh"), ("swa", "sw"), ("tlh", None), ("", None), (None, None)],
)
def test_other_codes_of_a_language_find_its_questions(given: str | None, code: str | None) -> None:
    assert language_code(given) == code


def test_equal_scores_count_half_and_are_distinguished_from_a_wrong_sign() -> None:
    found = ranked(planted("en"), np.zeros(16, np.float32))
    assert (found.right, found.of, found.constant) == (6, 12, True)
    assert wrong_sign([found]) is None


def test_luck_is_no_wrong_sign_and_no_luck_explains_one() -> None:
    assert coin(12, 12) == 1
    assert coin(0, 12) == pytest.approx(1 / 4096)
    assert coin(1.5, 12) == coin(2, 12), "a tie is no evidence against the reranker"
    flipped = [ranked(planted(language), scored(Flipped(), planted(language))) for language in ("en", "de")]
    assert wrong_sign(flipped[:1]) == flipped[0]
    assert wrong_sign(flipped).of == 24  # type: ignore[union-attr]
    few = Planted("en", planted("en").queries[:2], planted("en").answers[:2])
    assert wrong_sign([ranked(few, scored(Flipped(), few))]) is None, "two comparisons show nothing"


def test_one_wrong_language_among_many_right_ones_is_found() -> None:
    right = [ranked(planted(name), scored(Good(), planted(name))) for name in ("en", "de", "fr", "es")]
    wrong = ranked(planted("th"), scored(Flipped(), planted("th")))
    assert wrong_sign([*right, wrong]) == wrong
    assert wrong_sign(right) is None


def test_a_collection_without_a_known_language_asks_for_its_relevant_documents(place: Place) -> None:
    asked, texts = planted_in(place.load()), {text: name for name, text in QUERIES.items()}
    assert len(asked.queries) == FACTS and set(asked.queries) == set(QUERIES.values())
    best = {"q1": "d1", "q2": "d3", "q3": "d5", "q4": "d8"}
    assert [f" {CORPUS[best[texts[query]]]}" for query in asked.queries] == list(asked.answers)
    assert asked == planted_in(place.load(place.path / "coll")), "always the same ones"
    assert ranked(asked, scored(Good(), asked)).reads
    assert wrong_sign([ranked(asked, scored(Flipped(), asked))])


def test_no_answer_is_an_answer_of_another_question(place: Place) -> None:
    queries = {name: f"question {name}" for name in "abcdefgh"}
    corpus = {"both": "one for both", "same": "a text", "again": "a text", "query": "question e", **CORPUS}
    qrels = [("a", "both", 2), ("a", "d1", 1), ("b", "both", 1), ("c", "same", 1), ("d", "again", 1), ("e", "query", 1)]
    qrels += [("f", "d2", 1), ("g", "d3", 0), ("h", "d4", 1)]
    asked = planted_in(place.load(place.beir(corpus=corpus, queries=queries, qrels=qrels)))
    names = {query.split()[1] for query in asked.queries}
    assert names == {"f", "h"} | (names & {"a", "b"}) | (names & {"c", "d"})
    assert len(names) == FACTS and len(set(asked.answers)) == FACTS
    assert not {answer.strip() for answer in asked.answers} & set(queries.values())


def test_a_detected_language_has_planted_questions(place: Place) -> None:
    pytest.importorskip("py3langid")
    text = "Die Fähre verlässt den Hafen jeden Morgen um neun Uhr, und im Winter bleibt sie am Kai liegen. "
    collection = place.load(place.beir(corpus={f"d{n}": f"{text * 3}{n}" for n in range(1, 9)}))
    assert (collection.language, collection.detected_language) == (None, "de")
    assert planted_in(collection) == planted("de")


@pytest.mark.parametrize("language", languages())
def test_who_learned_that_a_query_answers_nothing_passes_and_a_wrong_sign_does_not(language: str) -> None:
    asked = planted(language)
    assert wrong_sign([ranked(asked, scored(Resisting(), asked))]) is None
    flipped = ranked(asked, -scored(Resisting(), asked))
    assert wrong_sign([flipped]) == flipped


def test_word_counting_is_asked_for_the_queries_themselves(place: Place) -> None:
    asked = planted_from(place.load())
    assert sorted(asked.queries) == sorted(QUERIES.values())
    assert asked.queries == asked.answers


def test_queries_with_one_text_are_planted_once(place: Place) -> None:
    queries = {"a": "low tide", "b": "low tide", "c": "bread"}
    collection = place.load(place.beir(queries=queries, qrels=[("a", "d5", 1), ("b", "d2", 1), ("c", "d3", 1)]))
    for asked in (planted_in(collection), planted_from(collection)):
        assert sorted(asked.queries) == ["bread", "low tide"]


def test_the_packaged_rerankers_pass_in_their_languages() -> None:
    pytest.importorskip("onnxruntime")
    for model, spoken in {"english-cross-encoder": ["en"], "multilingual-e5-small": ["th", "yo"]}.items():
        try:
            assert Path(weights_of(model)).exists()
        except Exception:
            pytest.skip(f"{PACKAGES[model].name} is not installed")
        reranker = open_reranker(f"packaged:{model}")
        for language in spoken:
            asked = planted(language)
            assert ranked(asked, reranker.score(asked.queries, asked.answers, asked.pairs)).reads, (model, language)

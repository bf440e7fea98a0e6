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
from tests.fake_rankers import ByLength, Flipped, Good
from tests.tiny_collection import QUERIES, Place


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


def test_a_collection_without_a_known_language_asks_its_own_queries(place: Place) -> None:
    asked = planted_in(place.load())
    assert sorted(asked.queries) == sorted(QUERIES.values())
    assert asked.queries == asked.answers
    assert asked == planted_from(place.load(place.path / "coll")), "always the same ones"
    assert ranked(asked, scored(Good(), asked)).reads


def test_queries_with_one_text_are_planted_once(place: Place) -> None:
    queries = {"a": "low tide", "b": "low tide", "c": "bread"}
    asked = planted_in(place.load(place.beir(queries=queries, qrels=[(name, "d1", 1) for name in queries])))
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

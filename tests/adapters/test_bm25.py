"""BM25: what a user would lose is the reference point that every other system is compared with."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from adapters import spec
from adapters.analysis import Analyzer
from adapters.bm25 import BM25Reranker, BM25Retriever
from adapters.errors import ModelError, UsageError
from adapters.identity import digest
from adapters.protocols import Bindable, Retriever, Setting, StreamingReranker
from adapters.sums import DamageWarning

METHODS = ["lucene", "robertson", "atire"]
CORPUS = [
    "Berlin is the capital of Germany and its largest city.",
    "Paris is the capital of France.",
    "The Spree flows through Berlin, Berlin and again Berlin.",
    "Bananas are rich in potassium.",
    "",
    "A recipe for potato soup with onions and German sausages.",
    "Die Hauptstadt ist Berlin.",
    "Nothing of interest stands in this rather long text about the weather, the wind and the rain of the north.",
]
QUERIES = ["What is the capital of Germany?", "berlin berlin spree", "potassium in bananas"]
FACTS = {
    "en": (
        ["Cats sleep most of the day.", "The capital of Germany is Berlin.", "Rivers carry water."],
        "german capitals",
    ),
    "de": (
        ["Katzen schlafen viel.", "Die Häuser der Stadt sind alt.", "Flüsse führen Wasser."],
        "Wie alt ist das Haus?",
    ),
    "zh": (["猫每天睡很久。", "德国的首都是柏林。", "河流带来水。"], "德国首都在哪里"),
    "ja": (["猫は一日中寝ている。", "ドイツの首都はベルリンです。", "川は水を運ぶ。"], "ドイツの首都はどこですか"),
    "th": (["แมวนอนทั้งวัน", "เมืองหลวงของเยอรมนีคือเบอร์ลิน", "แม่น้ำพาน้ำไป"], "เมืองหลวงของเยอรมนี"),
    "hi": (["बिल्ली दिन भर सोती है।", "जर्मनी की राजधानी बर्लिन है।", "नदी पानी लाती है।"], "जर्मनी की राजधानी"),
    "ar": (["تنام القطط طوال اليوم.", "عاصمة ألمانيا هي برلين.", "الأنهار تحمل الماء."], "ما هي عاصمةُ ألمانيا"),
}


class Counted(Sequence[str]):
    """A corpus that is counted while it is read, and can only be read in blocks."""

    def __init__(self, texts: list[str]) -> None:
        self.texts, self.read = texts, 0

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: Any) -> Any:
        assert isinstance(index, slice)
        self.read += len(self.texts[index])
        return self.texts[index]


def setting(corpus: Sequence[str] = CORPUS, language: str | None = "en", cache: Path | None = None) -> Setting:
    return Setting(corpus, f"digest of {len(corpus)}", language, cache=cache)


def retrieved(
    retriever: BM25Retriever, queries: list[str], corpus: Sequence[str], depth: int
) -> list[dict[int, float]]:
    offsets, documents, scores = retriever.search(queries, corpus, depth)
    assert documents.dtype == offsets.dtype == np.int64
    assert scores.dtype == np.float32
    spans = itertools.pairwise(offsets.tolist())
    return [dict(zip(documents[a:b].tolist(), scores[a:b].tolist(), strict=True)) for a, b in spans]


def assert_same_bits(first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def all_pairs(queries: list[str], documents: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([(q, d) for q in range(len(queries)) for d in range(len(documents))], dtype=np.int64)


def by_the_book(query: str, row: int, method: str, k1: float, b: float) -> float:
    """The formula, written as in Kamphuis et al. (2020), one term at a time."""
    cut = [Analyzer("en").terms(text) for text in CORPUS]
    average = sum(map(len, cut)) / len(cut)
    counts, total = Counter(cut[row]), 0.0
    for term in Analyzer("en").terms(query):
        if not counts[term]:
            continue
        df = sum(term in document for document in cut)
        odds = (len(cut) - df + 0.5) / (df + 0.5)
        idf = {"lucene": math.log(1 + odds), "robertson": max(0.0, math.log(odds)), "atire": math.log(len(cut) / df)}
        weight = counts[term] / (counts[term] + k1 * (1 - b + b * len(cut[row]) / average))
        total += idf[method] * weight * (k1 + 1 if method == "atire" else 1)
    return total


@pytest.mark.parametrize("language", sorted(FACTS))
def test_the_obvious_document_comes_first_in_every_language(language: str) -> None:
    corpus, query = FACTS[language]
    bound = BM25Retriever().bind(setting(corpus, language))
    assert next(iter(retrieved(bound, [query], corpus, 3)[0])) == 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (0.9, 0.4), (0.0, 0.0), (2.0, 1.0)])
def test_scores_are_those_of_the_formula(method: Any, k1: float, b: float) -> None:
    bound = BM25Retriever(method=method, k1=k1, b=b).bind(setting())
    for query, found in zip(QUERIES, retrieved(bound, QUERIES, CORPUS, 100), strict=True):
        expected = {row: by_the_book(query, row, method, k1, b) for row in range(len(CORPUS))}
        assert found == pytest.approx({row: score for row, score in expected.items() if score > 0}, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_reranker_gives_the_scores_of_the_first_stage(method: Any) -> None:
    found = retrieved(BM25Retriever(method=method).bind(setting()), QUERIES, CORPUS, 100)
    scores = BM25Reranker(method=method).bind(setting()).score(QUERIES, CORPUS, all_pairs(QUERIES, CORPUS))
    expected = [found[q].get(d, 0.0) for q, d in all_pairs(QUERIES, CORPUS).tolist()]
    assert scores == pytest.approx(expected, abs=1e-5)


def test_the_reranker_scores_texts_that_the_corpus_does_not_have() -> None:
    reranker = BM25Reranker().bind(setting())
    documents = ["The capital of Germany, says nobody.", "zebra xylophone"]
    scores = reranker.score(["capital of Germany", "zebra"], documents, all_pairs(["", ""], documents))
    assert scores[0] > 0
    assert scores[1:].tolist() == [0, 0, 0]


def test_candidates_come_best_first_and_not_deeper_than_asked() -> None:
    found = retrieved(BM25Retriever().bind(setting()), QUERIES, CORPUS, 2)
    assert all(len(rows) <= 2 and list(rows.values()) == sorted(rows.values(), reverse=True) for rows in found)


def test_a_document_without_a_term_of_the_query_is_no_candidate() -> None:
    found = retrieved(BM25Retriever().bind(setting()), ["bananas", "zebra", "", "?"], CORPUS, 100)
    assert [list(rows) for rows in found] == [[3], [], [], []]


def test_an_empty_corpus_and_a_corpus_without_words_have_no_candidates() -> None:
    for corpus in ([], ["", "?!"]):
        assert retrieved(BM25Retriever().bind(setting(corpus)), ["berlin"], corpus, 5) == [{}]
        scores = BM25Reranker().bind(setting(corpus)).score(["berlin"], ["berlin"], np.array([[0, 0]]))
        assert scores.tolist() == [0]


def test_of_equal_documents_the_lower_rows_make_the_cut() -> None:
    corpus = ["filler text", *["the same berlin"] * 50, "berlin"]
    found = retrieved(BM25Retriever().bind(setting(corpus)), ["berlin"], corpus, 4)
    assert list(found[0]) == [51, 1, 2, 3]


def test_two_searches_give_the_same_bits() -> None:
    bound = BM25Retriever().bind(setting())
    assert_same_bits(bound.search(QUERIES, CORPUS, 5), bound.search(QUERIES, CORPUS, 5))


def test_the_collection_gives_the_language_and_the_option_wins() -> None:
    corpus, query = FACTS["de"]
    assert 1 in retrieved(BM25Retriever().bind(setting(corpus, "de")), ["Häusern"], corpus, 3)[0]
    assert retrieved(BM25Retriever().bind(setting(corpus, "en")), ["Häusern"], corpus, 3) == [{}]
    assert 1 in retrieved(BM25Retriever(language="de").bind(setting(corpus, "en")), [query], corpus, 3)[0]
    assert retrieved(BM25Retriever(stem=False).bind(setting(corpus, "de")), ["Häusern"], corpus, 3) == [{}]


FERRIES = [
    "The ferries were leaving the harbours at nine.",
    "A ferry leaves the harbour every morning.",
    "Bread is baked and sold until noon.",
    "Bakers are selling breads.",
]
ASKED = ["ferry leaving a harbour", "selling bread"]
UNSTEMMED = {"rule": 1, "dotless_i": False, "stemmer": None, "snowball": None}
RECORDED = {"adapter": "bm25", "version": 1, "analyzer": UNSTEMMED, "k1": 1.2, "b": 0.75, "method": "lucene"}
"""As it was before languages were detected, of a collection that declared none."""


@pytest.mark.parametrize("language", [None, "en", "tr", "ja"])
def test_no_language_gives_the_recorded_identity_and_scores_whatever_the_collection_s_is(language: str | None) -> None:
    place = Setting(FERRIES, "digest of four", language)
    retriever = cast(Any, spec.open_retriever("bm25?language=none")).bind(place)
    reranker = cast(Any, spec.open_reranker("bm25?language=none")).bind(place)
    assert dict(retriever.identity) == RECORDED
    assert digest(retriever.identity) == "fad82affd3137b74220c02c7bb096282"
    assert digest(reranker.identity) == "2179f441984f1a8e7d82c4acd1b7c589"
    offsets, documents, scores = retriever.search(ASKED, FERRIES, 4)
    assert (offsets.tolist(), documents.tolist()) == ([0, 2, 4], [1, 0, 3, 2])
    found = [1.5916929244995117, 0.5000526309013367, 0.6494458913803101, 0.5305643081665039]
    assert scores.tolist() == pytest.approx(found, rel=1e-6)
    again = [0.5000526309013367, 1.5916928052902222, 0, 0, 0, 0, 0.5305643081665039, 0.6494458913803101]
    assert reranker.score(ASKED, FERRIES, all_pairs(ASKED, FERRIES)).tolist() == pytest.approx(again, rel=1e-6)


def test_a_setting_without_a_language_gives_the_recorded_identity_too() -> None:
    assert dict(BM25Retriever().bind(Setting(FERRIES, "digest of four")).identity) == RECORDED
    assert dict(BM25Retriever(language=None).bind(Setting(FERRIES, "digest of four", "en")).identity) == RECORDED


def test_only_the_answer_is_in_the_identity_never_where_it_is_from() -> None:
    declared, option = (
        BM25Retriever().bind(setting(language="en")),
        BM25Retriever(language="en").bind(setting([], None)),
    )
    assert declared.identity == option.identity
    assert set(declared.identity["analyzer"]) == {"rule", "dotless_i", "stemmer", "snowball"}  # type: ignore[call-overload]


def test_it_says_whether_it_needs_the_collection_s_language() -> None:
    assert BM25Retriever().uses_language and BM25Reranker(language="collection").uses_language
    assert not BM25Retriever(language=None).uses_language and not BM25Reranker(language="de").uses_language


def test_binding_leaves_the_unbound_adapter_as_it_was() -> None:
    unbound = BM25Retriever()
    before = dict(unbound.identity)
    assert unbound.bind(setting()).identity != before
    assert unbound.identity == before


@pytest.mark.parametrize("options", [{"k1": 0.9}, {"b": 0.4}, {"method": "atire"}, {"stem": False}, {"language": "de"}])
@pytest.mark.parametrize("kind", [BM25Retriever, BM25Reranker])
def test_whatever_can_change_a_score_is_in_the_identity(kind: Any, options: dict[str, Any]) -> None:
    assert kind(**options).bind(setting()).identity != kind().bind(setting()).identity


def test_the_reranker_s_identity_holds_the_corpus_because_its_statistics_do() -> None:
    other = Setting(CORPUS, "another digest", "en")
    assert BM25Reranker().bind(setting()).identity != BM25Reranker().bind(other).identity
    assert BM25Retriever().bind(setting()).identity == BM25Retriever().bind(other).identity


def test_a_second_binding_does_not_keep_the_first_one_s_statistics() -> None:
    reranker = BM25Reranker().bind(setting())
    pairs = np.array([[0, 0]])
    reranker.score(["berlin"], ["berlin"], pairs)
    other = setting(["berlin", "berlin paris", "paris"])
    expected = BM25Reranker().bind(other).score(["berlin"], ["berlin"], pairs)
    assert reranker.bind(other).score(["berlin"], ["berlin"], pairs) == expected


def test_an_unbound_reranker_is_refused() -> None:
    with pytest.raises(ModelError, match=r"bm25.*bind"):
        BM25Reranker().score(["a"], ["b"], np.array([[0, 0]]))
    with pytest.raises(ModelError, match=r"bm25.*bind"):
        _ = BM25Reranker().identity


@pytest.mark.parametrize("options", [{"k1": -1}, {"b": 1.5}, {"k1": math.nan}, {"method": "bm25+"}])
def test_impossible_parameters_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="bm25"):
        BM25Retriever(**options)


def test_the_stream_gives_every_row_once_and_continues_in_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.bm25._ROWS", 5)
    reranker = BM25Reranker().bind(setting())
    pairs = np.random.default_rng(0).permutation(all_pairs(QUERIES, CORPUS))
    whole = [pairs[scored.rows] for scored in reranker.stream(QUERIES, CORPUS, pairs)]
    assert sorted(map(tuple, np.concatenate(whole).tolist())) == sorted(map(tuple, pairs.tolist()))
    done = {tuple(pair) for pair in whole[0].tolist()}
    left = np.array([pair for pair in pairs.tolist() if tuple(pair) not in done])
    rest = [left[scored.rows] for scored in reranker.stream(QUERIES, CORPUS, left)]
    assert len(rest) == 2
    assert all(np.array_equal(a, b) for a, b in zip(whole[1:], rest, strict=True))


def test_no_pairs_are_no_scores() -> None:
    assert BM25Reranker().bind(setting()).score([], [], np.empty((0, 2), dtype=np.int64)).shape == (0,)


def test_a_cached_corpus_is_read_once_and_gives_the_same_bits(tmp_path: Path) -> None:
    corpus = Counted(CORPUS)
    shared = setting(corpus, cache=tmp_path / "cache")
    first = BM25Retriever().bind(shared).search(QUERIES, corpus, 5)
    second = BM25Retriever(k1=1.2).bind(shared).search(QUERIES, corpus, 5)
    scores = BM25Reranker().bind(shared).score(QUERIES, CORPUS, all_pairs(QUERIES, CORPUS))
    assert corpus.read == len(CORPUS)
    assert_same_bits(first, second)
    assert np.array_equal(scores, BM25Reranker().bind(setting()).score(QUERIES, CORPUS, all_pairs(QUERIES, CORPUS)))
    assert [file.suffix for file in (tmp_path / "cache").iterdir()] == [".npz"]


def test_a_cache_is_not_used_for_another_analyzer_or_another_corpus(tmp_path: Path) -> None:
    shared = setting(Counted(CORPUS), cache=tmp_path)
    BM25Retriever().bind(shared).search(QUERIES, shared.corpus, 5)
    found = retrieved(BM25Retriever(stem=False).bind(shared), ["flows"], shared.corpus, 5)
    assert list(found[0]) == [2]
    assert len(retrieved(BM25Retriever().bind(shared), ["zebra"], ["zebra"], 5)[0]) == 1


@pytest.mark.parametrize("fault", ["flipped", "truncated", "another", "without checksum"])
def test_damaged_terms_are_set_aside_and_counted_again(tmp_path: Path, fault: str) -> None:
    texts = [f"{text} {number % 7}" for number, text in enumerate(CORPUS * 5)]
    shared, fresh = setting(texts, cache=tmp_path), setting(texts)
    expected = BM25Retriever().bind(fresh).search(QUERIES, texts, 5)
    BM25Retriever().bind(shared).search(QUERIES, texts, 5)
    (file,) = tmp_path.glob("terms-*.npz")
    content = file.read_bytes()
    if fault == "flipped":
        file.write_bytes(content[:200] + bytes([content[200] ^ 8]) + content[201:])
    elif fault == "truncated":
        file.write_bytes(content[:-30])
    elif fault == "another":
        other = setting(texts[::-1], cache=tmp_path / "other")
        BM25Retriever(stem=False).bind(other).search(QUERIES, other.corpus, 5)
        file.write_bytes(next((tmp_path / "other").glob("*.npz")).read_bytes())
    else:
        arrays = dict(np.load(file))
        del arrays["sums"]
        np.savez(file, **{**arrays, "frequencies": arrays["frequencies"] + 1})
    with pytest.warns(DamageWarning, match=r"terms-.*\.damaged, and the terms are counted again"):
        found = BM25Retriever().bind(shared).search(QUERIES, texts, 5)
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))
    pair = np.array([[0, 0]])
    scores = [BM25Reranker().bind(each).score(QUERIES, texts, pair).tolist() for each in (shared, fresh)]
    assert scores[0] == scores[1]


def test_progress_adds_up_to_the_corpus() -> None:
    done: list[int] = []
    BM25Retriever().bind(setting()).search(QUERIES, CORPUS, 5, done.append)
    assert sum(done) == len(CORPUS)


def test_bm25_can_be_named_with_its_options() -> None:
    retriever = spec.open_retriever("bm25?k1=0.9&b=0.4&method=robertson&stem=false&language=de")
    assert retriever.name == "bm25"
    assert {**retriever.identity} | {"k1": 0.9, "b": 0.4, "method": "robertson"} == retriever.identity
    assert isinstance(retriever, Retriever)
    assert isinstance(retriever, Bindable)
    assert isinstance(spec.open_reranker("bm25"), StreamingReranker)

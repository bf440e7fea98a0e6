"""The index gives bm25s's scores to the last bit, however small the blocks are that it is built from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import postings as module
from adapters.analysis import Analyzer
from adapters.bm25 import BM25Retriever
from adapters.protocols import Setting
from adapters.terms import corpus_terms

VOCABULARY = 60
DOCUMENTS = 300


def corpus() -> list[str]:
    """Texts of 0 to 40 words, some of them in nearly every text."""
    random = np.random.default_rng(7)
    weights = 1 / np.arange(1, VOCABULARY + 1)
    words = [f"w{number}" for number in range(VOCABULARY)]
    drawn = (random.choice(words, random.integers(0, 41), p=weights / weights.sum()) for _ in range(DOCUMENTS))
    return [" ".join(text) for text in drawn]


def of_bm25s(texts: list[str], queries: list[str], **options: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The scores of all documents for each query."""
    bm25s = pytest.importorskip("bm25s", reason="bm25s is not installed")
    analyzer = Analyzer("en")
    tokens = [analyzer.terms(text) for text in texts]
    vocabulary = {term: number for number, term in enumerate(dict.fromkeys(term for text in tokens for term in text))}
    ids = [[vocabulary[term] for term in text] for text in tokens]
    index = bm25s.BM25(**options, backend="numpy", csc_backend="numpy")
    index.index((ids, vocabulary), create_empty_token=False, show_progress=False)
    asked = ([vocabulary[term] for term in analyzer.terms(query) if term in vocabulary] for query in queries)
    return np.array([index.get_scores_from_ids(terms) for terms in asked])


@pytest.mark.parametrize("at_once", [1, 7, 500, 1 << 20])
@pytest.mark.parametrize(
    "options",
    [{}, {"k1": 0.9, "b": 0.4}, {"method": "robertson"}, {"method": "atire", "k1": 1.7}, {"k1": 0, "b": 1}],
)
def test_scores_have_the_bits_of_bm25s(monkeypatch: pytest.MonkeyPatch, at_once: int, options: dict[str, Any]) -> None:
    monkeypatch.setattr(module, "_PAIRS", at_once)
    monkeypatch.setattr("adapters.terms._BLOCK", 37)
    texts, queries = corpus(), ["w0 w1 w2", "w5 w40 w5 nowhere", "w59", "w3 w17 w0 w0"]
    expected = of_bm25s(texts, queries, **{"k1": 1.2, "b": 0.75, "method": "lucene", **options})
    retriever = BM25Retriever(**options).bind(Setting(texts, "digest", "en"))
    offsets, documents, scores = retriever.search(queries, texts, DOCUMENTS)
    found = np.zeros((len(queries), DOCUMENTS), np.float32)
    found[np.repeat(np.arange(len(queries)), np.diff(offsets)), documents] = scores
    assert found.tobytes() == expected.tobytes()


def test_terms_on_disk_are_those_of_the_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.terms._BLOCK", 37)
    texts, analyzer = corpus(), Analyzer("en")
    setting = Setting(texts, "digest", "en", cache=tmp_path)
    fresh, kept = corpus_terms(texts, analyzer, setting), corpus_terms(texts, analyzer, setting)
    words = list(fresh.statistics.vocabulary)
    for read in (fresh, kept):
        spans = zip(read.offsets[:-1].tolist(), read.offsets[1:].tolist(), strict=True)
        assert [[words[term] for term in read.terms[a:b]] for a, b in spans] == [analyzer.terms(text) for text in texts]
        expected = [sum(word in set(analyzer.terms(text)) for text in texts) for word in words]
        assert read.statistics.frequencies.tolist() == expected
        assert list(read.statistics.vocabulary) == words


def test_a_read_only_cache_can_be_searched(tmp_path: Path) -> None:
    texts = corpus()
    setting = Setting(texts, "digest", "en", cache=tmp_path)
    first = BM25Retriever().bind(setting).search(["w0 w7"], texts, 9)
    tmp_path.chmod(0o500)
    try:
        second = BM25Retriever().bind(setting).search(["w0 w7"], texts, 9)
    finally:
        tmp_path.chmod(0o700)
    assert first[1].tolist() == second[1].tolist() and first[2].tobytes() == second[2].tobytes()


def test_nothing_but_the_terms_is_left_in_the_cache(tmp_path: Path) -> None:
    texts = corpus()
    BM25Retriever().bind(Setting(texts, "digest", "en", cache=tmp_path / "cache")).search(["w0"], texts, 9)
    assert [file.suffix for file in (tmp_path / "cache").iterdir()] == [".npz"]

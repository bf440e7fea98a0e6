"""The first stage decides what a reranker may see: it must be exact, have one order for ties, and embed a text once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters.dense
import adapters.filling
from adapters.dense import DenseRetriever, nearest
from adapters.embedding import EmbedderReranker
from adapters.identity import Digests, text_digests
from adapters.protocols import Embedder, Floats, Identity, Integers, Retriever, Role, Setting, StreamingReranker
from adapters.topk import TopK
from adapters.vectors import VectorStore


class Digits:
    """Texts of digits to vectors of small whole numbers, so that every product is exact and ties are ties."""

    name = "digits"

    def __init__(self, fail_at: str | None = None) -> None:
        self.seen: list[str] = []
        self.fail_at = fail_at

    @property
    def identity(self) -> Identity:
        return {"adapter": "digits"}

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        assert role in ("query", "document")
        if self.fail_at in texts:
            raise KeyboardInterrupt
        self.seen += texts
        return (
            np.array([[int(digit) for digit in text.rjust(3, "0")] for text in texts], dtype=np.float32)
            .reshape(-1, 3)
            .reshape(-1, 3)
        )


NUMBERS = st.integers(0, 999).map(str)


def brute_force(queries: list[str], corpus: list[str], depth: int) -> list[list[tuple[int, float]]]:
    left, right = Digits().encode(queries, "query"), Digits().encode(corpus, "document")
    scores = (left @ right.T).tolist()
    ranked = [sorted(enumerate(row), key=lambda item: (-item[1], item[0])) for row in scores]
    return [row[:depth] for row in ranked]


def setting(cache: Path | None) -> Setting:
    return Setting(corpus=[], corpus_digest="", cache=cache)


def as_lists(found: tuple[Integers, Integers, Floats]) -> list[list[tuple[int, float]]]:
    offsets, documents, scores = (array.tolist() for array in found)
    rows = list(zip(documents, scores, strict=True))
    return [rows[start:stop] for start, stop in itertools.pairwise(offsets)]


@settings(deadline=None)
@given(
    queries=st.lists(NUMBERS, max_size=5),
    corpus=st.lists(NUMBERS, min_size=1, max_size=40),
    depth=st.integers(1, 50),
    block=st.integers(1, 9),
)
def test_the_candidates_are_those_of_a_full_sort(queries: list[str], corpus: list[str], depth: int, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapters.dense, "_DOCUMENTS", block)
        patch.setattr(adapters.dense, "_QUERIES", 2)
        found = DenseRetriever.of(Digits()).search(queries, corpus, depth)
    assert as_lists(found) == brute_force(queries, corpus, depth)


@settings(deadline=None)
@given(
    scores=st.lists(st.lists(st.integers(0, 3), min_size=30, max_size=30), min_size=1, max_size=4),
    depth=st.integers(1, 30),
    block=st.integers(1, 30),
)
def test_equal_scores_at_the_cut_go_to_the_lower_row(scores: list[list[int]], depth: int, block: int) -> None:
    matrix = np.array(scores, dtype=np.float32)
    top = TopK(len(matrix), depth)
    for start in range(0, 30, block):
        top.add(np.arange(start, min(start + block, 30)), matrix[:, start : start + block])
    rows, values = top.result()
    assert np.array_equal(rows, np.argsort(-matrix, axis=1, kind="stable")[:, :depth])
    assert np.array_equal(values, np.take_along_axis(matrix, rows, axis=1))


def test_equal_texts_have_equal_scores_however_the_product_rounds() -> None:
    random = np.random.default_rng(0)
    texts = [str(number) for number in random.integers(0, 40, 500)]
    digests = text_digests(texts)
    store = VectorStore(None, "0" * 32)
    firsts = store.missing(digests)
    store.append(digests[firsts], random.standard_normal((len(firsts), 384), dtype=np.float32))
    rows, scores = nearest(random.standard_normal((3, 384), dtype=np.float32), store, digests, 500)
    for query in range(3):
        by_text: dict[str, set[float]] = {}
        for row, score in zip(rows[query].tolist(), scores[query].tolist(), strict=True):
            by_text.setdefault(texts[row], set()).add(score)
        assert all(len(values) == 1 for values in by_text.values())
        assert sorted(rows[query].tolist()) == list(range(500))


@pytest.mark.parametrize("kept", [True, False])
def test_a_second_search_embeds_nothing(tmp_path: Path, kept: bool) -> None:
    embedder = Digits()
    retriever = DenseRetriever.of(embedder).bind(setting(tmp_path if kept else None))
    first = retriever.search(["12", "3"], ["1", "22", "1"], 2)
    assert sorted(embedder.seen) == ["1", "12", "22", "3"]
    if kept:
        retriever = DenseRetriever.of(embedder).bind(setting(tmp_path))
    assert as_lists(retriever.search(["12", "3"], ["1", "22", "1"], 2)) == as_lists(first)
    assert len(embedder.seen) == 4


def test_a_kill_loses_at_most_one_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.filling, "_SHARD_TEXTS", 10)
    monkeypatch.setattr(adapters.filling, "_SLICE", 5)
    monkeypatch.setattr(adapters.filling, "_SMALLEST_PART", 25)
    corpus = [str(number) for number in range(100)]
    killed = DenseRetriever.of(Digits(fail_at="67")).bind(setting(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        killed.search(["1"], corpus, 3)
    embedder = Digits()
    found = DenseRetriever.of(embedder).bind(setting(tmp_path)).search(["1"], corpus, 3)
    assert sorted(embedder.seen, key=int) == ["1", *corpus[60:]]
    assert as_lists(found) == brute_force(["1"], corpus, 3)


def test_progress_adds_up_to_the_corpus(tmp_path: Path) -> None:
    retriever = DenseRetriever.of(Digits()).bind(setting(tmp_path))
    told: list[int] = []
    retriever.search(["1"], ["1", "2", "2"], 1, told.append)
    retriever.search(["1"], ["1", "2", "2", "3"], 1, told.append)
    assert told == [1, 2, 3, 1]


def test_the_digests_of_a_corpus_are_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Corpus(list[str]):
        digests = text_digests(["1", "2"])

    asked: list[object] = []

    def spy(texts: list[str]) -> Digests:
        asked.append(texts)
        return text_digests(texts)

    monkeypatch.setattr(adapters.dense, "text_digests", spy)
    DenseRetriever.of(Digits()).search(["1"], Corpus(["1", "2"]), 1)
    assert asked == [["1"]]


def test_the_protocols_are_kept() -> None:
    embedder = Digits()
    assert isinstance(embedder, Embedder)
    assert isinstance(DenseRetriever.of(embedder), Retriever)
    assert isinstance(EmbedderReranker.of(embedder), StreamingReranker)


def test_as_a_reranker_the_score_is_the_cosine_and_each_text_is_embedded_once() -> None:
    embedder = Digits()
    reranker = EmbedderReranker.of(embedder)
    pairs = np.array([[1, 0], [0, 1], [1, 2], [0, 0]])
    scores = reranker.score(["100", "010"], ["120", "3", "450"], pairs)
    assert scores.tolist() == [2, 0, 5, 1]
    assert sorted(embedder.seen) == ["010", "100", "120", "3", "450"]
    assert len(reranker.score(["1"], ["1"], np.empty((0, 2), dtype=np.int64))) == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=40, unique=True), st.data())
def test_a_reranking_that_was_killed_goes_on_with_the_same_batches(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    texts = [str(number) for number in range(10)]
    asked = np.array(pairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.embedding._CHUNK", 7)
        whole = list(EmbedderReranker.of(Digits()).stream(texts, texts, asked))
        done = data.draw(st.integers(0, len(whole)))
        left = np.sort(np.concatenate([np.empty(0, np.int64), *(scored.rows for scored in whole[done:])]))
        rest = list(EmbedderReranker.of(Digits()).stream(texts, texts, asked[left]))
    assert sorted(np.concatenate([scored.rows for scored in whole]).tolist()) == list(range(len(pairs)))
    assert [left[scored.rows].tolist() for scored in rest] == [scored.rows.tolist() for scored in whole[done:]]

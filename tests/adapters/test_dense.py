"""The first stage decides what a reranker may see: it must be exact, have one order for ties, and embed a text once."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
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
from adapters.similarity import Similarity, of_rows
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
    error=st.sampled_from([0, 0.4, 1.5, 50]),
    seed=st.integers(0, 99),
)
def test_the_best_rows_are_found_however_inexact_the_scores_are(
    scores: list[list[int]], depth: int, block: int, error: float, seed: int
) -> None:
    matrix = np.array(scores, dtype=np.float32)
    noise = np.random.default_rng(seed).uniform(-error, error, matrix.shape)
    top = TopK(len(matrix), depth, lambda query, row: matrix[query, row])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.topk._SMALL", seed)
        patch.setattr("adapters.topk._CROWD", 1)
        for start in range(0, 30, block):
            part = slice(start, min(start + block, 30))
            inexact = (matrix + noise).astype(np.float32)[:, part]
            top.add(np.arange(30)[part], inexact, np.full(len(matrix), error * (1 + start / 30) + 1e-6))
        rows, values = top.result()
    assert np.array_equal(rows, np.argsort(-matrix, axis=1, kind="stable")[:, :depth])
    assert np.array_equal(values, np.take_along_axis(matrix, rows, axis=1))


def random_vectors(count: int, dim: int, seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)


def stored(vectors: Floats, folder: Path | None = None, shard: int = 10_000) -> tuple[VectorStore, Digests]:
    digests = text_digests([str(row) for row in range(len(vectors))])
    store = VectorStore(folder, "0" * 32)
    for start in range(0, len(vectors), shard):
        store.append(digests[start : start + shard], vectors[start : start + shard])
    return store, digests


SIMILARITIES: tuple[Similarity, ...] = ("cosine", "dot", "euclidean", "manhattan")


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_no_score_depends_on_blocks_shards_or_the_other_queries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, similarity: Similarity
) -> None:
    corpus, queries = random_vectors(900, 65, 1), random_vectors(11, 65, 2)
    store, digests = stored(corpus)
    rows, scores = nearest(queries, store, digests, 20, similarity)
    for number, (documents, at_once, pairs) in enumerate([(1, 1, 1), (7, 2, 64), (900, 11, 5), (64, 3, 4096)]):
        for name, value in (("_DOCUMENTS", documents), ("_QUERIES", at_once), ("_PAIRS", pairs)):
            monkeypatch.setattr(adapters.dense, name, value)
        again, digests = stored(corpus, tmp_path / str(number), shard=100 * number + 17)
        found = nearest(queries, again, digests, 20, similarity)
        assert np.array_equal(found[0], rows) and np.array_equal(found[1], scores)
    one = nearest(queries[3:4], store, digests, 20, similarity)
    assert np.array_equal(one[0][0], rows[3]) and np.array_equal(one[1][0], scores[3])


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_scores_are_those_of_float64(similarity: Similarity) -> None:
    corpus, queries = random_vectors(3000, 257, 3), random_vectors(5, 257, 4)
    rows, scores = nearest(queries, *stored(corpus), 50, similarity)
    left, right = queries.astype(np.float64)[:, None], corpus.astype(np.float64)[None]
    exact = {
        "euclidean": lambda: -np.sqrt(((left - right) ** 2).sum(axis=2)),
        "manhattan": lambda: -np.abs(left - right).sum(axis=2),
    }.get(similarity, lambda: (left * right).sum(axis=2))()
    expected = np.argsort(-exact, axis=1, kind="stable")[:, :50]
    assert np.array_equal(rows, expected)
    np.testing.assert_allclose(scores, np.take_along_axis(exact, rows, axis=1), rtol=1e-7)


def test_vectors_that_are_almost_alike_are_ranked_by_their_last_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model with random weights gives all texts nearly one vector: then no inexact score excludes a row."""
    for name, value in (("_CROWD", 1), ("_SMALL", 0)):
        monkeypatch.setattr(f"adapters.topk.{name}", value)
    monkeypatch.setattr(adapters.dense, "_DOCUMENTS", 64)
    corpus = np.float32(1) + random_vectors(1000, 64, 5) * np.float32(1e-7)
    queries = np.ones((3, 64), np.float32)
    rows, scores = nearest(queries, *stored(corpus), 10)
    exact = of_rows("cosine", np.broadcast_to(queries[0], corpus.shape), corpus)
    expected = np.argsort(-exact, kind="stable")[:10]
    assert rows.tolist() == [expected.tolist()] * 3
    assert np.array_equal(scores, np.broadcast_to(exact[expected], scores.shape))


def test_equal_vectors_of_different_texts_are_ordered_by_row() -> None:
    corpus = np.tile(random_vectors(7, 384, 6), (60, 1))
    rows, _ = nearest(random_vectors(5, 384, 7), *stored(corpus), 60)
    for found in rows.tolist():
        assert found == list(range(found[0], 420, 7)), "60 rows of one vector, ascending"


SEARCH = """
import numpy as np
from adapters.dense import nearest
from adapters.identity import text_digests
from adapters.vectors import VectorStore
random = np.random.default_rng(0)
digests = text_digests(map(str, range(6000)))
store = VectorStore(None, "0" * 32)
store.append(digests, random.standard_normal((6000, 384), dtype=np.float32))
rows, scores = nearest(random.standard_normal((200, 384), dtype=np.float32), store, digests, 100)
print(rows.tobytes().hex()[:64], __import__("zlib").crc32(rows.tobytes() + scores.tobytes()))
"""


def test_the_bits_are_the_same_with_any_number_of_threads() -> None:
    found = set()
    for threads in ("1", "2", "3"):
        env = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", SEARCH], env=env, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


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

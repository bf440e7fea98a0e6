"""Chunks depend on the whole work alone; otherwise a score would depend on what was known, or on who computed it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from adapters.errors import WorkerError
from adapters.identity import digest
from adapters.protocols import Setting
from adapters.spec import identity_of, open_ranker
from harness.scoring.engine import IN_PROCESS, AdapterSource, PairChunk, TextChunk, chunk_numbers
from tests.fake_adapters import score_of
from tests.tiny_collection import CORPUS, Place

SPEC = "tests.fake_adapters:Plain"


def test_a_query_is_in_one_chunk() -> None:
    queries = np.repeat(np.arange(90), np.arange(90) % 17)
    numbers = chunk_numbers(queries)
    assert all(len(set(numbers[queries == query])) <= 1 for query in range(90))
    assert (np.diff(numbers) >= 0).all()


@pytest.mark.parametrize(("pairs", "size"), [(1_000, 256), (64_000, 1_000), (1_000_000, 4_096)])
def test_chunks_are_small_enough_to_divide_and_large_enough_to_batch(pairs: int, size: int) -> None:
    numbers = chunk_numbers(np.arange(pairs) // 10)
    sizes = np.bincount(numbers)
    assert abs(sizes[:-1] - size).max() <= 10


def test_some_of_a_chunk_keeps_the_callers_rows() -> None:
    pairs = PairChunk(["a", "b"], ["x", "y"], np.array([[0, 0], [1, 1], [1, 0]]), np.array([7, 8, 9]))
    assert pairs.some(np.array([2])).rows.tolist() == [9]
    texts = TextChunk(["x", "y", "z"], "document", np.array([3, 5, 6])).some(np.array([0, 2]))
    assert (list(texts.texts), texts.rows.tolist()) == (["x", "z"], [3, 6])


def test_this_process_scores_the_chunks_in_their_order() -> None:
    chunks = [PairChunk.whole([query], ["x", "y"], np.array([[0, 0], [0, 1]])) for query in "ab"]
    found = list(IN_PROCESS.score(open_ranker(SPEC), None, chunks))  # type: ignore[arg-type]
    assert [chunk for chunk, _ in found] == chunks
    scores = np.concatenate([scored.scores for _, scored in found])
    assert scores.tolist() == np.float32([score_of(q, d) for q in "ab" for d in "xy"]).tolist()


def test_a_source_that_opens_another_model_is_refused() -> None:
    setting = Setting([], "")
    source = AdapterSource(SPEC, "reranker", setting, digest(identity_of(open_ranker(SPEC))))
    assert source.bound(source.open()) is not None
    other = AdapterSource(f"{SPEC}?version=2", "reranker", setting, source.identity)
    with pytest.raises(WorkerError, match="not the model that this run began with"):
        other.bound(other.open())


def test_the_texts_of_a_stored_corpus_travel_as_a_path(place: Place) -> None:
    corpus = place.load(place.beir(corpus={key: f"{text} " * 500 for key, text in CORPUS.items()})).corpus
    sent = pickle.dumps(corpus)
    assert len(sent) < 1000
    assert list(pickle.loads(sent)) == list(corpus)

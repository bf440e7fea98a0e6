"""Reading a query once for all its candidates changes no score. A probe of the model decides whether it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import next_word, tiny
from adapters.causal_lm import CausalLMReranker
from adapters.protocols import Floats, IndexPairs

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["the", "what", "is", "query", "passage", "answers", "relevant", "document", "why", "search", "given"]
DRAW = np.random.default_rng(1)
QUERIES = [" ".join(DRAW.choice(WORDS, 10)) for _ in range(3)]
DOCUMENTS = ["", " two  spaces", "\u0301e", *(" ".join(DRAW.choice(WORDS, size)) for size in range(1, 30, 2))]
PAIRS = np.array([(query, document) for query in range(3) for document in range(len(DOCUMENTS))])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.causal_lm(tmp_path_factory.mktemp("causal"))


def reranker(folder: Path, **more: Any) -> CausalLMReranker:
    return CausalLMReranker(str(folder), device="cpu", **more)


def scores_of_whole_inputs(folder: Path, pairs: IndexPairs) -> Floats:
    model = reranker(folder)
    model.next_word.__dict__["shares_prefixes"] = False
    return model.score(QUERIES, DOCUMENTS, pairs)


def test_scores_are_those_of_whole_inputs(folder: Path) -> None:
    model = reranker(folder)
    found = model.score(QUERIES, DOCUMENTS, PAIRS)
    assert model.next_word.shares_prefixes
    np.testing.assert_allclose(found, scores_of_whole_inputs(folder, PAIRS), atol=1e-5)


def test_a_query_is_read_once_for_all_its_candidates(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    honest = next_word.states_after

    def counted(network: Any, prefix: Any, device: str) -> Any:
        read.append(prefix.tobytes())
        return honest(network, prefix, device)

    model = reranker(folder, batch_tokens=64)
    assert model.next_word.shares_prefixes
    monkeypatch.setattr(next_word, "states_after", counted)
    model.score(QUERIES, DOCUMENTS, PAIRS)
    assert len(read) == len(set(read)) == len(QUERIES)


def test_the_rest_of_a_killed_run_comes_in_the_same_batches(folder: Path) -> None:
    model = reranker(folder, batch_tokens=128)
    whole = [scored.rows for scored in model.stream(QUERIES, DOCUMENTS, PAIRS)]
    assert sorted(np.concatenate(whole)) == list(range(len(PAIRS)))
    for done in (1, 2, len(whole) - 1):
        left = np.sort(np.concatenate(whole[done:]))
        rest = [left[scored.rows].tolist() for scored in model.stream(QUERIES, DOCUMENTS, PAIRS[left])]
        assert rest == [rows.tolist() for rows in whole[done:]]


def test_a_network_with_sliding_windows_reads_whole_inputs(folder: Path) -> None:
    """A window forgets the beginning of an input, so its states cannot be shared."""
    network = transformers.AutoModelForCausalLM.from_pretrained(folder)
    network.config.use_sliding_window, network.config.sliding_window = True, 8
    network.config.layer_types = ["sliding_attention"] * network.config.num_hidden_layers
    model = reranker(folder)
    model.next_word.__dict__["_network"] = transformers.AutoModelForCausalLM.from_config(network.config).eval()
    assert not model.next_word.shares_prefixes


def test_shared_states_that_change_scores_are_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = next_word.states_after

    def wrong(network: Any, prefix: Any, device: str) -> Any:
        states = honest(network, prefix, device)
        states.layers[0].values = states.layers[0].values * 1.01
        return states

    monkeypatch.setattr(next_word, "states_after", wrong)
    model = reranker(folder)
    assert not model.next_word.shares_prefixes
    np.testing.assert_array_equal(model.score(QUERIES, DOCUMENTS, PAIRS), scores_of_whole_inputs(folder, PAIRS))

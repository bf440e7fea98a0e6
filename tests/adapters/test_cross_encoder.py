"""Promises of the cross-encoder: its scores are those of sentence-transformers, and depend on nothing but the pair."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import score_head, tiny
from adapters.cross_encoder import CrossEncoder
from adapters.errors import ModelError, UsageError
from adapters.protocols import IndexPairs, StreamingReranker
from adapters.spec import open_reranker

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")

KINDS: tuple[tiny.Architecture, ...] = ("bert", "xlm-roberta", "modernbert")
QUERIES = ["what is the search query", "who", "why given the instruct " * 20]
DOCUMENTS = ["the passage", "", "relevant passages answer the query " * 8, "no answer, 12 zebras", "Ünïcode " * 60]
PAIRS = np.array([(query, document) for query in range(3) for document in range(5)], dtype=np.int64)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {kind: tiny.cross_encoder(root / kind, architecture=kind, seed=3) for kind in KINDS}


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A BERT of which a test may break the files."""
    return tiny.cross_encoder(tmp_path / "bert", seed=3)


def edit_config(folder: Path, **changes: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **changes}), "utf-8")


def edit_weights(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    weights = safetensors.load_file(folder / "model.safetensors")
    change(weights)
    safetensors.save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def texts_of(pairs: IndexPairs) -> list[tuple[str, str]]:
    return [(QUERIES[query], DOCUMENTS[document]) for query, document in pairs]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("max_length", [None, 40])
def test_scores_are_those_of_sentence_transformers(folders: dict[str, Path], kind: str, max_length: int | None) -> None:
    reference = pytest.importorskip("sentence_transformers").CrossEncoder(
        str(folders[kind]), activation_fn=torch.nn.Identity(), device="cpu", max_length=max_length
    )
    model = CrossEncoder(str(folders[kind]), device="cpu", max_length=max_length)
    assert isinstance(model, StreamingReranker)
    scores = model.score(QUERIES, DOCUMENTS, PAIRS)
    assert scores.dtype == np.float32
    expected = reference.predict(texts_of(PAIRS))
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert np.ptp(expected) > 0.1, "the model tells the pairs apart, so equality means something"


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_does_not_depend_on_its_company(folders: dict[str, Path], kind: str) -> None:
    model = CrossEncoder(str(folders[kind]), device="cpu")
    together = model.score(QUERIES, DOCUMENTS, PAIRS)
    alone = np.concatenate([model.score(QUERIES, DOCUMENTS, PAIRS[row : row + 1]) for row in range(len(PAIRS))])
    one_batch = CrossEncoder(str(folders[kind]), device="cpu", batch_tokens=10**6).score(QUERIES, DOCUMENTS, PAIRS)
    np.testing.assert_allclose(alone, together, atol=1e-4)
    np.testing.assert_allclose(one_batch, together, atol=1e-4)
    distinct = np.unique(np.round(together, 3), return_index=True)[1]
    assert np.argsort(alone[distinct]).tolist() == np.argsort(together[distinct]).tolist()


def test_a_resumed_run_gives_the_same_bits(folders: dict[str, Path]) -> None:
    model = CrossEncoder(str(folders["bert"]), device="cpu", batch_tokens=100)
    batches = list(model.stream(QUERIES, DOCUMENTS, PAIRS))
    assert len(batches) > 4
    finished = np.concatenate([scored.rows for scored in batches[:2]])
    left = np.setdiff1d(np.arange(len(PAIRS)), finished)
    resumed = list(
        CrossEncoder(str(folders["bert"]), device="cpu", batch_tokens=100).stream(QUERIES, DOCUMENTS, PAIRS[left])
    )
    assert [left[scored.rows].tolist() for scored in resumed] == [scored.rows.tolist() for scored in batches[2:]]
    for before, after in zip(batches[2:], resumed, strict=True):
        assert before.scores.tobytes() == after.scores.tobytes()
        assert before.inputs.tolist() == after.inputs.tolist()


def test_what_truncation_took_is_told(folders: dict[str, Path]) -> None:
    model = CrossEncoder(str(folders["bert"]), device="cpu", max_length=32, truncation="document")
    pairs = np.array([[0, 0], [0, 2]])
    scored = {
        int(row): (int(tokens), int(kept))
        for batch in model.stream(QUERIES, DOCUMENTS, pairs)
        for row, tokens, kept in zip(batch.rows, batch.tokens, batch.kept, strict=True)
    }
    assert scored == {0: (2, 2), 1: (40, 32 - 3 - 5)}


def test_a_query_that_leaves_no_room_is_refused_only_when_queries_are_kept_whole(folders: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="truncation=longest_first"):
        CrossEncoder(str(folders["bert"]), device="cpu", max_length=20, truncation="document").score(
            QUERIES, DOCUMENTS, PAIRS
        )
    assert len(CrossEncoder(str(folders["bert"]), device="cpu", max_length=20).score(QUERIES, DOCUMENTS, PAIRS)) == 15


def test_a_missing_score_head_is_refused(bert: Path) -> None:
    edit_weights(bert, lambda weights: [weights.pop(name) for name in list(weights) if name.startswith("classifier")])
    with pytest.raises(ModelError, match=r"score head is not in the checkpoint: classifier\.bias, classifier\.weight"):
        CrossEncoder(str(bert), device="cpu").score(QUERIES, DOCUMENTS, PAIRS)


def test_a_head_of_another_shape_is_refused(bert: Path) -> None:
    edit_weights(bert, lambda weights: weights.update({"classifier.weight": torch.zeros(3, 32)}))
    with pytest.raises(ModelError, match=r"classifier\.weight has another shape"):
        CrossEncoder(str(bert), device="cpu").score(QUERIES, DOCUMENTS, PAIRS)


def test_an_embedder_is_refused_by_its_right_name(tmp_path: Path) -> None:
    folder = tiny.bert_embedder(tmp_path / "embedder")
    with pytest.raises(ModelError, match=r"is an embedder.*name it 'embedder:"):
        CrossEncoder(str(folder))


def test_a_language_model_is_refused_by_its_right_name(tmp_path: Path) -> None:
    folder = tiny.causal_lm(tmp_path / "lm")
    with pytest.raises(ModelError, match=r"is a language model.*name it 'causal-lm:"):
        CrossEncoder(str(folder))


def test_a_model_without_a_score_head_is_refused_before_loading(bert: Path) -> None:
    edit_config(bert, architectures=["BertForMaskedLM"])
    with pytest.raises(ModelError, match=r"is a masked language model \(BertForMaskedLM\).*not supported.*run:FILE"):
        CrossEncoder(str(bert))


def test_two_labels_are_scored_by_the_order_of_their_softmax(tmp_path: Path) -> None:
    """monoBERT, amberoad and nboost publish two labels; the logit of one of them alone is another order."""
    folder = tiny.cross_encoder(tmp_path / "two", num_labels=2)
    reference = pytest.importorskip("sentence_transformers").CrossEncoder(str(folder), device="cpu")
    logits = reference.predict(texts_of(PAIRS), activation_fn=torch.nn.Identity())
    softmax = reference.predict(texts_of(PAIRS), activation_fn=torch.nn.Identity(), apply_softmax=True)
    first, second = CrossEncoder(str(folder), label=0, device="cpu"), CrossEncoder(str(folder), label=1, device="cpu")
    assert first.identity != second.identity
    scores = second.score(QUERIES, DOCUMENTS, PAIRS)
    np.testing.assert_allclose(scores, logits[:, 1] - logits[:, 0], atol=1e-4)
    np.testing.assert_allclose(first.score(QUERIES, DOCUMENTS, PAIRS), -scores, atol=1e-4)
    assert np.argsort(scores).tolist() == np.argsort(softmax[:, 1]).tolist()
    assert np.argsort(scores).tolist() != np.argsort(logits[:, 1]).tolist(), "the case tells the two rules apart"
    with pytest.raises(ModelError, match=r"no label 2; it has 0 \(LABEL_0\), 1 \(LABEL_1\)"):
        CrossEncoder(str(folder), label=2)


def test_two_labels_without_names_are_taken_with_a_remark(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "two", num_labels=2)
    model = CrossEncoder(str(folder), device="cpu")
    assert model.remarks == ("its two labels have no names (LABEL_0, LABEL_1); the second is taken as relevant",)
    assert model.identity == CrossEncoder(str(folder), label=1).identity
    assert CrossEncoder(str(folder), label=1).remarks == ()


def test_weights_that_are_not_numbers_are_refused_with_the_pair(bert: Path) -> None:
    edit_weights(bert, lambda weights: weights["classifier.weight"].fill_(float("nan")))
    with pytest.raises(ModelError, match=r"for query .what is the search query. and document .Ünïcode .* is nan"):
        CrossEncoder(str(bert), device="cpu").score(QUERIES, DOCUMENTS, PAIRS)


def test_an_edited_weight_or_tokenizer_is_another_model(bert: Path, tmp_path: Path) -> None:
    before = CrossEncoder(str(bert)).identity
    assert before == CrossEncoder(str(tiny.cross_encoder(tmp_path / "elsewhere", seed=3))).identity
    edit_weights(bert, lambda weights: weights["classifier.bias"].add_(1e-3))
    edited = CrossEncoder(str(bert)).identity
    assert edited != before
    tokenizer = bert / "tokenizer_config.json"
    tokenizer.write_text(tokenizer.read_text("utf-8").replace("128", "127"), "utf-8")
    assert CrossEncoder(str(bert)).identity != edited


def test_only_what_can_change_a_score_is_in_the_identity(bert: Path) -> None:
    base = CrossEncoder(str(bert))
    assert base.identity == CrossEncoder(str(bert), device="cpu", batch_tokens=7, max_length=128, label=0).identity
    for other in (
        CrossEncoder(str(bert), max_length=64),
        CrossEncoder(str(bert), truncation="document"),
        CrossEncoder(str(bert), dtype="bfloat16"),
    ):
        assert other.identity != base.identity
    json.dumps(base.identity)


def test_half_precision_is_near_and_comes_back_in_float32(folders: dict[str, Path]) -> None:
    full = CrossEncoder(str(folders["bert"]), device="cpu").score(QUERIES, DOCUMENTS, PAIRS)
    half = CrossEncoder(str(folders["bert"]), device="cpu", dtype="bfloat16").score(QUERIES, DOCUMENTS, PAIRS)
    assert half.dtype == np.float32
    assert np.abs(half - full).max() < 0.5
    assert not np.array_equal(half, full)


def test_positions_that_a_model_never_uses_do_not_count(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "xlm", architecture="xlm-roberta")
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text("utf-8")), "model_max_length": 10**30}), "utf-8")
    unbounded = CrossEncoder(str(folder))
    assert unbounded.identity["max_length"] == 128
    assert len(unbounded.score(QUERIES, DOCUMENTS, PAIRS)) == len(PAIRS), "a tokenizer without a length scores too"
    with pytest.raises(ModelError, match="max_length=129 is not between 1 and its 128 positions"):
        CrossEncoder(str(folders["xlm-roberta"]), max_length=129)


def test_an_unknown_limit_is_asked_for(bert: Path) -> None:
    edit_config(bert, max_position_embeddings=None)
    (bert / "tokenizer_config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match=r"no maximum length; give one with \?max_length=512"):
        CrossEncoder(str(bert))


def test_options_come_from_a_spec_string(folders: dict[str, Path]) -> None:
    model = open_reranker(f"{folders['bert']}?max_length=40&truncation=document&batch_tokens=64")
    assert isinstance(model, CrossEncoder)
    assert model.identity["max_length"] == 40
    assert model.name == str(folders["bert"])
    with pytest.raises(UsageError, match="batch_tokens=0"):
        open_reranker(f"{folders['bert']}?batch_tokens=0")


def test_an_empty_request_loads_no_model(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_head, "need", None)
    assert CrossEncoder(str(folders["bert"])).score([], [], np.empty((0, 2), np.int64)).shape == (0,)

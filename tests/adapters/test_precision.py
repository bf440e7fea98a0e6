"""Promises of half precision: only the body of a network is rounded, so different documents keep different scores, and
scores in float32 do not change with any of this."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import precision, tiny
from adapters.embedding import SentenceEmbedder
from adapters.errors import UsageError
from adapters.identity import digest
from adapters.protocols import Floats
from adapters.spec import open_reranker

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("sentence_transformers")

QUERIES = ["what is the search query", "who wrote it"]
DOCUMENTS = [f"the passage number {number} answers a query about {number * 7} things" for number in range(24)]
PAIRS = np.array([(query, document) for query in range(2) for document in range(24)], np.int64)
Maker = Callable[[Path], Path]


def modular(folder: Path) -> Path:
    """A cross-encoder that only sentence-transformers reads, because it has a prompt for every pair."""
    made = tiny.cross_encoder(folder)
    model = pytest.importorskip("sentence_transformers").CrossEncoder(str(made), prompts={"x": "rank: "})
    model.default_prompt_name = "x"
    model.save_pretrained(str(folder))
    return folder


CLASSIFIERS: dict[str, Maker] = {
    **{
        kind: lambda folder, kind=kind: tiny.cross_encoder(folder, architecture=kind)  # type: ignore[misc]
        for kind in ("bert", "xlm-roberta", "modernbert")
    },
    "modular": modular,
}
RERANKERS: dict[str, Maker] = {**CLASSIFIERS, "causal-lm": tiny.causal_lm}


def scores(folder: Path, dtype: str) -> Floats:
    return open_reranker(f"{folder}?dtype={dtype}&device=cpu").score(QUERIES, DOCUMENTS, PAIRS)


def on_grid(values: Floats) -> bool:
    """Whether every number is one of bfloat16."""
    return not bool((values.ravel().view(np.uint32) & np.uint32(0xFFFF)).any())


@pytest.mark.parametrize("kind", RERANKERS)
def test_scores_in_half_precision_are_not_on_its_grid(kind: str, tmp_path: Path) -> None:
    folder = RERANKERS[kind](tmp_path / "model")
    full, half = scores(folder, "float32"), scores(folder, "bfloat16")
    assert not on_grid(half)
    assert len(np.unique(half)) >= 0.9 * len(np.unique(full))
    assert np.abs(half - full).max() <= 0.15 * max(1.0, float(np.ptp(full)))  # tiny random networks round much


@pytest.mark.parametrize("make", [tiny.bert_embedder, tiny.qwen3_embedder])
def test_vectors_in_half_precision_are_pooled_in_float32(make: Maker, tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    full, half = (
        SentenceEmbedder(str(folder), device="cpu", dtype=dtype).encode(DOCUMENTS, "document")
        for dtype in ("float32", "bfloat16")
    )  # type: ignore[misc]
    assert not on_grid(half)
    assert (full * half).sum(axis=1).min() > 0.999


SIZES = {
    **dict.fromkeys(("hidden_size", "intermediate_size", "dim", "hidden_dim", "d_model", "d_ff", "d_inner"), 16),
    **dict.fromkeys(("embedding_size", "n_embd", "pooler_hidden_size"), 16),
    **dict.fromkeys(("num_hidden_layers", "n_layers", "n_layer", "num_layers", "encoder_layers", "decoder_layers"), 1),
    **dict.fromkeys(("num_attention_heads", "n_heads", "n_head", "num_heads", "num_key_value_heads"), 2),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
    **{"d_kv": 8, "head_dim": 8, "eos_token_id": 3, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16},
}
"""The names that configurations have for their sizes, and small ones."""


def network_of(kind: str) -> Any:
    config = transformers.AutoConfig.for_model(kind, vocab_size=40, num_labels=1, pad_token_id=0)
    for name, size in SIZES.items():
        if hasattr(config, name):
            setattr(config, name, size)
    if kind == "t5":
        config.decoder_start_token_id = 0
    return transformers.AutoModelForSequenceClassification.from_config(config, dtype=torch.bfloat16).eval()


FAMILIES = (
    "bert", "roberta", "deberta-v2", "distilbert", "electra", "albert", "mpnet", "modernbert", "qwen2", "qwen3",
    "llama", "gemma", "gpt2", "t5", "bart",
)  # fmt: skip


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_head_of_every_family_works_in_float32(kind: str) -> None:
    network = network_of(kind)
    precision.keep_head(network)
    ids = torch.tensor([[4, 5, 6, 7, 3], [4, 9, 8, 7, 3]])
    with torch.inference_mode():
        logits = network(ids, attention_mask=torch.ones_like(ids)).logits
    assert logits.dtype == torch.float32
    assert not on_grid(logits.numpy())
    assert next(network.base_model.parameters()).dtype == torch.bfloat16


def test_a_head_with_the_weights_of_the_body_leaves_the_body_alone(tmp_path: Path) -> None:
    network = transformers.AutoModelForCausalLM.from_pretrained(tiny.causal_lm(tmp_path / "lm"), dtype=torch.bfloat16)
    network.config.tie_word_embeddings = True
    network.tie_weights()
    precision.keep_head(network)
    assert network.lm_head.weight.dtype == torch.float32
    assert network.get_input_embeddings().weight.dtype == torch.bfloat16


@pytest.mark.parametrize("kind", [*CLASSIFIERS, "causal-lm"])
def test_an_identity_in_float32_says_nothing_new(kind: str, tmp_path: Path) -> None:
    folder = RERANKERS[kind](tmp_path / "model")
    plain, half = (dict(open_reranker(f"{folder}?dtype={dtype}").identity) for dtype in ("float32", "float16"))  # type: ignore[attr-defined]
    assert half == {**plain, "dtype": "float16", "head": "float32"}
    assert "head" not in plain


def test_vectors_in_float32_keep_their_identity(tmp_path: Path) -> None:
    folder = tiny.bert_embedder(tmp_path / "model")
    plain, half = (
        dict(SentenceEmbedder(str(folder), dtype=dtype).role_identity("query")) for dtype in ("float32", "bfloat16")
    )  # type: ignore[arg-type]
    assert half == {**plain, "dtype": "bfloat16", "head": "float32"}
    assert "head" not in plain


def test_a_format_that_the_device_cannot_compute_in_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attempt(dtype: str, _: str) -> None:
        raise RuntimeError(f"\"addmm\" not implemented for '{dtype}'\nand more")

    monkeypatch.setattr(precision, "_attempt", attempt)
    for make in (tiny.cross_encoder, tiny.causal_lm, tiny.bert_embedder, modular):
        folder = make(tmp_path / make.__name__)
        with pytest.raises(UsageError) as refused:
            scores(folder, "float16")
        said = (
            "dtype=float16 cannot be used on the device cpu: \"addmm\" not implemented for 'float16'; use dtype=float32"
        )
        assert str(refused.value) == said
        assert len(scores(folder, "float32")) == len(PAIRS)


def test_this_device_can_compute_in_float32_whatever_it_is() -> None:
    precision.refuse_impossible("float32", "no such device")
    assert digest(precision.head_identity("float32")) == digest({})

"""Whatever the architecture, a pair has the score that sentence-transformers gives it alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.cross_encoder import CrossEncoder
from adapters.declaration import declare
from adapters.errors import ModelError
from adapters.spec import identity_of, open_reranker
from tests.conformance import shapes
from tests.conformance.shapes import DOCUMENTS, QUERIES, ours, theirs

pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")

SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 128,
}  # fmt: skip
ROBERTA = {**SMALL, "max_position_embeddings": 130}
CLASSIFIERS: dict[str, tuple[str, dict[str, Any]]] = {
    "albert": ("bert", {**SMALL, "embedding_size": 32}),
    "bart": (
        "xlm-roberta",
        {
            "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
            "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 128,
            "eos_token_id": 2, "bos_token_id": 0, "decoder_start_token_id": 2,
        },
    ),
    "convbert": ("bert", {**SMALL, "embedding_size": 32}),
    "deberta-v2": (
        "bert",
        {
            **SMALL, "type_vocab_size": 0, "relative_attention": True, "position_buckets": 16,
            "pos_att_type": ["c2p", "p2c"], "share_att_key": True, "norm_rel_ebd": "layer_norm",
            "position_biased_input": False,
        },
    ),
    "distilbert": (
        "bert",
        {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "max_position_embeddings": 128},
    ),
    "electra": ("bert", {**SMALL, "embedding_size": 32}),
    "fnet": ("bert", SMALL),
    "gpt2": ("bert", {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128}),
    "jamba": ("bert", SMALL),
    "llama": ("bert", {**SMALL, "num_key_value_heads": 1}),
    "longformer": ("xlm-roberta", {**ROBERTA, "attention_window": [16, 16]}),
    "mobilebert": (
        "bert",
        {**SMALL, "embedding_size": 32, "intra_bottleneck_size": 32, "true_hidden_size": 32},
    ),
    "mpnet": ("xlm-roberta", ROBERTA),
    "t5": (
        "xlm-roberta",
        {
            "d_model": 32, "num_layers": 1, "num_heads": 2, "d_ff": 64, "d_kv": 16, "eos_token_id": 2,
            "decoder_start_token_id": 1,
        },
    ),
    "xlnet": ("bert", {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 64}),
}  # fmt: skip
SMALL_LM = {**SMALL, "num_key_value_heads": 1, "max_position_embeddings": 4096, "initializer_range": 0.5}
LANGUAGE_MODELS: dict[str, dict[str, Any]] = {
    "gemma2": {**SMALL_LM, "head_dim": 16, "sliding_window": 32, "query_pre_attn_scalar": 16},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 4096, "initializer_range": 0.3},
    "mamba": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8},
    "mistral": {**SMALL_LM, "sliding_window": 64},
    "rwkv": {"hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32},
}  # fmt: skip


def classifier(folder: Path, model_type: str, tokenizer_of: str, **config: Any) -> Path:
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    source = tiny.cross_encoder(folder.with_name("source"), architecture=tokenizer_of, seed=1)  # type: ignore[arg-type]
    tokenizer = AutoTokenizer.from_pretrained(source)
    more = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "num_labels": 1}
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(model_type, **more, **config))
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    model.save_pretrained(folder)
    tokenizer.model_max_length = 128
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("model_type", CLASSIFIERS)
def test_no_score_depends_on_the_other_pairs_of_its_batch(tmp_path: Path, model_type: str) -> None:
    tokenizer_of, config = CLASSIFIERS[model_type]
    folder = classifier(tmp_path / "model", model_type, tokenizer_of, **config)
    expected = theirs(folder)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(ours(open_reranker(str(folder))), expected, atol=1e-4)


def language_model(folder: Path, model_type: str, **config: Any) -> Path:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    source = tiny.plain_causal_lm(folder.with_name("source"), seed=1)
    tokenizer = AutoTokenizer.from_pretrained(source)
    special = {f"{name}_token_id": tokenizer.pad_token_id for name in ("pad", "bos", "eos")}
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, vocab_size=len(tokenizer), **special, **config)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    declare(folder, (yes, no), template=None)
    (folder / "chat_template.jinja").write_text(shapes.CHAT_TEMPLATES["query first"])
    return folder


@pytest.mark.parametrize("model_type", LANGUAGE_MODELS)
def test_a_language_model_without_a_mask_is_asked_pair_by_pair(tmp_path: Path, model_type: str) -> None:
    folder = language_model(tmp_path / "model", model_type, **LANGUAGE_MODELS[model_type])
    expected = theirs(folder)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(ours(open_reranker(str(folder))), expected, atol=1e-4 * np.ptp(expected))


def test_a_language_model_that_remembers_earlier_texts_is_refused(tmp_path: Path) -> None:
    layers = {"lru_width": 32, "attention_window_size": 32, "block_types": ["recurrent", "attention"]}
    folder = language_model(tmp_path / "model", "recurrent_gemma", **SMALL_LM, head_dim=16, **layers)
    with pytest.raises(ModelError, match="keeps a state from one text to the next"):
        ours(open_reranker(str(folder)))


def test_padding_on_the_left_does_not_move_the_positions_of_an_encoder(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "left", seed=1)
    shapes.edit(folder / "tokenizer_config.json", padding_side="left")
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)


@pytest.mark.parametrize("model_type", ["convbert", "fnet", "bert"])
def test_scores_that_were_stored_of_padded_batches_are_not_used_again(tmp_path: Path, model_type: str) -> None:
    config = {**SMALL, "embedding_size": 32} if model_type == "convbert" else SMALL
    folder = classifier(tmp_path / "model", model_type, "bert", **config)
    shapes.edit(folder / "tokenizer_config.json", padding_side="left" if model_type == "bert" else "right")
    assert identity_of(open_reranker(str(folder)))["batching"] == "single"
    assert "batching" not in identity_of(open_reranker(str(tiny.cross_encoder(tmp_path / "plain"))))


def test_attention_that_depends_on_earlier_inputs_is_refused(tmp_path: Path) -> None:
    config = {**SMALL, "attention_type": "block_sparse", "block_size": 4, "num_random_blocks": 1}
    folder = classifier(tmp_path / "model", "big_bird", "bert", **config)
    with pytest.raises(ModelError, match="set attention_type to original_full"):
        ours(open_reranker(str(folder)))
    shapes.edit(folder / "config.json", attention_type="original_full")
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)


def test_a_network_that_fails_is_named_with_the_pair(tmp_path: Path) -> None:
    """Nystromformer takes inputs of one length alone."""
    config = {**SMALL, "num_landmarks": 4, "segment_means_seq_len": 64}
    folder = classifier(tmp_path / "model", "nystromformer", "bert", **config)
    with pytest.raises(ModelError, match=r"for query '.*' and document '.*': the model fails"):
        ours(open_reranker(str(folder)))


def phobert(folder: Path) -> Path:
    """The tokenizer of PhoRanker: it has no Rust implementation."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    folder.mkdir()
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = [*(f"{letter}@@" for letter in letters), *letters, "the", "is", "web", "answer", "th@@"]
    (folder / "vocab.txt").write_text("".join(f"{piece} 1\n" for piece in pieces))
    merges = [("t", "h"), ("th", "e</w>"), ("i", "s</w>"), ("w", "e"), ("we", "b</w>")]
    (folder / "bpe.codes").write_text("".join(f"{left} {right} 1\n" for left, right in merges))
    config = {**ROBERTA, "type_vocab_size": 1, "pad_token_id": 1, "num_labels": 1, "vocab_size": len(pieces) + 8}
    torch.manual_seed(0)
    network = AutoConfig.for_model("roberta", **config, initializer_range=0.5, tokenizer_class="PhobertTokenizer")
    AutoModelForSequenceClassification.from_config(network).save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PhobertTokenizer", "model_max_length": 128}')
    return folder


def test_a_tokenizer_without_a_rust_implementation_is_read_by_sentence_transformers(tmp_path: Path) -> None:
    folder = phobert(tmp_path / "phoranker")
    expected = theirs(folder)
    assert np.ptp(expected) > 0.1
    reranker = open_reranker(str(folder))
    np.testing.assert_allclose(ours(reranker), expected, atol=1e-4)
    (scored, *_) = CrossEncoder(str(folder)).stream(QUERIES[:1], DOCUMENTS, np.array([[0, 9]]))
    assert scored.kept[0] < scored.tokens[0]

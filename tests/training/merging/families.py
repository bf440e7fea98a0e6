"""The same tiny model in two spellings: as transformers 4 left it on the hub, and as today's transformers saves it.

The configurations have the keys of published ones (Qwen3-Reranker, mxbai-rerank, bge-reranker, ms-marco-MiniLM and
their kind), with the sizes made small.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from adapters import tiny

Json = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """A published kind of model."""

    architecture: str
    tokenizer: str
    """Of `adapters.tiny`: the one with the same pieces as the real one."""
    config: Json
    """config.json as transformers 4 wrote it, without vocab_size."""


_ENCODER: Json = {
    "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 16,
    "initializer_range": 0.5, "intermediate_size": 32, "layer_norm_eps": 1e-12, "max_position_embeddings": 64,
    "num_attention_heads": 2, "num_hidden_layers": 2, "pad_token_id": 0, "torch_dtype": "float32",
    "transformers_version": "4.38.1", "type_vocab_size": 2, "use_cache": True,
    "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0},
}  # fmt: skip
_DECODER: Json = {
    "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
    "hidden_size": 16, "initializer_range": 0.5, "intermediate_size": 32, "max_position_embeddings": 256,
    "num_attention_heads": 2, "num_hidden_layers": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-06,
    "rope_scaling": None, "rope_theta": 1000000, "torch_dtype": "float32", "transformers_version": "4.51.3",
    "use_cache": True,
}  # fmt: skip
_WINDOWS: Json = {"max_window_layers": 28, "sliding_window": None, "use_sliding_window": False}
_GEMMA: Json = {"head_dim": 8, "pad_token_id": 0, "rope_theta": 10000.0, "hidden_activation": None}
LLAMA3: Json = {
    "factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 64,
    "rope_type": "llama3",
}  # fmt: skip

FAMILIES: dict[str, Family] = {
    "qwen3": Family("Qwen3ForCausalLM", "causal_lm", {
        **_DECODER, **_WINDOWS, "model_type": "qwen3", "head_dim": 8, "tie_word_embeddings": True,
    }),
    "qwen3-seq-cls": Family("Qwen3ForSequenceClassification", "causal_lm", {
        **_DECODER, **_WINDOWS, "model_type": "qwen3", "head_dim": 8, "tie_word_embeddings": True, "pad_token_id": 0,
        "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0},
    }),
    "qwen2": Family("Qwen2ForCausalLM", "causal_lm", {
        **_DECODER, **_WINDOWS, "model_type": "qwen2", "sliding_window": 32768, "tie_word_embeddings": True,
        "use_mrope": False,
    }),
    "llama": Family("LlamaForCausalLM", "causal_lm", {
        **_DECODER, "model_type": "llama", "head_dim": 8, "mlp_bias": False, "pretraining_tp": 1,
        "rope_scaling": LLAMA3, "rope_theta": 500000.0,
    }),
    "gemma": Family("GemmaForCausalLM", "causal_lm", {
        **_DECODER, **_GEMMA, "model_type": "gemma", "hidden_act": "gelu",
    }),
    "gemma2": Family("Gemma2ForCausalLM", "causal_lm", {
        **_DECODER, **_GEMMA, "model_type": "gemma2", "hidden_act": "gelu_pytorch_tanh", "attn_logit_softcapping": 50.0,
        "hidden_activation": "gelu_pytorch_tanh", "cache_implementation": "hybrid", "final_logit_softcapping": 30.0,
        "query_pre_attn_scalar": 8, "sliding_window": 4096,
    }),
    "modernbert": Family("ModernBertForSequenceClassification", "modernbert", {
        "model_type": "modernbert", "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1,
        "classifier_activation": "gelu", "classifier_bias": False, "classifier_dropout": 0.0,
        "classifier_pooling": "mean", "cls_token_id": 1, "decoder_bias": True, "deterministic_flash_attn": False,
        "embedding_dropout": 0.0, "eos_token_id": 2, "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0,
        "gradient_checkpointing": False, "hidden_activation": "gelu", "hidden_size": 16,
        "id2label": {"0": "LABEL_0"}, "initializer_cutoff_factor": 2.0, "initializer_range": 0.5,
        "intermediate_size": 32, "label2id": {"LABEL_0": 0}, "layer_norm_eps": 1e-05, "local_attention": 32,
        "local_rope_theta": 10000.0, "max_position_embeddings": 128, "mlp_bias": False, "mlp_dropout": 0.0,
        "norm_bias": False, "norm_eps": 1e-05, "num_attention_heads": 2, "num_hidden_layers": 4, "pad_token_id": 3,
        "position_embedding_type": "absolute", "reference_compile": False, "repad_logits_with_grad": False,
        "sep_token_id": 2, "sparse_pred_ignore_index": -100, "sparse_prediction": False, "torch_dtype": "float32",
        "transformers_version": "4.48.0",
    }),
    "xlm-roberta": Family("XLMRobertaForSequenceClassification", "xlm-roberta", {
        **_ENCODER, "model_type": "xlm-roberta", "_name_or_path": "BAAI/bge-m3", "bos_token_id": 0, "eos_token_id": 2,
        "classifier_dropout": None, "layer_norm_eps": 1e-05, "output_past": True, "pad_token_id": 1,
        "position_embedding_type": "absolute", "type_vocab_size": 1,
    }),
    "bert": Family("BertForSequenceClassification", "bert", {
        **_ENCODER, "model_type": "bert", "gradient_checkpointing": False, "position_embedding_type": "absolute",
        "sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity",
    }),
    "deberta-v2": Family("DebertaV2ForSequenceClassification", "bert", {
        **_ENCODER, "model_type": "deberta-v2", "layer_norm_eps": 1e-07, "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm", "pooler_dropout": 0, "pooler_hidden_act": "gelu", "pooler_hidden_size": 16,
        "pos_att_type": "p2c|c2p", "position_biased_input": False, "position_buckets": 32, "relative_attention": True,
        "share_att_key": True, "type_vocab_size": 0,
    }),
    "electra": Family("ElectraForSequenceClassification", "bert", {
        **_ENCODER, "model_type": "electra", "embedding_size": 16, "generator_size": "0.33333",
        "position_embedding_type": "absolute", "summary_activation": "gelu", "summary_last_dropout": 0.1,
        "summary_type": "first", "summary_use_proj": True,
    }),
    "mpnet": Family("MPNetForSequenceClassification", "bert", {
        **{key: value for key, value in _ENCODER.items() if key not in {"type_vocab_size", "use_cache"}},
        "model_type": "mpnet", "bos_token_id": 0, "eos_token_id": 2, "layer_norm_eps": 1e-05, "pad_token_id": 1,
        "relative_attention_num_buckets": 32,
    }),
}  # fmt: skip


def hub(folder: Path, name: str, *, seed: int = 0, **changes: object) -> Path:
    """A base as transformers 4 left it: its configuration by hand, its tokenizer with merges as text."""
    family = FAMILIES[name]
    _tokenizer_of(family, folder)
    vocabulary = len(json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]) + 16
    content = {"architectures": [family.architecture], **family.config, "vocab_size": vocabulary, **changes}
    config = CONFIG_MAPPING[str(content["model_type"])].from_dict(json.loads(json.dumps(content)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(transformers, family.architecture)(config)
    model.save_pretrained(folder)
    write_json(folder / "config.json", content)
    as_transformers_4(folder)
    return folder


def fine_tune(base: Path, folder: Path, *, seed: int = 1, distance: float = 0.01, auto: str | None = None) -> Path:
    """What today's transformers saves of a base after a few steps: configuration, weights and tokenizer."""
    architecture = json.loads((base / "config.json").read_text("utf-8"))["architectures"][0]
    model = getattr(transformers, auto or architecture).from_pretrained(base)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * distance)
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


def as_transformers_4(folder: Path) -> None:
    """The tokenizer's files as transformers 4 left them."""
    content = read_json(folder / "tokenizer.json")
    model = content["model"]
    if model["type"] == "BPE":
        model["merges"] = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]]
        model.pop("ignore_merges", None)
    content["truncation"] = {"direction": "Right", "max_length": 64, "strategy": "LongestFirst", "stride": 0}
    write_json(folder / "tokenizer.json", content)
    settings = read_json(folder / "tokenizer_config.json")
    special = {key: value for key, value in settings.items() if key.endswith("_token") and value is not None}
    decoder = {str(token.pop("id")): token for token in content["added_tokens"]}
    old = {key: value for key, value in settings.items() if key not in {"backend", "is_local", "extra_special_tokens"}}
    write_json(folder / "tokenizer_config.json", {
        **old, "added_tokens_decoder": decoder, "clean_up_tokenization_spaces": True,
        "tokenizer_class": "PreTrainedTokenizerFast",
    })  # fmt: skip
    write_json(folder / "special_tokens_map.json", special)


def read_json(file: Path) -> Json:
    return dict(json.loads(file.read_text("utf-8")))


def write_json(file: Path, content: Mapping[str, Any] | list[Any]) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False), "utf-8")


def edit(file: Path, **changes: object) -> None:
    """Change keys of a JSON file; None takes a key away."""
    content = {**(read_json(file) if file.exists() else {}), **changes}
    write_json(file, {key: value for key, value in content.items() if value is not None})


def _tokenizer_of(family: Family, folder: Path) -> None:
    if family.tokenizer == "causal_lm":
        tiny.plain_causal_lm(folder)
    else:
        tiny.cross_encoder(folder, architecture=family.tokenizer)  # type: ignore[arg-type]
    for file in ("model.safetensors", "generation_config.json"):
        (folder / file).unlink(missing_ok=True)


def copied(source: Path, folder: Path) -> Path:
    """The same folder again."""
    return Path(shutil.copytree(source, folder))


def rename_tensors(folder: Path, change: Callable[[str], str | None], **more: torch.Tensor) -> Path:
    """The weights again under other names; without those that `change` gives none, and with some more."""
    content = load_file(folder / "model.safetensors")
    named = {change(name): tensor for name, tensor in content.items()}
    kept = {name: tensor for name, tensor in named.items() if name is not None}
    save_file({**kept, **more}, folder / "model.safetensors", {"format": "pt"})
    return folder

"""Configurations are compared by what the network computes, and a refusal names the key and both values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import MissingExtra, ModelError
from tests.training.merging import families, pico
from tests.training.merging.test_spellings import merged, notes, two
from training.merging import configuration

__all__ = ["two"]

Two = Callable[[str], tuple[Path, Path]]


def changed(two: Two, name: str, folder: Path, **changes: object) -> tuple[Path, Path]:
    """The base as it is, and once more with other keys in its configuration."""
    base, _ = two(name)
    copy = families.copied(base, folder / "other")
    families.edit(copy / "config.json", **changes)
    return base, copy


def refusal(folder: Path, *models: Path) -> str:
    with pytest.raises(ModelError) as raised:
        merged(folder / "out", *models)
    assert not (folder / "out").exists() and "\n" not in str(raised.value)
    return str(raised.value)


REAL = [
    ("qwen3", {"rope_theta": 10000.0}, "rope_theta", "1000000", "10000.0"),
    ("qwen3", {"rope_scaling": {"type": "linear", "factor": 4.0}}, "rope_parameters", "absent", "4.0"),
    ("qwen3", {"use_sliding_window": True, "sliding_window": 8}, "sliding_window", "absent", "8"),
    ("qwen3", {"layer_types": ["full_attention", "sliding_attention"]}, "layer_types[1]", "full_att", "sliding_att"),
    ("qwen3", {"rms_norm_eps": 1e-5}, "rms_norm_eps", "1e-06", "1e-05"),
    ("qwen3", {"hidden_act": "gelu"}, "hidden_act", "silu", "gelu"),
    ("qwen3", {"tie_word_embeddings": False}, "tie_word_embeddings", "true", "false"),
    ("qwen3", {"num_attention_heads": 4}, "num_attention_heads", "2", "4"),
    ("qwen3", {"head_dim": 16}, "head_dim", "8", "16"),
    ("qwen3", {"num_hidden_layers": 1}, "num_hidden_layers", "2", "1"),
    ("qwen3", {"vocab_size": 7}, "vocab_size", "", "7"),
    ("qwen3-seq-cls", {"pad_token_id": 5}, "pad_token_id", "0", "5"),
    ("qwen2", {"head_dim": 4}, "head_dim", "8", "4"),
    ("llama", {"rope_scaling": {**families.LLAMA3, "factor": 8.0}}, "rope_parameters.factor", "32.0", "8.0"),
    ("llama", {"tie_word_embeddings": True}, "tie_word_embeddings", "false", "true"),
    ("gemma", {"hidden_act": "relu"}, "hidden_act", "gelu_pytorch_tanh", "relu"),
    ("gemma2", {"attn_logit_softcapping": 30.0}, "attn_logit_softcapping", "50.0", "30.0"),
    ("gemma2", {"query_pre_attn_scalar": 16}, "query_pre_attn_scalar", "8", "16"),
    ("gemma2", {"sliding_window": 64}, "sliding_window", "4096", "64"),
    ("modernbert", {"classifier_pooling": "cls"}, "classifier_pooling", "mean", "cls"),
    ("modernbert", {"global_rope_theta": 80000.0}, "full_attention.rope_theta", "160000.0", "80000.0"),
    ("modernbert", {"local_rope_theta": 80000.0}, "sliding_attention.rope_theta", "10000.0", "80000.0"),
    ("modernbert", {"global_attn_every_n_layers": 2}, "layer_types[2]", "sliding_attention", "full_attention"),
    ("modernbert", {"local_attention": 64}, "local_attention", "32", "64"),
    ("modernbert", {"hidden_activation": "relu"}, "hidden_activation", "gelu", "relu"),
    ("modernbert", {"norm_eps": 1e-6}, "norm_eps", "1e-05", "1e-06"),
    ("xlm-roberta", {"pad_token_id": 0}, "pad_token_id", "1", "0"),
    ("xlm-roberta", {"position_embedding_type": "relative_key"}, "position_embedding_type", "absent", "relative_key"),
    ("bert", {"layer_norm_eps": 1e-6}, "layer_norm_eps", "1e-12", "1e-06"),
    ("bert", {"is_decoder": True}, "is_decoder", "absent", "true"),
    ("bert", {"model_type": "electra"}, "model_type", "bert", "electra"),
    ("bert", {"id2label": {"0": "A", "1": "B"}, "label2id": {"A": 0, "B": 1}}, "num_labels", "1", "2"),
    ("deberta-v2", {"position_buckets": 16}, "position_buckets", "32", "16"),
    ("deberta-v2", {"pos_att_type": "p2c"}, "pos_att_type", '["p2c", "c2p"]', '["p2c"]'),
    ("deberta-v2", {"share_att_key": False}, "share_att_key", "true", "false"),
    ("mpnet", {"relative_attention_num_buckets": 16}, "relative_attention_num_buckets", "32", "16"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "key", "ours", "theirs"), REAL)
def test_another_network_is_refused_with_the_key_and_both_values(  # noqa: PLR0917
    name: str, changes: dict[str, object], key: str, ours: str, theirs: str, two: Two, tmp_path: Path
) -> None:
    base, other = changed(two, name, tmp_path, **changes)
    said = refusal(tmp_path, base, other)
    assert said.startswith("merge: ") and f"{key}" in said.split(" is ")[0], said
    first, second = said.split(";")[0].split(" is ", 1)[1].split(f" in {base} and ")
    assert ours in first and theirs in second and str(other) in second


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("qwen3", {"torch_dtype": "bfloat16"}),
        ("qwen3", {"use_cache": False, "transformers_version": "4.40.0", "_name_or_path": "elsewhere"}),
        ("qwen3", {"max_window_layers": 2}),
        ("qwen3", {"rope_scaling": {"rope_type": "default"}}),
        ("qwen3", {"rope_theta": None, "rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}}),
        ("qwen2", {"head_dim": 8}),
        ("llama", {"rope_scaling": {**families.LLAMA3, "type": "llama3"}}),
        ("llama", {"pretraining_tp": None, "mlp_bias": None, "head_dim": None}),
        ("gemma", {"hidden_act": "gelu_pytorch_tanh"}),
        ("gemma2", {"cache_implementation": None}),
        ("modernbert", {"global_rope_theta": None, "local_rope_theta": None, "global_attn_every_n_layers": None}),
        ("modernbert", {"deterministic_flash_attn": True, "reference_compile": True}),
        ("bert", {"position_embedding_type": None, "gradient_checkpointing": None}),
        ("bert", {"is_decoder": False, "add_cross_attention": False}),
        ("deberta-v2", {"pos_att_type": ["p2c", "c2p"], "pooler_hidden_size": None}),
        ("xlm-roberta", {"output_past": None}),
    ],
)
def test_another_spelling_is_no_difference(name: str, changes: dict[str, object], two: Two, tmp_path: Path) -> None:
    base, other = changed(two, name, tmp_path, **changes)
    assert merged(tmp_path / "out", base, other).report["notes"] == []


@pytest.mark.parametrize(
    ("name", "changes", "key"),
    [
        ("qwen3", {"attention_dropout": 0.1}, "attention_dropout is 0.0"),
        ("qwen3", {"pad_token_id": 5}, "pad_token_id is absent"),
        ("qwen3", {"eos_token_id": 5}, "eos_token_id is 2"),
        ("qwen3", {"max_position_embeddings": 128}, "max_position_embeddings is 256"),
        ("qwen3", {"unsloth_version": "2025.1"}, "unsloth_version is absent"),
        ("bert", {"pad_token_id": 5}, "pad_token_id is 0"),
        ("bert", {"problem_type": "regression"}, "problem_type is absent"),
        ("bert", {"hidden_dropout_prob": 0.0}, "hidden_dropout_prob is 0.1"),
        ("bert", {"id2label": {"0": "relevance"}}, "id2label[0] is \"LABEL_0\""),
        ("bert", {"sbert_ce_default_activation_function": "torch.nn.Sigmoid"}, "sbert_ce_default_activation_function"),
        ("bert", {"sentence_transformers": {"activation_fn": "torch.nn.Sigmoid"}}, "sentence_transformers is absent"),
        ("bert", {"initializer_range": 0.02}, "initializer_range is 0.5"),
    ],
)  # fmt: skip
def test_what_the_network_does_not_read_is_a_note_that_says_whose_is_kept(
    name: str, changes: dict[str, object], key: str, two: Two, tmp_path: Path
) -> None:
    base, other = changed(two, name, tmp_path, **changes)
    made = merged(tmp_path / "out", base, other)
    (said,) = made.report["notes"]  # type: ignore[misc]
    assert said.startswith(f"config.json: {key}") and f"in {base}, which is kept" in said and str(other) in said
    assert families.read_json(made.path / "config.json") == families.read_json(base / "config.json")


def test_the_version_of_sentence_transformers_is_no_difference(two: Two, tmp_path: Path) -> None:
    for name, version in (("a", "4.0.1"), ("b", "5.1.0")):
        families.copied(two("bert")[0], tmp_path / name)
        said = {"activation_fn": "torch.nn.modules.linear.Identity", "version": version}
        families.edit(tmp_path / name / "config.json", sentence_transformers=said)
    assert merged(tmp_path / "out", tmp_path / "a", tmp_path / "b").report["notes"] == []


def test_labels_in_another_order_are_refused_and_other_capitals_are_not(tmp_path: Path) -> None:
    names = ({"0": "contradiction", "1": "entailment"}, {"0": "entailment", "1": "contradiction"})
    families.hub(tmp_path / "a", "bert", id2label=names[0])
    for name, labels in (("b", names[1]), ("c", {"0": "CONTRADICTION", "1": "Entailment"}), ("d", None)):
        families.copied(tmp_path / "a", tmp_path / name)
        families.edit(tmp_path / name / "config.json", id2label=labels)
    said = refusal(tmp_path, tmp_path / "a", tmp_path / "b")
    assert 'id2label[0] in config.json is "contradiction"' in said and '"entailment"' in said
    assert merged(tmp_path / "fine", tmp_path / "a", tmp_path / "c").report["notes"] == []
    assert '"LABEL_0"' in refusal(tmp_path, tmp_path / "a", tmp_path / "d"), "the label is unknown"


def test_a_longer_window_counts_where_rotary_positions_are_scaled_by_it(two: Two, tmp_path: Path) -> None:
    yarn = {"rope_type": "dynamic", "factor": 2.0}
    for name, length in (("a", 128), ("b", 256)):
        families.copied(two("qwen3")[0], tmp_path / name)
        families.edit(tmp_path / name / "config.json", rope_scaling=yarn, max_position_embeddings=length)
    assert "max_position_embeddings" in refusal(tmp_path, tmp_path / "a", tmp_path / "b")


def test_a_model_type_that_transformers_does_not_know_is_compared_as_it_is_written(tmp_path: Path) -> None:
    old = {"model_type": "new", "rope_theta": 5.0, "rope_scaling": None, "torch_dtype": "float16"}
    new = {"model_type": "new", "rope_theta": None, "rope_parameters": {"rope_theta": 5.0, "rope_type": "default"}}
    for name, config in (("a", old), ("b", new), ("c", {**old, "pack_qkv": True})):
        pico.write(tmp_path / name, pico.tensors(1), **config)
    assert merged(tmp_path / "out", tmp_path / "a", tmp_path / "b").report["notes"] == []
    said = refusal(tmp_path / "x", tmp_path / "a", tmp_path / "c")
    assert "pack_qkv in config.json is absent" in said and 'does not know the model type "new"' in said


def test_the_oldest_files_do_not_say_their_model_type(two: Two, tmp_path: Path) -> None:
    base, tuned = two("bert")
    families.edit(families.copied(base, tmp_path / "old") / "config.json", model_type=None)
    assert merged(tmp_path / "out", tmp_path / "old", tuned).report["notes"] == []


def test_more_rows_for_the_same_tokenizer_are_refused_with_what_to_call(two: Two, tmp_path: Path) -> None:
    said = refusal(tmp_path, *changed(two, "qwen3", tmp_path, vocab_size=1024))
    assert "and 1024 in" in said and "model.resize_token_embeddings" in said


def test_a_configuration_that_cannot_be_read_says_why(two: Two, tmp_path: Path) -> None:
    base, other = changed(two, "qwen3", tmp_path, layer_types=["no_such_attention"] * 2)
    said = refusal(tmp_path, base, other)
    assert "compared as it is written" in said and "layer_types" in said


def test_the_architecture_of_an_embedder_is_history(tmp_path: Path) -> None:
    """It is loaded without a head, whether config.json says Qwen3ForCausalLM or Qwen3Model."""
    from adapters import tiny

    base = tiny.qwen3_embedder(tmp_path / "base")
    tuned = families.fine_tune(base, tmp_path / "tuned", auto="AutoModel")
    assert families.read_json(tuned / "config.json")["architectures"] == ["Qwen3Model"]
    said = notes(merged(tmp_path / "out", base, tuned))
    assert 'architecture is "Qwen3ForCausalLM"' in said and '"Qwen3Model"' in said


def test_the_architecture_of_a_reranker_is_none(two: Two, tmp_path: Path) -> None:
    said = refusal(tmp_path, two("qwen3")[0], two("qwen3-seq-cls")[0])
    assert "architecture in config.json" in said and "Qwen3ForCausalLM" in said
    assert "Qwen3ForSequenceClassification" in said


def test_the_same_spelling_needs_no_transformers_and_another_one_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seed in (("a", 0), ("b", 1)):
        pico.write(tmp_path / name, pico.tensors(seed))
    pico.write(tmp_path / "c", pico.tensors(2), hidden_act="gelu")

    def without(module: str, extra: str, purpose: str) -> Any:
        raise MissingExtra(f"{purpose} needs {module} ({extra})")

    monkeypatch.setattr(configuration, "need", without)
    assert merged(tmp_path / "out", tmp_path / "a", tmp_path / "b").new
    with pytest.raises(MissingExtra, match=r"spelled differently needs transformers \(models\)"):
        merged(tmp_path / "other", tmp_path / "a", tmp_path / "c")

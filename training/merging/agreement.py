"""What checkpoints have to have in common before a mean of them is a model: each rule is a function that refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.errors import ModelError
from adapters.identity import file_digest
from training.merging.checkpoint import Checkpoint

BUFFERS = ("inv_freq", "position_ids", "token_type_ids", "masked_bias")
"""Last parts of the names of tensors that are computed, not learned: the base's are kept."""
_SHAPE_OF_MODEL = (
    "model_type", "hidden_size", "d_model", "num_hidden_layers", "num_layers", "num_attention_heads", "head_dim",
    "num_key_value_heads", "intermediate_size", "hidden_act", "hidden_activation", "rope_theta", "rope_scaling",
    "rope_parameters", "layer_norm_eps", "norm_eps", "rms_norm_eps", "position_embedding_type", "tie_word_embeddings",
    "num_experts",
    "num_local_experts", "num_experts_per_tok", "layer_types", "sliding_window", "global_attn_every_n_layers",
    "classifier_pooling", "is_decoder", "type_vocab_size", "max_position_embeddings",
)  # fmt: skip
_TOKENIZER_SETTINGS = (
    "do_lower_case", "do_basic_tokenize", "strip_accents", "tokenize_chinese_chars", "add_prefix_space",
    "add_bos_token", "add_eos_token", "bos_token", "eos_token", "cls_token", "sep_token",
    "pad_token", "unk_token", "mask_token",
    "padding_side", "truncation_side",
)  # fmt: skip
_TOKENIZER_FILES = (
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
)


def agree(home: Checkpoint, others: Sequence[Checkpoint]) -> list[str]:
    """Refuse what must not be merged, and return what is worth knowing: differences where the base's is kept.

    Raises:
        ModelError: architectures, vocabularies, tokenizers, templates, names or shapes of tensors differ.
    """
    for other in others:
        for rule in (_architecture, _vocabulary, _tokenizer, _templates, _modules, _names, _shapes):
            rule(home, other)
    return [note for other in others for note in _differences(home, other)]


def _architecture(home: Checkpoint, other: Checkpoint) -> None:
    ours, theirs = home.folder.architecture, other.folder.architecture
    _same(home, other, "architecture", ours, theirs)
    for key in _SHAPE_OF_MODEL:
        _same(home, other, f"{key} in config.json", home.folder.config.get(key), other.folder.config.get(key))


def _vocabulary(home: Checkpoint, other: Checkpoint) -> None:
    _same(home, other, "vocab_size", home.folder.config.get("vocab_size"), other.folder.config.get("vocab_size"))


def _tokenizer(home: Checkpoint, other: Checkpoint) -> None:
    ours, theirs = _backend(home), _backend(other)
    for part in sorted({*ours, *theirs}):
        if ours.get(part) != theirs.get(part):
            raise _refusal(
                home, other, f"tokenizers ({part.replace('_', ' ')})", "the same text would become other tokens"
            )
    ours, theirs = home.json("tokenizer_config.json"), other.json("tokenizer_config.json")
    for key in _TOKENIZER_SETTINGS:
        if key in ours and key in theirs:
            _same(home, other, f"{key} in tokenizer_config.json", _content(ours[key]), _content(theirs[key]))


def _backend(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """What decides how text becomes tokens; not how the last user of the tokenizer truncated and padded."""
    fast = checkpoint.json("tokenizer.json")
    if fast:
        return {key: value for key, value in fast.items() if key not in {"truncation", "padding", "version"}}
    present = [name for name in _TOKENIZER_FILES if (checkpoint.folder.path / name).is_file()]
    return {name: file_digest(checkpoint.folder.path / name) for name in present}


def _content(token: object) -> object:
    return token.get("content") if isinstance(token, dict) else token


def _templates(home: Checkpoint, other: Checkpoint) -> None:
    if _chat(home) != _chat(other):
        raise _refusal(home, other, "chat templates", "each was trained on another prompt")
    ours, theirs = home.folder.sentence_settings, other.folder.sentence_settings
    for key in ("prompts", "default_prompt_name", "similarity_fn_name", "do_lower_case"):
        if (ours.get(key) or None) != (theirs.get(key) or None):
            raise _refusal(home, other, f"{key} of sentence-transformers", "each was trained on another prompt")


def _chat(checkpoint: Checkpoint) -> object:
    file = checkpoint.folder.path / "chat_template.jinja"
    if file.is_file():
        return file.read_text("utf-8").strip()
    template = checkpoint.json("tokenizer_config.json").get("chat_template")
    return template.strip() if isinstance(template, str) else template


def _modules(home: Checkpoint, other: Checkpoint) -> None:
    _same(home, other, "modules.json", home.folder.modules, other.folder.modules)
    if not home.folder.modules:
        return
    for file in home.texts():
        if file.parent.name and file.name == "config.json" and home.json(str(file)) != other.json(str(file)):
            raise _refusal(home, other, str(file), "their vectors are made in different ways")


def _names(home: Checkpoint, other: Checkpoint) -> None:
    ours, theirs = merged_names(home), merged_names(other)
    for there, lacking, one, two in ((ours, theirs, home, other), (theirs, ours, other, home)):
        missing = sorted(there - lacking)
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise ModelError(f"merge: {two.name} has no tensor '{missing[0]}'{more}, which {one.name} has")


def merged_names(checkpoint: Checkpoint) -> set[str]:
    """The tensors that every checkpoint has to have: no buffers, and no output layer that is tied to the embedding."""
    return {name for name in checkpoint.tensors if not is_buffer(name) and not is_tied(checkpoint, name)}


def is_buffer(name: str) -> bool:
    return name.rsplit(".", 1)[-1] in BUFFERS


def is_tied(checkpoint: Checkpoint, name: str) -> bool:
    """Whether a tensor is a second copy of the embedding, which loading ties again."""
    if name != "lm_head.weight" or not checkpoint.folder.config.get("tie_word_embeddings"):
        return False
    return any(
        other.endswith("embed_tokens.weight") and tensor.shape == checkpoint.tensors[name].shape
        for other, tensor in checkpoint.tensors.items()
    )


def _shapes(home: Checkpoint, other: Checkpoint) -> None:
    for name in sorted(merged_names(home)):
        ours, theirs = home.tensors[name], other.tensors[name]
        if ours.shape != theirs.shape:
            shapes = f"{list(ours.shape)} in {home.name} and {list(theirs.shape)} in {other.name}"
            raise ModelError(f"merge: the tensor '{name}' has the shape {shapes}; only equal shapes can be merged")


def _differences(home: Checkpoint, other: Checkpoint) -> list[str]:
    ours, theirs = home.folder.config, other.folder.config
    silent = {"_name_or_path", "transformers_version", *_SHAPE_OF_MODEL}
    keys = sorted(key for key in {*ours, *theirs} - silent if ours.get(key) != theirs.get(key))
    return [f"config.json: {', '.join(keys)} of {other.name} differ; those of {home.name} are kept"] if keys else []


def _same(home: Checkpoint, other: Checkpoint, what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise ModelError(
            f"merge: {what} is {_short(ours)} in {home.name} and {_short(theirs)} in {other.name}; "
            f"only checkpoints of one architecture and tokenizer can be merged"
        )


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if value is not None else "absent"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refusal(home: Checkpoint, other: Checkpoint, what: str, why: str) -> ModelError:
    return ModelError(
        f"merge: the {what} of {home.name} and {other.name} differ: {why}; give both the same, or do not merge"
    )

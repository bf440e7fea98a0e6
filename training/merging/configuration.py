"""Compare config.json as transformers reads it, whichever of its versions wrote the file."""

from __future__ import annotations

import importlib.util
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from adapters.errors import need
from adapters.loading import quiet_loading
from adapters.models import ModelFolder

_SILENT = frozenset({
    "_name_or_path", "_commit_hash", "transformers_version", "dtype", "torch_dtype", "architectures", "auto_map",
    "tokenizer_class", "use_cache", "return_dict", "use_return_dict", "output_hidden_states", "output_attentions",
    "output_past", "torchscript", "gradient_checkpointing", "chunk_size_feed_forward", "pretraining_tp",
    "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "_flash_attn_2_enabled",
    "deterministic_flash_attn", "reference_compile", "repad_logits_with_grad", "cache_implementation",
    "id2label", "label2id", "num_labels",
})  # fmt: skip
"""Keys about origin, storage and speed; and labels, which have a separate rule."""
_DERIVED = frozenset({
    "global_attn_every_n_layers", "global_rope_theta", "local_rope_theta", "max_window_layers", "use_sliding_window",
    "sliding_window_pattern",
})  # fmt: skip
"""Keys that only determine layer_types and rope_parameters, which are compared instead."""
_NOTED = frozenset({
    "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "decoder_start_token_id", "problem_type",
    "sparse_prediction", "sparse_pred_ignore_index", "sentence_transformers", "sbert_ce_default_activation_function",
    "embd_pdrop", "resid_pdrop", "attn_pdrop", "layerdrop",
})  # fmt: skip
"""Keys that training, generation or users of scores read, but the network does not."""
_NOTED_PARTS = re.compile(r"dropout|^initializer_|^init_std$")
_ONCE_READ = frozenset({"model_type", "position_embedding_type", "rope_theta", "rope_scaling", "rope_parameters"})
"""Keys that older versions read in other places than this one, so they always count."""
_COUNTED_FROM_PADDING = re.compile(r"roberta|camembert|mpnet|longformer|xmod|data2vec|esm")
_LENGTH_FREE = {"default", "linear", "llama3", "proportional"}
"""Kinds of rotary positions that do not depend on max_position_embeddings."""
_UNSAID = {
    "is_decoder": False, "add_cross_attention": False, "is_encoder_decoder": False,
    "position_embedding_type": "absolute",
}  # fmt: skip
"""Values that one version writes and another leaves out, for every model type."""


@dataclass(frozen=True)
class KeyDifference:
    """One key with different values in two configurations."""

    key: str
    """The path of the key, such as rope_parameters.rope_theta."""
    ours: object
    theirs: object
    counts: bool
    """Whether the difference changes what the network computes."""


@dataclass(frozen=True)
class ConfigurationReading:
    """The content of a config.json."""

    values: Mapping[str, Any]
    declared: frozenset[str] | None = None
    """The keys that the configuration's class declares; None if the file was read without transformers."""
    source: str = ""
    """The code of the model, which may read keys that the class does not declare."""


@dataclass(frozen=True)
class ConfigurationDifferences:
    """All differences of two configurations, and how they were read."""

    differences: tuple[KeyDifference, ...]
    read_by: str
    """Part of a message: 'as transformers 5.0 reads it', or why the files were compared as written."""


def compare(ours: ModelFolder, theirs: ModelFolder) -> ConfigurationDifferences:
    """The differences between two configurations.

    Raises:
        MissingExtra: the files are written differently, and transformers is not installed.
    """
    written = _differences(as_written(ours.config), as_written(theirs.config))
    if not any(one.counts for one in written):
        return ConfigurationDifferences(written, "as it is written")
    version = need("transformers", "models", "comparing configurations that are spelled differently").__version__
    kind = ours.config.get("model_type") or theirs.config.get("model_type")  # the oldest files lack it
    one, other = parsed(ours, kind), parsed(theirs, kind)
    if isinstance(one, ConfigurationReading) and isinstance(other, ConfigurationReading):
        return ConfigurationDifferences(_differences(one, other), f"as transformers {version} reads it")
    why = next(reason for reason in (one, other) if isinstance(reason, str))
    return ConfigurationDifferences(written, f"compared as it is written, because transformers {version} {why}")


def parsed(folder: ModelFolder, assumed: object = None) -> ConfigurationReading | str:
    """The configuration as transformers reads it, with all defaults; or the reason why it cannot, as part of a message.

    Args:
        assumed: the model type of a file that does not declare one.
    """
    kind = folder.config.get("model_type") or assumed
    mapping = importlib.import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING
    if not isinstance(kind, str) or kind not in mapping:
        return f"does not know the model type {json.dumps(kind)} of {folder.name}"
    written = {key: value for key, value in folder.config.items() if key not in {"dtype", "torch_dtype"}}
    try:
        with quiet_loading(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = mapping[kind].from_dict(json.loads(json.dumps(written)))
            values = config.to_dict()
    except Exception as error:  # each configuration class has its own checks and errors
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return f"cannot read config.json of {folder.name} ({reason})"
    declared = frozenset(field.name for field in fields(type(config)))
    return ConfigurationReading(_plain(values), declared, _source(type(config).__module__))


def as_written(config: Mapping[str, Any]) -> ConfigurationReading:
    """The keys of the file, with different spellings of the same setting made equal."""
    values = dict(config)
    rope = values.pop("rope_parameters", None) or {}
    scaling, theta = values.pop("rope_scaling", None) or {}, values.pop("rope_theta", None)
    if rope or scaling or theta is not None:
        first = {} if theta is None or any(isinstance(one, dict) for one in rope.values()) else {"rope_theta": theta}
        values["rope_parameters"] = {"rope_type": "default", **first, **scaling, **rope}
    return ConfigurationReading(_plain(values))


def ties_embeddings(folder: ModelFolder) -> bool:
    """Whether loading ties the output layer to the embedding."""
    tied = folder.config.get("tie_word_embeddings")
    if tied is None and importlib.util.find_spec("transformers"):
        reading = parsed(folder)
        tied = reading.values.get("tie_word_embeddings") if isinstance(reading, ConfigurationReading) else None
    return bool(tied)


def labels(config: Mapping[str, Any]) -> dict[int, str]:
    """The names of a classifier's labels by index. As in transformers, the default is two labels."""
    named = config.get("id2label")
    if isinstance(named, dict):
        return {int(index): str(name) for index, name in named.items()}
    return {index: f"LABEL_{index}" for index in range(int(config.get("num_labels") or 2))}


def _plain(values: Any) -> Any:
    """Values to compare: without defaults, and with one spelling for kinds of rotary positions."""
    if isinstance(values, list | tuple):
        return [_plain(value) for value in values]
    if not isinstance(values, dict):
        return values
    present = {str(key): value for key, value in values.items() if value is not None and value != _UNSAID.get(str(key))}
    plain = {key: _plain(value) for key, value in present.items()}
    if "type" in plain and ("rope_type" in plain or "factor" in plain):
        kind = plain.pop("type")
        plain["rope_type"] = kind if plain.get("rope_type", "default") == "default" else plain["rope_type"]
    if plain.get("rope_type") in {"su", "longrope"}:
        plain["rope_type"] = "longrope"
    return plain


def _with_heads(values: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the size of a head, which follows from two other keys, if only the other configuration declares it."""
    width, heads = values.get("hidden_size"), values.get("num_attention_heads")
    if "head_dim" in values or "head_dim" not in other or not isinstance(width, int) or not isinstance(heads, int):
        return values
    return {**values, "head_dim": width // max(1, heads)}


def _differences(ours: ConfigurationReading, theirs: ConfigurationReading) -> tuple[KeyDifference, ...]:
    left, right = _with_heads(ours.values, theirs.values), _with_heads(theirs.values, ours.values)
    silent = _SILENT | _DERIVED if ours.declared else _SILENT
    differences = [
        KeyDifference(key, one, other, _counts(key, ours, theirs))
        for key, one, other in _differing(left, right)
        if silent.isdisjoint(_names(key)) and key != "sentence_transformers.version"
    ]
    return tuple(sorted(differences, key=_order))


def _order(one: KeyDifference) -> tuple[bool, bool, str]:
    """The sort key of differences, most important first: model type, single values, then lists and nested values."""
    inside = "." in one.key or "[" in one.key or isinstance(one.ours, list)
    return one.key != "model_type", inside, one.key


def _differing(ours: object, theirs: object, key: str = "") -> Iterator[tuple[str, object, object]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted({*ours, *theirs}):
            yield from _differing(ours.get(name), theirs.get(name), f"{key}.{name}" if key else name)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _differing(one, other, f"{key}[{index}]")
    elif ours != theirs:
        yield key, ours, theirs


def _counts(key: str, ours: ConfigurationReading, theirs: ConfigurationReading) -> bool:
    names = _names(key)
    if any(name in _NOTED or _NOTED_PARTS.search(name) for name in names):
        return False
    if names[-1] == "pad_token_id":
        return _padding_counts(ours.values) or _padding_counts(theirs.values)
    if names[-1] == "max_position_embeddings":
        return not (_free_of_length(ours.values) and _free_of_length(theirs.values))
    top = names[0]
    if ours.declared is None or not ours.source or top in ours.declared or top in _ONCE_READ:
        return True
    return re.search(rf"\b{re.escape(top)}\b", ours.source) is not None


def _names(key: str) -> list[str]:
    return [name.split("[")[0] for name in key.split(".")]


def _padding_counts(values: Mapping[str, Any]) -> bool:
    """Whether the padding token matters: positions are counted from it, or a decoder scores the last token before
    it."""
    if _COUNTED_FROM_PADDING.search(str(values.get("model_type"))):
        return True
    named = values.get("architectures") or [""]
    return "num_key_value_heads" in values and str(named[0]).endswith("ForSequenceClassification")


def _free_of_length(values: Mapping[str, Any]) -> bool:
    rope = values.get("rope_parameters")
    if not isinstance(rope, dict):
        return False
    kinds = [one.get("rope_type") for one in rope.values() if isinstance(one, dict)] or [rope.get("rope_type")]
    return all(kind in _LENGTH_FREE for kind in kinds)


@cache
def _source(module: str) -> str:
    """The code of a configuration's model, or '' if it is not in the same folder."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    configured = Path(spec.origin)
    file = configured.with_name(configured.name.replace("configuration_", "modeling_"))
    return file.read_text("utf-8") if file.is_file() and file != configured else ""

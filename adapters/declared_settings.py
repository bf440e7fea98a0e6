"""Which settings in sentence_bert_config.json only sentence-transformers can apply: those that change an input."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.models import ModelFolder

_HARMLESS = {"transformer_task", "modality_config", "module_output_name", "unpad_inputs", "max_seq_length", "backend"}
_HARMLESS_OF_THE_NETWORK = {"attn_implementation", "dtype", "torch_dtype", "device_map", "low_cpu_mem_usage"}
_HARMLESS_OF_THE_TOKENIZER = {"model_max_length", "use_fast", "trust_remote_code"}
_MODEL = {"model_kwargs", "model_args"}
_TOKENIZER = {"processor_kwargs", "tokenizer_args"}
_SIZES = {"truncation", "max_length", "padding", "restore_suffix"}
"""Options of `apply_chat_template` that cut the prompt."""


def is_unusual(folder: ModelFolder) -> bool:
    """Whether a folder of modules has settings beyond a network, its tokenizer, a longest input and a chat template.
    Unknown settings count."""
    return any(value and _changes(key, value) for key, value in folder.transformer_settings.items())


def _changes(key: str, value: object) -> bool:
    if key in _HARMLESS:
        return False
    if isinstance(value, Mapping):
        if key in _MODEL:
            return not value.keys() <= _HARMLESS_OF_THE_NETWORK
        if key in _TOKENIZER:
            return not value.keys() <= _HARMLESS_OF_THE_TOKENIZER
        if key == "processing_kwargs":
            options = value.get("chat_template")
            cuts = isinstance(options, Mapping) and bool(options.keys() & _SIZES)
            return cuts or any(more for name, more in value.items() if name != "chat_template")
    return True

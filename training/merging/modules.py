"""Read the modules of a sentence-transformers folder, whichever of the library's versions wrote the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.errors import ModelError
from adapters.models import read_json

MODULES = "modules.json"
FILES = (MODULES, "config_sentence_transformers.json", "sentence_bert_config.json")
_ALIASES = {"MLMTransformer": "Transformer", "LegacyTransformer": "Transformer"}
_SENTENCE_CONFIGS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""The names of the settings file of a transformer in different versions. The first that exists is read."""
_CONFIG_FILES = {
    "Router": "router_config.json", "Asym": "config.json", "CNN": "cnn_config.json", "LSTM": "lstm_config.json",
    "WordEmbeddings": "wordembedding_config.json",
}  # fmt: skip
_WITH_WEIGHTS = frozenset({
    "Transformer", "MLMTransformer", "Dense", "LayerNorm", "LSTM", "CNN", "WeightedLayerPooling", "StaticEmbedding",
    "SparseStaticEmbedding", "SparseAutoEncoder", "CLIPModel", "WordEmbeddings",
})  # fmt: skip
"""Kinds of modules with weights."""
_READ_TEXT = frozenset({"Transformer", "CLIPModel", "StaticEmbedding", "SparseStaticEmbedding", "WordEmbeddings"})
_POOLINGS = {
    "pooling_mode_cls_token": "cls", "pooling_mode_max_tokens": "max", "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}  # fmt: skip
_RENAMED = {
    "word_embedding_dimension": "embedding_dimension", "in_word_embedding_dimension": "in_embedding_dimension",
}  # fmt: skip
_DEFAULTS: dict[str, dict[str, object]] = {
    "Pooling": {"include_prompt": True},
    "Dense": {"bias": True, "activation_function": "Tanh", "use_residual": False},
    "LogitScore": {"module_input_name": "causal_logits"},
    "Transformer": {"transformer_task": "feature-extraction", "do_lower_case": False, "processing_kwargs": {}},
}
_OUTPUTS = {
    "feature-extraction": ("token_embeddings", "last_hidden_state"), "sequence-classification": ("scores", "logits"),
    "text-generation": ("causal_logits", "logits"), "any-to-any": ("causal_logits", "logits"),
    "fill-mask": ("token_embeddings", "logits"),
}  # fmt: skip
"""The output of a transformer for each task: its name, and the network's output that it comes from."""
_UNREAD = {
    "Transformer": ("max_seq_length", "unpad_inputs"),
    "Dropout": ("dropout",),
}
"""Settings that do not change the vector of a text that fits, or that loading derives again."""


@dataclass(frozen=True)
class Module:
    """One module of the chain."""

    kind: str
    """The name of the class."""
    path: str
    """The folder of its files; '' for the model's folder."""
    file: str
    """The file of its settings, relative to the model's folder."""
    settings: Mapping[str, object]
    """The settings in the current spelling, with defaults."""

    @property
    def learned(self) -> bool:
        """Whether the module has weights."""
        return self.kind in _WITH_WEIGHTS

    @property
    def reads_text(self) -> bool:
        """Whether the module has a tokenizer, and perhaps a configuration."""
        return self.kind in _READ_TEXT


def chain(folder: Path) -> tuple[Module, ...]:
    """The modules in order; empty for a folder without modules.json.

    Raises:
        ModelError: modules.json is not a list of modules, or a path leads out of the folder.
    """
    file = folder / MODULES
    listed = read_json(file, list)
    if not isinstance(listed, list) or not all(isinstance(one, dict) and "type" in one for one in listed):
        raise ModelError(f"{file}: expected a list of modules, each with a 'type'")
    modules: list[Module] = []
    for entry in listed:
        modules += _opened(folder, str(entry["type"]), str(entry.get("path", "")), file)
    return tuple(modules)


def _opened(folder: Path, kind: str, path: str, named_by: Path) -> list[Module]:
    """A module, followed by the modules that it routes texts to, if it is a router."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ModelError(f"{named_by}: the module path '{path}' leads out of the folder")
    kind = kind.rsplit(".", 1)[-1]
    file = Path(path, _settings_file(folder / path, _ALIASES.get(kind, kind))).as_posix()
    written = read_json(folder / file, dict)
    settings = {**({"transformer_task": "fill-mask"} if kind == "MLMTransformer" else {}), **dict(written)}
    module = Module(_ALIASES.get(kind, kind), path, file, _normal(_ALIASES.get(kind, kind), settings))
    inside: list[Module] = []
    routed = settings.get("types") if kind in {"Router", "Asym"} else None
    if not isinstance(routed, dict | None):
        raise ModelError(f"{folder / file}: 'types' is not an object; fetch or save the model again")
    for name, inner in (routed or {}).items():
        inside += _opened(folder, str(inner), Path(path, name).as_posix(), folder / file)
    return [module, *inside]


def _settings_file(folder: Path, kind: str) -> str:
    if kind != "Transformer":
        return _CONFIG_FILES.get(kind, "config.json")
    return next((name for name in _SENTENCE_CONFIGS if (folder / name).is_file()), _SENTENCE_CONFIGS[0])


def _normal(kind: str, settings: Mapping[str, Any]) -> dict[str, object]:
    present = {_RENAMED.get(key, key): value for key, value in settings.items() if value is not None}
    present = {key: value for key, value in present.items() if key not in _UNREAD.get(kind, ())}
    special: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "Transformer": _transformer, "Pooling": _pooling, "Dense": _dense, "Normalize": _in_and_out, "Router": _router,
        "Asym": _router,
    }  # fmt: skip
    normal = special.get(kind, dict)({**_DEFAULTS.get(kind, {}), **present})
    return {key: value for key, value in sorted(normal.items()) if value is not None}


def _transformer(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings for what the module reads (plain texts, or messages with the chat template) and returns. Folders of
    older versions do not declare it, and are loaded to read plain texts."""
    into, output = _OUTPUTS.get(str(settings["transformer_task"]), _OUTPUTS["feature-extraction"])
    plain = {"text": {"method": "forward", "method_output_name": output}}
    modality = settings.pop("modality_config", plain)
    for name, how in modality.items() if isinstance(modality, dict) else ():
        settings[f"modality_config.{name}"] = {"format": "auto", **how} if isinstance(how, dict) else how
    return {"module_output_name": into, **settings}


def _pooling(settings: dict[str, Any]) -> dict[str, Any]:
    active = [mode for flag, mode in _POOLINGS.items() if settings.get(flag)]
    modes = settings.get("pooling_mode", active or ["mean"])
    modes = [modes] if isinstance(modes, str) else list(modes)
    rest = {key: value for key, value in settings.items() if key not in _POOLINGS}
    return {**rest, "pooling_mode": "+".join(map(str, modes))}


def _dense(settings: dict[str, Any]) -> dict[str, Any]:
    settings["activation_function"] = str(settings["activation_function"]).rsplit(".", 1)[-1]
    return _in_and_out(settings)


def _in_and_out(settings: dict[str, Any]) -> dict[str, Any]:
    into = settings.get("module_input_name") or "sentence_embedding"
    return {**settings, "module_input_name": into, "module_output_name": settings.get("module_output_name") or into}


def _router(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out `types`, which maps folders to classes, because modules are compared one by one."""
    return {key: value for key, value in settings.items() if key != "types"}

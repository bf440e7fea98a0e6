"""Model folders: found by path or hub name, described by content, and told apart by what their own files say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from adapters.errors import ModelError, need
from adapters.identity import digest, file_digest, files_digest

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_WANTED = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
ONNX_FILES = ("*.onnx", "*.onnx_data")
"""Beside the weights of many hub models lie several exports of them; only who runs them fetches them."""
_TOKENIZER = re.compile(
    r"(tokenizer.*|vocab\..*|merges\.txt|special_tokens_map\.json|added_tokens\.json|.*\.model|.*\.jinja)"
)
_UNREAD_BY_MODELS = {"README.json", "model.safetensors.index.json", "trainer_state.json", "all_results.json"}
_Json = TypeVar("_Json", dict[str, object], list[Any])
_HISTORY = ("_name_or_path", "transformers_version")


@dataclass(frozen=True)
class ModelFolder:
    """A folder in the format that transformers and sentence-transformers save."""

    name: str
    path: Path

    @cached_property
    def config(self) -> dict[str, object]:
        """config.json, or an empty dict where there is none."""
        return _read_json(self.path / "config.json", dict)

    @cached_property
    def modules(self) -> list[str]:
        """Class names of the sentence-transformers modules, in order; empty for a plain transformers folder."""
        file = self.path / "modules.json"
        listed = _read_json(file, list)
        if not all(isinstance(module, dict) and "type" in module for module in listed):
            raise ModelError(f"{file}: expected a list of modules, each with a 'type'")
        return [str(module["type"]).rsplit(".", 1)[-1] for module in listed]

    @cached_property
    def sentence_settings(self) -> dict[str, object]:
        """The settings of sentence-transformers (prompts, lower-casing), or an empty dict where there are none."""
        named = ("config_sentence_transformers.json", "sentence_bert_config.json")
        return {key: value for name in named for key, value in _read_json(self.path / name, dict).items()}

    @cached_property
    def architecture(self) -> str:
        """The first of the config's architectures, or ''."""
        named = self.config.get("architectures")
        return str(named[0]) if isinstance(named, list) and named else ""

    def identity(self) -> dict[str, object]:
        """Digests of weights, tokenizer and configuration: whatever of this folder can change a score.

        Raises:
            ModelError: there are no safetensors or ONNX weights.
        """
        files = {
            str(file.relative_to(self.path)): file for file in sorted(self.path.rglob("*")) if self._is_content(file)
        }
        weights = [name for name in files if name.endswith(".safetensors")] or [
            name for name in files if name.endswith((".onnx", ".onnx_data"))
        ]
        if not weights:
            raise ModelError(f"{self.path}: no safetensors weights here; save the model with safe_serialization=True")
        tokenizer = [name for name in files if _TOKENIZER.fullmatch(Path(name).name) and name not in weights]
        others = [name for name in files if name.endswith(".json") and name not in tokenizer]
        settings = [name for name in others if Path(name).name not in _UNREAD_BY_MODELS]
        return {
            "weights": files_digest(self.path, weights),
            "tokenizer": files_digest(self.path, tokenizer),
            "settings": digest({name: _settings_digest(files[name]) for name in settings}),
        }

    def _is_content(self, file: Path) -> bool:
        return file.is_file() and not any(part.startswith(".") for part in file.relative_to(self.path).parts)


def open_folder(model: str, revision: str | None = None, extra_files: Iterable[str] = ()) -> ModelFolder:
    """Find a model by path, or fetch a hub model's safetensors snapshot (never pickled weights, never code).

    Raises:
        ModelError: neither a folder nor a hub name, or the hub cannot be reached and the model is not in its cache.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        if revision is not None:
            raise ModelError(f"{model} is a local folder; a revision (@{revision}) is for hub models")
        return ModelFolder(model, path.resolve())
    if model.startswith((".", "/", "~")) or not _HUB_NAME.fullmatch(model):
        raise ModelError(f"no model folder at '{model}', and it is not a hub name such as 'BAAI/bge-reranker-v2-m3'")
    return ModelFolder(model if revision is None else f"{model}@{revision}", _snapshot(model, revision, extra_files))


def kind_of(folder: ModelFolder) -> str:
    """Tell 'embedder', 'cross-encoder', 'causal-lm' or 'onnx' from the folder's own files.

    Raises:
        ModelError: the files do not say, so the user has to.
    """
    if "Pooling" in folder.modules or "StaticEmbedding" in folder.modules:
        return "embedder"
    if folder.architecture.endswith("ForSequenceClassification"):
        return "cross-encoder"
    if folder.architecture.endswith(("ForCausalLM", "LMHeadModel")):
        return "causal-lm"
    if not any(folder.path.glob("*.safetensors")) and any(folder.path.rglob("*.onnx")):
        return "onnx"
    raise ModelError(
        f"{folder.name}: its config names '{folder.architecture or 'no architecture'}', which is neither a reranker "
        f"nor a sentence-transformers embedder; say which it is, as in 'cross-encoder:{folder.name}'"
    )


@contextmanager
def quiet_loading() -> Iterator[None]:
    """No progress bar and no report while transformers loads: what matters in it is raised as an error."""
    logging = need("transformers", "models", "loading a model").utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _snapshot(model: str, revision: str | None, extra_files: Iterable[str]) -> Path:
    hub = need("huggingface_hub", "models", f"fetching '{model}'")
    try:
        return Path(hub.snapshot_download(model, revision=revision, allow_patterns=[*_WANTED, *extra_files]))
    except Exception as error:  # the hub client raises a dozen unrelated classes for "not there" and "no network"
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"cannot fetch the model '{model}': {reason}; give the path of a local folder") from error


def _read_json(file: Path, kind: type[_Json]) -> _Json:
    if not file.exists():
        return kind()
    try:
        content = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ModelError(f"{file}: not JSON ({error}); fetch or save the model again") from None
    if not isinstance(content, kind):
        raise ModelError(f"{file}: expected a JSON {'object' if kind is dict else 'list'}")
    return content


def _settings_digest(file: Path) -> str:
    if file.name != "config.json":
        return file_digest(file)
    return digest({key: value for key, value in _read_json(file, dict).items() if key not in _HISTORY})

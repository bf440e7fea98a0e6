"""Model folders: found by path or hub name, described by content, and told apart by what their own files say."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from adapters.errors import ModelError, need
from adapters.identity import digest, file_digest, files_digest

MIRROR = "HARNESS_MIRROR"
"""A folder with everything that would be downloaded; where it is set, hub models are read from there alone."""
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
"""What is fetched of a hub model: never pickles, never code."""
ONNX_FILES = ("*.onnx", "*.onnx_data")
"""Beside the weights of many hub models lie several exports of them; only who runs them fetches them."""
_TOKENIZER = re.compile(
    r"(tokenizer.*|vocab\..*|merges\.txt|special_tokens_map\.json|added_tokens\.json|.*\.model|.*\.jinja)"
)
_UNREAD_BY_MODELS = {
    "README.json", "model.safetensors.index.json", "trainer_state.json", "all_results.json",
    "merge.json", "merge-report.json", "manifest.json",
}  # fmt: skip
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
    """Find a model by path, or a hub model in the mirror that the variable HARNESS_MIRROR names; where there is none,
    fetch its safetensors snapshot (never pickled weights, never code).

    Raises:
        ModelError: neither a folder nor a hub name, the mirror lacks it, or the hub cannot be reached and the model is
            not in its cache. The message has the command that fetches it to a mirror.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        if revision is not None:
            raise ModelError(f"{model} is a local folder; a revision (@{revision}) is for hub models")
        return ModelFolder(model, path.resolve())
    if not is_hub_name(model):
        raise ModelError(f"no model folder at '{model}', and it is not a hub name such as 'BAAI/bge-reranker-v2-m3'")
    mirror, extra = os.environ.get(MIRROR), tuple(extra_files)
    found = _in_mirror(mirror, model, revision, extra) if mirror else _snapshot(model, revision, extra)
    return ModelFolder(model if revision is None else f"{model}@{revision}", found)


def is_hub_name(model: str) -> bool:
    """Whether it is written as the hub names models: `organisation/name`."""
    return _HUB_NAME.fullmatch(model) is not None


def mirrored_model(mirror: Path, model: str, revision: str | None) -> Path:
    """Where a mirror has a hub model: `<mirror>/models/<organisation>/<name>[@revision]`."""
    # A branch may have a slash in its name.
    named = model if revision is None else f"{model}@{quote(revision, safe='')}"
    return mirror.expanduser() / "models" / named


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


def _in_mirror(mirror: str, model: str, revision: str | None, extra_files: tuple[str, ...]) -> Path:
    path = mirrored_model(Path(mirror), model, revision)
    if not path.is_dir():
        missing = "not there"
    elif extra_files and not any(any(path.rglob(pattern)) for pattern in extra_files):
        missing = f"no {extra_files[0]} there"
    else:
        return path.resolve()
    raise ModelError(
        f"{path}: {missing}; where there is a network, run: {_fetch(model, revision, extra_files, mirror)}"
    )


def _fetch(model: str, revision: str | None, extra_files: tuple[str, ...], mirror: str) -> str:
    kind = "onnx:" if set(ONNX_FILES) & set(extra_files) else ""
    spec = f"{kind}{model}{f'@{revision}' if revision else ''}"
    return f"harness fetch --model {shlex.quote(spec)} --mirror {shlex.quote(mirror)}"


def _snapshot(model: str, revision: str | None, extra_files: tuple[str, ...]) -> Path:
    hub = need("huggingface_hub", "models", f"fetching '{model}'")
    try:
        return Path(hub.snapshot_download(model, revision=revision, allow_patterns=[*MODEL_FILES, *extra_files]))
    except Exception as error:  # the hub client raises a dozen unrelated classes for "not there" and "no network"
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        command = _fetch(model, revision, extra_files, "DIR")
        raise ModelError(
            f"cannot fetch the model '{model}': {reason}; give the path of a local folder, or set {MIRROR}=DIR after, "
            f"where there is a network: {command}"
        ) from error


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

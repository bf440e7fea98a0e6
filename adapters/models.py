"""Model folders: finds them and reads their small files."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from adapters.errors import EnvironmentFailure, ModelError, class_of, class_of_fetch, need
from adapters.paths import is_folder, user_path
from adapters.typed_file import value_of
from adapters.typed_values import Place

MIRROR = "HARNESS_MIRROR"
"""A folder with everything that would be downloaded; if it is set, hub models are read only from there."""
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
MODEL_FILES = (
    "*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "*.codes", "*.spm", "*.tiktoken", "README.md",
)  # fmt: skip
"""The files that are always fetched of a hub model: no pickles and no code. The card identifies the model."""
ONNX_FILES = ("*.onnx", "*.onnx_data")
"""Many hub models have several exports next to their weights; they are fetched only to be run."""
BIN_FILES = ("*pytorch_model*.bin", "*adapter_model.bin")
"""Pickled weights, fetched only for a conversion."""
CODE_FILES = ("*.py",)
"""The code of a hub model, fetched only if the user asks to run it."""
_Json = TypeVar("_Json", dict[str, object], list[Any])
TRANSFORMERS = ("Transformer", "MLMTransformer", "BERT", "RoBERTa", "DistilBERT", "ALBERT", "XLMRoBERTa", "CamemBERT")
"""Modules of sentence-transformers that hold a network of transformers, under their present and former names."""
_SENTENCE_CONFIGS = ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
_ADAPTER = "adapter_config.json"
_TOKENIZER = re.compile(
    r"tokenizer(_config)?\.json|vocab(-src|-tgt)?\.(txt|json)|(entity|target)_vocab\.json|merges\.txt|dict\.txt|bpe\.codes|"
    r"(special_tokens_map|added_tokens|emoji|byte_maps|normalizer|word_shape|word_pronunciation|tekken)\.json|"
    r".*\.(model|model\.v\d+|spm|tokenizer|tiktoken|jinja)"
)
"""The names under which the tokenizers of transformers read their files."""
LFS_POINTER = b"version https://git-lfs"
LFS_ADVICE = "a Git LFS pointer, not the file itself; run `git lfs pull` in the folder, or fetch the model again"


@dataclass(frozen=True)
class ModuleEntry:
    """One line of modules.json."""

    type: str
    """The dotted path of its class."""
    path: str
    """Its folder inside the model's folder; '' for the folder itself."""

    @property
    def name(self) -> str:
        """The class without its package, because sentence-transformers has moved its packages."""
        return self.type.rsplit(".", 1)[-1]

    @property
    def known(self) -> bool:
        """Whether it is a class of sentence-transformers or PyLate, not code of the folder."""
        return self.type.startswith(("sentence_transformers.", "pylate."))


@dataclass(frozen=True)
class ModelFolder:
    """A folder in the format that transformers and sentence-transformers save. Only small files are read."""

    name: str
    path: Path

    @cached_property
    def config(self) -> dict[str, object]:
        """config.json of the network, or of the base if an adapter has none; an empty dict if there is none."""
        own = self.json(f"{self.transformer}config.json")
        if not isinstance(own.get("model_type", ""), str):
            raise ModelError(f"{self.path / self.transformer}/config.json: model_type is no text; fetch the file again")
        return self.base.config if not own and self.base is not None else own

    @cached_property
    def adapter_config(self) -> dict[str, object]:
        """adapter_config.json if the weights are an adapter (such as LoRA) of another model, else an empty dict."""
        return self.json(f"{self.transformer}{_ADAPTER}")

    @cached_property
    def base(self) -> ModelFolder | None:
        """The base model if the folder holds an adapter (such as LoRA), else None.

        Raises:
            ModelError: the base cannot be found.
            EnvironmentFailure: the base is a hub model, and the hub cannot be reached.
        """
        file = self.path / self.transformer / _ADAPTER
        if not file.is_file():
            return None
        base = str(self.adapter_config.get("base_model_name_or_path") or "")
        if not base or (not is_folder(Path(base)) and not is_hub_name(base)):
            raise ModelError(
                f"{file}: the base model '{base}' is not here; write the folder or hub name of the base into "
                "base_model_name_or_path, or merge the adapter into it and name the merged model"
            )
        if is_folder(Path(base)) and Path(base).samefile(self.path):
            raise ModelError(f"{file}: base_model_name_or_path is this very folder; name the base")
        revision = self.adapter_config.get("revision")
        try:
            found = open_folder(base, None if is_folder(Path(base)) or revision is None else str(revision))
        except (ModelError, EnvironmentFailure) as error:
            raise class_of(error, ModelError)(f"{file}: the base of this adapter is missing: {error}") from None
        if found.adapter_config:
            raise ModelError(f"{file}: the base '{base}' is an adapter itself; merge it into its own base first")
        return found

    @cached_property
    def tokenizer(self) -> ModelFolder:
        """The folder that the tokenizer is read from: this one, or the base if an adapter has no tokenizer."""
        own = any(is_tokenizer_file(file.name) for file in (self.path / self.transformer).glob("*"))
        return self if own or self.base is None else self.base

    @property
    def tokenizer_options(self) -> dict[str, object]:
        """Arguments with which sentence-transformers loads the tokenizer."""
        named = (self.transformer_settings.get(key) for key in ("tokenizer_args", "processor_kwargs"))
        options = {str(key): value for one in named if isinstance(one, dict) for key, value in one.items()}
        return {key: value for key, value in options.items() if key != "trust_remote_code"}

    @property
    def tokenizer_settings(self) -> dict[str, object]:
        """tokenizer_config.json, or an empty dict if there is none."""
        return self.tokenizer.json(f"{self.tokenizer.transformer}tokenizer_config.json")

    @cached_property
    def chain(self) -> tuple[ModuleEntry, ...]:
        """The modules of sentence-transformers, in order; empty for a plain transformers folder.

        Raises:
            ModelError: modules.json is not a list of modules.
        """
        file = self.path / "modules.json"
        listed = read_json(file, list)
        if not all(isinstance(module, dict) and isinstance(module.get("type"), str) for module in listed):
            raise ModelError(f"{file}: expected a list of modules, each with a 'type'; fetch the file again")
        chain = tuple(ModuleEntry(module["type"], str(module.get("path") or "")) for module in listed)
        for module in chain:
            if module.path.startswith("/") or ".." in Path(module.path).parts or "\0" in module.path:
                raise ModelError(f"{file}: '{module.path}' is not a folder inside the model's folder")
        return chain

    @property
    def modules(self) -> list[str]:
        """The class names of `chain`."""
        return [module.name for module in self.chain]

    @property
    def transformer(self) -> str:
        """The folder of the network's files, as a prefix of file names: '' or, in old folders, '0_Transformer/'."""
        found = next((module.path for module in self.chain if module.name in TRANSFORMERS), "")
        return f"{found}/" if found else ""

    @cached_property
    def sentence_settings(self) -> dict[str, object]:
        """The settings of sentence-transformers for the model and its transformer: prompts, similarity, lengths. Empty
        without modules.json, because then these files are not read."""
        own = self.json("config_sentence_transformers.json") if self.chain else {}
        return {**own, **self.transformer_settings}

    @cached_property
    def transformer_settings(self) -> dict[str, object]:
        """sentence_bert_config.json, or the first file under an older name; empty without modules.json."""
        if not self.chain:
            return {}
        named = (self.json(f"{self.transformer}sentence_{kind}_config.json") for kind in _SENTENCE_CONFIGS)
        return next((settings for settings in named if settings), {})

    @cached_property
    def architecture(self) -> str:
        """The first of the config's architectures, or ''."""
        named = self.config.get("architectures")
        return str(named[0]) if isinstance(named, list) and named else ""

    def json(self, name: str) -> dict[str, object]:
        """A JSON object of the folder, or an empty dict if there is no such file.

        Raises:
            ModelError: the file holds something else.
        """
        return read_json(self.path / name, dict)


def open_folder(model: str, revision: str | None = None, extra_files: Iterable[str] = ()) -> ModelFolder:
    """Find a model by its path or hub name.

    Hub models are read from the mirror in the variable HARNESS_MIRROR. If it is not set, the safetensors snapshot is
    fetched: never pickled weights, and code only with `extra_files`.

    Raises:
        ModelError: `model` is neither a folder nor a hub name, or the hub has no such model.
        EnvironmentFailure: the mirror lacks it, or the hub cannot be reached and the model is not in its cache. The
            message has the command that fetches it to a mirror.
    """
    path = user_path(model, ModelError)
    if path.is_dir():
        if revision is not None:
            raise ModelError(f"{model} is a local folder; leave out @{revision}, which is for hub models")
        return ModelFolder(model, path.resolve())
    if path.is_file():
        from adapters.other_weights import file_advice

        raise ModelError(f"'{model}' {file_advice(path)}")
    if not is_hub_name(model):
        raise ModelError(
            f"no model folder at '{model}'; check the path, or write a hub name such as 'BAAI/bge-reranker-v2-m3'"
        )
    mirror, extra = os.environ.get(MIRROR), tuple(extra_files)
    found = _in_mirror(mirror, model, revision, extra) if mirror else _snapshot(model, revision, extra)
    return ModelFolder(model if revision is None else f"{model}@{revision}", found)


def is_hub_name(model: str) -> bool:
    """Whether a text has the form of a hub name: `organisation/name`."""
    return _HUB_NAME.fullmatch(model) is not None


def is_tokenizer_file(name: str) -> bool:
    """Whether a file of that name belongs to a tokenizer."""
    return _TOKENIZER.fullmatch(Path(name).name) is not None


def mirrored_model(mirror: Path, model: str, revision: str | None) -> Path:
    """The folder of a hub model in a mirror: `<mirror>/models/<organisation>/<name>[@revision]`."""
    # A branch may have a slash in its name.
    named = model if revision is None else f"{model}@{quote(revision, safe='')}"
    return mirror.expanduser() / "models" / named


def _in_mirror(mirror: str, model: str, revision: str | None, extra_files: tuple[str, ...]) -> Path:
    path = mirrored_model(Path(mirror), model, revision)
    if not path.is_dir():
        missing = "not there"
    elif extra_files and not any(any(path.rglob(pattern)) for pattern in extra_files):
        missing = f"no {extra_files[0]} there"
    else:
        return path.resolve()
    raise EnvironmentFailure(
        f"{path}: {missing}; where there is a network, run: {_fetch(model, revision, extra_files, mirror)}"
    )


def convert_command(model: str) -> str:
    """The command that writes a model's pickled weights as safetensors."""
    return f"harness convert {shlex.quote(model)} OUT"


def _fetch(model: str, revision: str | None, extra_files: tuple[str, ...], mirror: str) -> str:
    if set(BIN_FILES) & set(extra_files):
        return f"{convert_command(f'{model}@{revision}' if revision else model)} (without {MIRROR}), and copy OUT here"
    kind = "onnx:" if set(ONNX_FILES) & set(extra_files) else ""
    code = "?code=own" if set(CODE_FILES) & set(extra_files) else ""
    spec = f"{kind}{model}{f'@{revision}' if revision else ''}{code}"
    return f"harness fetch --model {shlex.quote(spec)} --mirror {shlex.quote(mirror)}"


def _snapshot(model: str, revision: str | None, extra_files: tuple[str, ...]) -> Path:
    hub = need("huggingface_hub", "models", f"fetching '{model}'")
    try:
        return Path(hub.snapshot_download(model, revision=revision, allow_patterns=[*MODEL_FILES, *extra_files]))
    except Exception as error:  # the hub client raises a dozen unrelated classes for "not there" and "no network"
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        command = _fetch(model, revision, extra_files, "DIR")
        raise class_of_fetch(error, ModelError)(
            f"cannot fetch the model '{model}': {reason}; give the path of a local folder, or set {MIRROR}=DIR after, "
            f"where there is a network: {command}"
        ) from error


def read_json(file: Path, kind: type[_Json]) -> _Json:
    """The content of a JSON file of a model; empty if there is no such file.

    Raises:
        ModelError: it is not JSON, or holds another type.
    """
    try:
        text = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return kind()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file can have such a name"
        raise class_of(error, ModelError)(f"{file}: cannot be read: {why}") from None
    if text.startswith(LFS_POINTER):
        raise ModelError(f"{file}: {LFS_ADVICE}")
    content = value_of(text, Place(str(file), error=ModelError, advice="fetch or save the model again"))
    if not isinstance(content, kind):
        raise ModelError(f"{file}: expected a JSON {'object' if kind is dict else 'list'}; fetch the file again")
    return content

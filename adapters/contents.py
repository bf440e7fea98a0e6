"""The files of a model folder that are loaded, and their digests, which make up an identity.

Other files do not count: a trainer's checkpoint in the folder, an image or another export next to the weights changes
no score and no identity.
"""

from __future__ import annotations

import fnmatch
import mmap
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adapters.errors import ModelError, class_of
from adapters.identity import digest, file_digest
from adapters.known_digests import files_digest
from adapters.models import TRANSFORMERS, ModelFolder, ModuleEntry, is_tokenizer_file, read_json
from adapters.other_weights import advice
from adapters.paths import is_file
from adapters.routes import modules_of

_SETTINGS = (
    "config.json", "generation_config.json", "modules.json", "config_sentence_transformers.json",
    "sentence_*_config.json", "adapter_config.json", "preprocessor_config.json", "processor_config.json",
    "router_config.json", "video_preprocessor_config.json", "chat_template.json", "quantize_config.json",
    "quantization_config.json",
)  # fmt: skip
_WITHOUT_WEIGHTS = {"Pooling", "Normalize", "LogitScore", "MultiVectorMask", "BoW", "Dropout", "Router", "Asym"}
_LEFT_OUT = {
    "config.json": ("_name_or_path", "transformers_version"),
    "adapter_config.json": ("base_model_name_or_path", "revision"),
}
_SAFE, _PICKLED = "model.safetensors", "pytorch_model.bin"
_ADAPTER = "adapter_model.safetensors", "adapter_model.bin"
_LOCATION = re.compile(rb"\x0a\x08location\x12(.)", re.DOTALL)
"""A key and the length of its value, as protobuf writes a pair of strings."""
_UNREAD = {"model.safetensors.index.json", "pytorch_model.bin.index.json"}


@dataclass(frozen=True)
class Contents:
    """The files of a folder that are read, as paths relative to it.

    Args:
        folder: where they are.
        pickle: whether weights may come from pickled files where there are no safetensors.
    """

    folder: ModelFolder
    pickle: bool = False

    @cached_property
    def weights(self) -> tuple[str, ...]:
        """Files with weights, of the network and of every module that has some.

        Raises:
            ModelError: a part has no safetensors weights; the message says which weights there are instead.
        """
        chain = modules_of(self.folder) or (ModuleEntry("sentence_transformers.models.Transformer", ""),)
        found: list[str] = []
        for module in chain:
            place = f"{module.path}/" if module.path else ""
            if module.name in TRANSFORMERS:
                found += self._of_network(place)
            elif module.name not in _WITHOUT_WEIGHTS:
                found += self._of_module(place, module.name)
        return tuple(dict.fromkeys(found))

    @cached_property
    def tokenizer(self) -> tuple[str, ...]:
        """Files that the tokenizer and its chat template are read from."""
        named = filter(is_tokenizer_file, self._everywhere)
        more = [name for name in self._names("additional_chat_templates/") if name.endswith(".jinja")]
        return tuple(sorted({*named, *more}))

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """Files with the configuration of the network, of its use and of every module. The top folder may hold
        unrelated JSON files; all those in the folder of a module belong to it."""
        named = {name for name in self._everywhere if name.endswith(".json") and ("/" in name or _is_setting(name))}
        return tuple(sorted(name for name in named - set(self.tokenizer) if Path(name).name not in _UNREAD))

    def identity(self) -> dict[str, object]:
        """Digests of weights, tokenizer and settings, and the same of an adapter's base.

        Raises:
            ModelError: weights are missing, or a file cannot be read.
        """
        weights, folder = self.weights, self.folder
        base = {} if folder.base is None else {"base": Contents(folder.base, self.pickle).identity()}
        try:
            return {
                "weights": files_digest(folder.path, weights),
                "tokenizer": files_digest(folder.path, self.tokenizer),
                "settings": digest({name: settings_digest(folder.path / name) for name in self.settings}),
                **self._dated,
                **base,
            }
        except OSError as error:
            kind = class_of(error, ModelError)
            raise kind(f"{error.filename or folder.path}: cannot be read: {error.strerror}") from None

    @property
    def _dated(self) -> dict[str, object]:
        """The version of transformers that saved a Mistral tokenizer; transformers corrects such a tokenizer by it."""
        corrected = "fix_mistral_regex" in self.folder.tokenizer_settings
        return {"tokenizer_of": self.folder.config.get("transformers_version")} if corrected else {}

    @cached_property
    def _everywhere(self) -> tuple[str, ...]:
        """Files of the folder itself and of the folders of its modules."""
        places = dict.fromkeys(["", *(f"{module.path}/" for module in modules_of(self.folder) if module.path)])
        return tuple(name for place in places for name in self._names(place))

    def _of_network(self, place: str) -> list[str]:
        """In the order in which transformers looks for them."""
        safe, pickled = _ADAPTER if self.folder.base is not None else (_SAFE, _PICKLED)
        named = self.folder.config.get("transformers_weights")
        if isinstance(named, str) and self.folder.base is None:  # transformers reads this file and no other
            return self._named(place, named)
        for name in (safe, pickled) if self.pickle else (safe,):
            if self._is_file(f"{place}{name}"):
                return [f"{place}{name}"]
            if self._is_file(f"{place}{name}.index.json"):
                return self._shards(place, f"{name}.index.json")
        raise self._missing(place, "weights")

    def _named(self, place: str, name: str) -> list[str]:
        folder = self.folder.path / place
        if not (folder / name).resolve().is_relative_to(folder.resolve()) or not self._is_file(f"{place}{name}"):
            raise ModelError(f"{folder / 'config.json'}: transformers_weights names '{name}', which is not here")
        if name.endswith(".index.json"):
            return self._shards(place, name)
        if not name.endswith(".safetensors") and not self.pickle:
            raise self._missing(place, "weights")
        return [f"{place}{name}"]

    def _shards(self, place: str, index: str) -> list[str]:
        mapped = read_json(self.folder.path / f"{place}{index}", dict).get("weight_map")
        names = sorted({str(name) for name in mapped.values()}) if isinstance(mapped, dict) else []
        missing = [name for name in names if not self._is_file(f"{place}{name}")]
        if missing or not names:
            raise ModelError(
                f"{self.folder.path / place / index}: {missing[0] if missing else 'no file of weights'} is not there; "
                "fetch the model again, with all its files"
            )
        return [f"{place}{name}" for name in names]

    def _of_module(self, prefix: str, name: str) -> list[str]:
        for file, allowed in ((_SAFE, True), (_PICKLED, self.pickle)):
            if allowed and self._is_file(f"{prefix}{file}"):
                return [f"{prefix}{file}"]
        if self._is_file(f"{prefix}{_PICKLED}"):
            raise self._missing(prefix, f"{name} weights")
        return []  # a module without weights, or one that fails to load with a message of its own

    def _missing(self, place: str, what: str) -> ModelError:
        where = str(self.folder.path / place).rstrip("/")
        return ModelError(f"{where}: no safetensors {what} here; {advice(self.folder, place)}")

    def _names(self, place: str) -> list[str]:
        folder = self.folder.path / place
        return [f"{place}{file.name}" for file in _files(folder)]

    def _is_file(self, name: str) -> bool:
        return is_file(self.folder.path / name)


def graph_files(graph: Path) -> list[Path]:
    """An ONNX graph, and the files with its weights that it names.

    Raises:
        ModelError: the graph cannot be read, or names a file that is not there.
    """
    try:
        with graph.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            named = dict.fromkeys(_locations(content))
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        kind = class_of(error, ModelError)
        raise kind(f"{graph}: cannot be read ({error}); fetch the graph again") from None
    found = [(graph.parent / name) for name in named]
    for name, place in zip(named, found, strict=True):
        if not place.resolve().is_relative_to(graph.parent.resolve()) or not place.is_file():
            raise ModelError(
                f"{graph}: its weights are in '{name}', which is not there; fetch the model with all its files"
            )
    return [graph, *sorted(found)]


def _locations(content: mmap.mmap) -> Iterator[str]:
    """The values of the entries `location` of an ONNX graph's tensors, read off the protobuf."""
    for found in _LOCATION.finditer(content):
        length, place = found[1][0], found.end()
        if length & 0x80:
            length, place = (length & 0x7F) | content[place] << 7, place + 1
        with suppress(UnicodeDecodeError):
            yield content[place : place + length].decode("utf-8")


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if not file.name.startswith(".") and file.is_file())


def _is_setting(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _SETTINGS)


def settings_digest(file: Path) -> str:
    """The digest of a file of settings; of config.json without the history that transformers writes into it, of
    adapter_config.json without the place of the base, whose content has digests of its own."""
    left_out = _LEFT_OUT.get(file.name)
    if left_out is None:
        return file_digest(file)
    try:
        return digest({key: value for key, value in read_json(file, dict).items() if key not in left_out})
    except ValueError:  # NaN and infinity, which JSON does not have, and which some programs write
        return file_digest(file)

"""The tokenizer files of a checkpoint, and how transformers and the Rust library read them."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from adapters.errors import need
from adapters.identity import file_digest
from adapters.loading import is_failure, quiet_loading
from adapters.models import is_tokenizer_file, read_json

ROLES = ("cls_token", "sep_token", "bos_token", "eos_token", "pad_token", "unk_token", "mask_token")
_ADDED = "added_tokens.json"
_READ = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", dict)
"""Files that are read key by key. Other files of a tokenizer are compared by their bytes and by their effect."""
_HOW_USED = frozenset({
    "model_max_length", "max_length", "max_len", "truncation_side", "truncation_strategy", "stride", "padding_side",
    "padding", "truncation", "pad_to_multiple_of", "pad_token_type_id", "clean_up_tokenization_spaces",
    "chat_template", "name_or_path", "special_tokens_map_file", "tokenizer_file", "is_local", "local_files_only",
    "backend", "processor_class", "spaces_between_special_tokens", "errors", "verbose", "trust_remote_code",
    "cache_dir", "from_slow",
})  # fmt: skip
"""Settings that do not change the tokens of a text that fits."""


class Tokenization(Protocol):
    """The interface of a tokenizer."""

    def vocabulary(self) -> Mapping[str, int]:
        """All tokens with their ids, including added tokens."""

    def added(self) -> Sequence[str]:
        """The tokens that are found before a text is split."""

    def text(self, number: int) -> str:
        """The text of a token."""

    def encode(self, first: str, second: str | None) -> tuple[list[int], list[int]]:
        """Ids and segments of the whole input with its special tokens, without truncation and padding."""


@dataclass(frozen=True)
class Tokenizer:
    """The tokenizer files of a checkpoint."""

    name: str
    """The name of the checkpoint."""
    folder: Path

    @property
    def present(self) -> bool:
        return bool(self.content or self.digests)

    @cached_property
    def content(self) -> dict[str, Any]:
        """tokenizer.json without the settings of its last use, with merges in one spelling; {} if there is no file."""
        fast = read_json(self.folder / "tokenizer.json", dict)
        used = {"truncation", "padding", "version"}
        kept = {key: value for key, value in fast.items() if key not in used and value is not None}
        model = kept.get("model")
        if isinstance(model, dict):
            kept["model"] = with_pairs(model)
        return kept

    @cached_property
    def settings(self) -> dict[str, Any]:
        """tokenizer_config.json, with keys of special_tokens_map.json that it lacks."""
        return {
            **read_json(self.folder / "special_tokens_map.json", dict),
            **read_json(self.folder / "tokenizer_config.json", dict),
        }

    @cached_property
    def written(self) -> dict[str, object]:
        """Everything in the files that may change a token."""
        settings = {key: value for key, value in self.settings.items() if key not in _HOW_USED}
        return {"tokenizer.json": self.content, **self.digests, "settings": settings}

    def written_comparable_to(self, other: Tokenizer) -> dict[str, object]:
        """The same, without files that only one of the two folders has, if both have tokenizer.json, which is read
        instead."""
        if not (self.content and other.content):
            return self.written
        kept = {*other.digests, *_READ, _ADDED, "settings"}
        return {name: value for name, value in self.written.items() if name in kept}

    @cached_property
    def model(self) -> dict[str, Any]:
        """The model that splits words into pieces, with its merges or scores; {} if the Rust library does not have
        it."""
        if self.content or not isinstance(self._loaded, _Transformers):
            return dict(self.content.get("model") or {})
        return self._loaded.model()

    @property
    def by_bytes(self) -> bool:
        """Whether its files can only be compared by their bytes, because Python code reads them."""
        return isinstance(self._loaded, _Transformers) and not self._loaded.model()

    @property
    def by_transformers(self) -> bool:
        """Whether transformers can read it."""
        return isinstance(self._loaded, _Transformers)

    @property
    def reads(self) -> Tokenization | str:
        """The tokenizer in transformers, or in the Rust library, or the reason why neither can read it."""
        return self._loaded if isinstance(self._loaded, _Transformers) else (self.raw or self._loaded)

    @cached_property
    def raw(self) -> Tokenization | None:
        """tokenizer.json as the Rust library reads it; None without the file, or if the library cannot read it."""
        if not self.content or importlib.util.find_spec("tokenizers") is None:
            return None
        library = need("tokenizers", "models", "comparing tokenizers")
        try:
            backend = library.Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except BaseException as error:  # the library raises plain exceptions and panics for files that it cannot read
            if not is_failure(error):
                raise
            return None
        backend.no_truncation()
        backend.no_padding()
        return _Rust(backend)

    def role(self, name: str) -> str | None:
        """The token of a role in transformers, or in the files if transformers cannot read them."""
        if isinstance(self._loaded, _Transformers):
            return self._loaded.role(name)
        token = self.settings.get(name)
        token = token.get("content") if isinstance(token, dict) else token
        return None if token is None else str(token)

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digests of the files that are compared by their bytes."""
        names = sorted(file.name for file in self.folder.glob("*") if file.is_file() and is_tokenizer_file(file.name))
        compared = [name for name in names if name not in _READ and not name.endswith(".jinja")]
        return {name: file_digest(self.folder / name) for name in compared}

    @cached_property
    def _loaded(self) -> _Transformers | str:
        loader = need("transformers", "models", "comparing tokenizers that are spelled differently").AutoTokenizer
        try:
            with quiet_loading(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return _Transformers(
                    loader.from_pretrained(self.folder, trust_remote_code=False, local_files_only=True)
                )
        except BaseException as error:  # many classes of errors, for missing files as well as for custom code
            if not is_failure(error):
                raise
            if any(name.endswith(".model") for name in self.digests) and not importlib.util.find_spec("sentencepiece"):
                return "this needs the package sentencepiece: pip install sentencepiece"
            return (str(error).strip().splitlines() or [type(error).__name__])[0]


def with_pairs(model: dict[str, Any]) -> dict[str, Any]:
    """The model of a tokenizer.json, with its merges as pairs if it has any."""
    if not isinstance(model.get("merges"), list):
        return model
    merges = [tuple(pair.split(" ", 1)) if isinstance(pair, str) else tuple(pair) for pair in model["merges"]]
    return {"ignore_merges": False, **model, "merges": merges}


class _Transformers:
    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def vocabulary(self) -> Mapping[str, int]:
        return dict(self._tokenizer.get_vocab())

    def added(self) -> Sequence[str]:
        return [str(token) for token in self._tokenizer.added_tokens_decoder.values()]

    def text(self, number: int) -> str:
        return str(self._tokenizer.decode([number]))

    def encode(self, first: str, second: str | None) -> tuple[list[int], list[int]]:
        texts = (first,) if second is None else (first, second)
        read = self._tokenizer(*texts, truncation=False, padding=False, verbose=False)
        ids = list(read["input_ids"])
        return ids, list(read.get("token_type_ids") or [0] * len(ids))

    def model(self) -> dict[str, Any]:
        """The model of the Rust library behind the tokenizer; {} if there is none."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        return {} if backend is None else with_pairs(json.loads(backend.to_str())["model"])

    def role(self, name: str) -> str | None:
        token = getattr(self._tokenizer, name, None)
        return None if token is None else str(token)


class _Rust:
    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def vocabulary(self) -> Mapping[str, int]:
        return dict(self._backend.get_vocab(with_added_tokens=True))

    def added(self) -> Sequence[str]:
        return [token.content for token in self._backend.get_added_tokens_decoder().values()]

    def text(self, number: int) -> str:
        return str(self._backend.decode([number], skip_special_tokens=False))

    def encode(self, first: str, second: str | None) -> tuple[list[int], list[int]]:
        read = self._backend.encode(first, second)
        return list(read.ids), list(read.type_ids)

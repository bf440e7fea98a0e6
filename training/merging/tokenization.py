"""Tokenizers by what they do: two are the same if they make the same tokens of the same texts, however spelled."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from adapters.errors import need
from adapters.identity import file_digest
from adapters.models import quiet_loading
from training.merging.checkpoint import read_json
from training.merging.probe import PAIRS, TEXTS, around

ROLES = ("cls_token", "sep_token", "bos_token", "eos_token", "pad_token", "unk_token", "mask_token")
_ADDED = "added_tokens.json"
_FILES = (
    "vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model",
    _ADDED,
)  # fmt: skip
_HOW_USED = frozenset({
    "model_max_length", "max_length", "max_len", "truncation_side", "truncation_strategy", "stride", "padding_side",
    "padding", "truncation", "pad_to_multiple_of", "pad_token_type_id", "clean_up_tokenization_spaces",
    "chat_template", "name_or_path", "special_tokens_map_file", "tokenizer_file", "is_local", "local_files_only",
    "backend", "processor_class", "spaces_between_special_tokens", "errors", "verbose", "trust_remote_code",
    "cache_dir", "from_slow",
})  # fmt: skip
"""Settings that do not change the tokens of a text that fits."""
_REPORTED = ("model_max_length", "truncation_side", "padding_side")
_NO_LENGTH = 10**9
_SHOWN = 40
_MOST = 2_000
"""Pieces of a vocabulary that are tried."""


class Tokens(Protocol):
    """How a text is read."""

    def vocabulary(self) -> Mapping[str, int]:
        """Every token and its id, added ones included."""

    def added(self) -> Sequence[str]:
        """The tokens that are looked for before a text is cut."""

    def text(self, number: int) -> str:
        """What a token stands for."""

    def encode(self, first: str, second: str | None) -> tuple[list[int], list[int]]:
        """Ids and segments of the whole input with its special tokens, without truncation and padding."""


@dataclass(frozen=True)
class Unlike:
    """Where two tokenizers part."""

    part: str
    """Of tokenizer.json, or the file that says it: model, normalizer, pad_token in tokenizer_config.json."""
    what: str
    """The token or the text, and both readings."""


@dataclass(frozen=True)
class Tokenizer:
    """The tokenizer files of a checkpoint."""

    name: str
    """Of the checkpoint."""
    folder: Path

    @property
    def present(self) -> bool:
        return bool(self.content or self._digests)

    @cached_property
    def content(self) -> dict[str, Any]:
        """tokenizer.json without how it was last used, merges in one spelling; {} where there is none."""
        fast = read_json(self.folder / "tokenizer.json")
        kept = {key: value for key, value in fast.items() if key not in {"truncation", "padding", "version"}}
        model = kept.get("model")
        if isinstance(model, dict) and isinstance(model.get("merges"), list):
            merges = [tuple(pair.split(" ", 1)) if isinstance(pair, str) else tuple(pair) for pair in model["merges"]]
            kept["model"] = {"ignore_merges": False, **model, "merges": merges}
        return kept

    @cached_property
    def settings(self) -> dict[str, Any]:
        """tokenizer_config.json, and special_tokens_map.json where that says more."""
        return {
            **read_json(self.folder / "special_tokens_map.json"),
            **read_json(self.folder / "tokenizer_config.json"),
        }

    @cached_property
    def written(self) -> dict[str, object]:
        """Whatever the files say that may change a token."""
        said = {key: value for key, value in self.settings.items() if key not in _HOW_USED}
        files = {name: made for name, made in self._digests.items() if not self.content or name == _ADDED}
        return {"tokenizer.json": self.content, **files, "settings": said}

    @property
    def reads(self) -> Tokens | str:
        """As transformers reads it, else by tokenizer.json alone, else the reason why neither does."""
        return self._loaded if isinstance(self._loaded, _Transformers) else (self.raw or self._loaded)

    @cached_property
    def raw(self) -> Tokens | None:
        """tokenizer.json as the Rust library reads it; None without the file, or where it does not."""
        if not self.content or importlib.util.find_spec("tokenizers") is None:
            return None
        library = need("tokenizers", "models", "comparing tokenizers")
        try:
            backend = library.Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except Exception:  # it has no class of its own for what it cannot read
            return None
        backend.no_truncation()
        backend.no_padding()
        return _Rust(backend)

    def role(self, name: str) -> str | None:
        """The token of a role, as transformers has it, else the files."""
        if isinstance(self._loaded, _Transformers):
            return self._loaded.role(name)
        found = self.settings.get(name)
        found = found.get("content") if isinstance(found, dict) else found
        return None if found is None else str(found)

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {name: file_digest(self.folder / name) for name in _FILES if (self.folder / name).is_file()}

    @cached_property
    def _loaded(self) -> _Transformers | str:
        loader = need("transformers", "models", "comparing tokenizers that are spelled differently").AutoTokenizer
        try:
            with quiet_loading(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return _Transformers(
                    loader.from_pretrained(self.folder, trust_remote_code=False, local_files_only=True)
                )
        except Exception as error:  # a dozen classes, for a missing file as well as for code of its own
            if any(name.endswith(".model") for name in self._digests) and not importlib.util.find_spec("sentencepiece"):
                return "that needs the package sentencepiece: pip install sentencepiece"
            return (str(error).strip().splitlines() or [type(error).__name__])[0]


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


def unlike(ours: Tokenizer, theirs: Tokenizer) -> Unlike | None:
    """The first thing that two tokenizers read differently; None where they are the same.

    Raises:
        MissingExtra: they are spelled differently and transformers is not installed.
    """
    if ours.written == theirs.written:
        return None
    one, other = ours.reads, theirs.reads
    if isinstance(one, str) or isinstance(other, str):
        reason = next(reason for reason in (one, other) if isinstance(reason, str))
        return Unlike(_part(ours, theirs), f"their files differ, and transformers cannot read them ({reason})")
    if what := _first_difference(ours, theirs, one, other):
        return Unlike(_part(ours, theirs), what)
    for name in ROLES:
        left, right = ours.role(name), theirs.role(name)
        if left is not None and right is not None and left != right:
            said = f"it is {_shown(left)} in {ours.name} and {_shown(right)} in {theirs.name}"
            return Unlike(f"{name} in tokenizer_config.json", said)
    return None


def remarks(ours: Tokenizer, theirs: Tokenizer) -> list[str]:
    """What differs between tokenizers that make the same tokens, for the report."""
    said = [
        f"tokenizer_config.json: {name} is {_value(ours, name)} in {ours.name}, which is kept, and "
        f"{_value(theirs, name)} in {theirs.name}"
        for name in (*_REPORTED, *(ROLES if ours.written != theirs.written else ()))
        if _value(ours, name) != _value(theirs, name)
    ]
    if ours.content != theirs.content and isinstance(ours.reads, _Transformers) and ours.raw and theirs.raw:
        what = _first_difference(ours, theirs, ours.raw, theirs.raw)
        said += [f"tokenizer.json, read without transformers: {what}; transformers reads both alike"] if what else []
    return said


def _value(one: Tokenizer, name: str) -> str:
    if name in ROLES:
        return _shown(one.role(name) or "") if one.role(name) is not None else "absent"
    if name == "model_max_length":
        length = one.settings.get(name)
        return str(length) if isinstance(length, int) and length < _NO_LENGTH else "absent"
    return str(one.settings.get(name, "right"))


def _first_difference(ours: Tokenizer, theirs: Tokenizer, one: Tokens, other: Tokens) -> str | None:
    """The token or the text, and both readings."""
    left, right = one.vocabulary(), other.vocabulary()
    changed = [token for token in {*left, *right} if left.get(token) != right.get(token)]
    if changed:
        token = min(changed, key=lambda each: (len(each), each))
        ids = f"{_id(left.get(token))} in {ours.name} and {_id(right.get(token))} in {theirs.name}"
        return f"the token {_shown(token)} is {ids}{_more(len(changed) - 1)}"
    words = [one.text(left[piece]) for piece in _suspects(ours, theirs) if piece in left]
    for first, second in _probe([*one.added(), *other.added()], words):
        mine, yours = one.encode(first, second), other.encode(first, second)
        if mine != yours:
            text = _shown(first) if second is None else f"the pair {_shown(first)}, {_shown(second)}"
            which = 0 if mine[0] != yours[0] else 1
            made = f"{_ids(mine[which])} in {ours.name} and {_ids(yours[which])} in {theirs.name}"
            return f"{text} becomes the {'segments' if which else 'tokens'} {made}"
    return None


def _probe(added: Sequence[str], words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    yield from ((text, None) for text in (*TEXTS, *around(dict.fromkeys(added)), *words))
    yield from PAIRS


def _suspects(ours: Tokenizer, theirs: Tokenizer) -> list[str]:
    """Pieces that the two models may make in another way: those of merges or scores that only one has."""
    one, other = (dict(each.content.get("model") or {}) for each in (ours, theirs))
    merges = set(one.get("merges") or ()) ^ set(other.get("merges") or ())
    scored = [one.get("vocab"), other.get("vocab")]
    apart = set[tuple[Any, ...]]()
    if all(isinstance(each, list) for each in scored):
        apart = set(map(tuple, scored[0] or ())) ^ set(map(tuple, scored[1] or ()))
    found = sorted({*("".join(pair) for pair in merges), *(str(piece) for piece, *_ in apart)})
    if one.get("ignore_merges") != other.get("ignore_merges"):
        found += sorted(one.get("vocab") or ())
    return found[:: max(1, len(found) // _MOST)]


def _part(ours: Tokenizer, theirs: Tokenizer) -> str:
    """The first part of tokenizer.json that differs, else the file that does."""
    for name in sorted({*ours.content, *theirs.content} - {"decoder"}):
        if ours.content.get(name) != theirs.content.get(name):
            return name.replace("_", " ")
    left, right = ours.written, theirs.written
    files = (name for name in {**left, **right} if name != "settings" and left.get(name) != right.get(name))
    return next(files, "tokenizer_config.json")


def _more(count: int) -> str:
    return f", and {count:,} more {'tokens differ' if count > 1 else 'token differs'}" if count else ""


def _id(number: int | None) -> str:
    return "none" if number is None else f"{number}"


def _ids(ids: Sequence[int]) -> str:
    """Up to eight ids from the first on, and how many there are."""
    return f"[{', '.join(map(str, ids[:8]))}{', ...' if len(ids) > 8 else ''}] ({len(ids)})"


def _shown(text: str) -> str:
    return json.dumps(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...", ensure_ascii=False)

"""Compare tokenizers by their output: two are the same if they give the same tokens for the same texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training.merging.probe import PAIRS, TEXTS, around
from training.merging.tokenizer import ROLES, Tokenization, Tokenizer

_REPORTED = ("model_max_length", "truncation_side", "padding_side")
_NO_LENGTH = 10**9
_SHOWN = 40
_MOST = 2_000
"""The largest number of pieces of a vocabulary that are tried."""


@dataclass(frozen=True)
class Unlike:
    """A difference between two tokenizers."""

    part: str
    """The part that differs: model, normalizer, ... of tokenizer.json, or another file such as
    tokenizer_config.json."""
    what: str
    """The token or the text, and both results."""


def unlike(ours: Tokenizer, theirs: Tokenizer) -> Unlike | None:
    """The first difference between two tokenizers; None if they are the same.

    Raises:
        MissingExtra: the files are written differently, and transformers is not installed.
    """
    if _spelled_alike(ours, theirs):
        return None
    one, other = ours.reads, theirs.reads
    if isinstance(one, str) or isinstance(other, str):
        reason = next(reason for reason in (one, other) if isinstance(reason, str))
        return Unlike(_part(ours, theirs), f"their files differ, and transformers cannot read them ({reason})")
    if what := _first_difference(ours, theirs, one, other):
        return Unlike(_part(ours, theirs), what)
    if file := _other_bytes(ours, theirs):
        return Unlike(file, "their bytes differ, and the code that reads them has no tables to compare")
    for name in ROLES:
        left, right = ours.role(name), theirs.role(name)
        if left is not None and right is not None and left != right:
            values = f"it is {_shown(left)} in {ours.name} and {_shown(right)} in {theirs.name}"
            return Unlike(f"{name} in tokenizer_config.json", values)
    return None


def remarks(ours: Tokenizer, theirs: Tokenizer) -> list[str]:
    """Other differences between tokenizers that give the same tokens, for the report."""
    notes = [
        f"tokenizer_config.json: {name} is {_value(ours, name)} in {ours.name}, which is kept, and "
        f"{_value(theirs, name)} in {theirs.name}"
        for name in (*_REPORTED, *(() if _spelled_alike(ours, theirs) else ROLES))
        if _value(ours, name) != _value(theirs, name)
    ]
    if ours.content != theirs.content and ours.by_transformers and ours.raw and theirs.raw:
        what = _first_difference(ours, theirs, ours.raw, theirs.raw)
        notes += (
            [f"tokenizer.json, read without transformers: {what}; transformers reads both in the same way"]
            if what
            else []
        )
    return notes


def _spelled_alike(ours: Tokenizer, theirs: Tokenizer) -> bool:
    return ours.written_comparable_to(theirs) == theirs.written_comparable_to(ours)


def _other_bytes(ours: Tokenizer, theirs: Tokenizer) -> str | None:
    """The first common file that differs in bytes and that cannot be compared in another way."""
    if not (ours.by_bytes or theirs.by_bytes):
        return None
    shared = (name for name in ours.digests if name in theirs.digests)
    return next((name for name in shared if ours.digests[name] != theirs.digests[name]), None)


def _value(one: Tokenizer, name: str) -> str:
    if name in ROLES:
        return _shown(one.role(name) or "") if one.role(name) is not None else "absent"
    if name == "model_max_length":
        length = one.settings.get(name)
        return str(length) if isinstance(length, int) and length < _NO_LENGTH else "absent"
    return str(one.settings.get(name, "right"))


def _first_difference(ours: Tokenizer, theirs: Tokenizer, one: Tokenization, other: Tokenization) -> str | None:
    """The token or the text, and both results."""
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
    """Pieces that the two models may tokenise differently: those of merges or scores that only one has."""
    one, other = ours.model, theirs.model
    merges = set(one.get("merges") or ()) ^ set(other.get("merges") or ())
    scored = [one.get("vocab"), other.get("vocab")]
    apart = set[tuple[Any, ...]]()
    if all(isinstance(each, list) for each in scored):
        apart = set(map(tuple, scored[0] or ())) ^ set(map(tuple, scored[1] or ()))
    pieces = sorted({*("".join(pair) for pair in merges), *(str(piece) for piece, *_ in apart)})
    if one.get("ignore_merges") != other.get("ignore_merges"):
        pieces += sorted(one.get("vocab") or ())
    return pieces[:: max(1, len(pieces) // _MOST)]


def _part(ours: Tokenizer, theirs: Tokenizer) -> str:
    """The first part of tokenizer.json that differs, or the file that differs."""
    for name in sorted({*ours.content, *theirs.content} - {"decoder"}):
        if ours.content.get(name) != theirs.content.get(name):
            return name.replace("_", " ")
    left, right = ours.written_comparable_to(theirs), theirs.written_comparable_to(ours)
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

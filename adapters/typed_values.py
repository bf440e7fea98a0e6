"""Converts a parsed value to the dataclass that describes it, or raises one line that names the wrong key."""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Never, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from adapters.errors import HarnessError, UsageError, did_you_mean
from adapters.typed_words import Then, choices_of, needed, noun_of, shown, unwrapped

T = TypeVar("T")
LATER: Mapping[str, bool] = {"later": True}
"""The metadata of a field that the first files of a version lack; the default is used if it is missing."""
Text = Annotated[str, Meta(pattern=r"\S", description="a text that is not empty")]


def of_64_bits(number: int) -> int:
    """The number, if arrays and random generators can take it."""
    if number >= 2**63:
        raise ValueError(f"{shown(number)} is too large; numbers below 2^63 are allowed")
    return number


Count = Annotated[int, Meta(ge=0), Then(of_64_bits)]
Positive = Annotated[int, Meta(ge=1), Then(of_64_bits)]
Share = Annotated[float, Meta(ge=0, le=1)]
OneOrMore = Annotated[
    tuple[str, ...],
    Then(lambda given: (given,) if isinstance(given, str) else given, written=Text | tuple[Text, ...]),
]
"""A list of texts, or a single text."""


@dataclass(frozen=True)
class Place:
    """The place where a value was written, for messages.

    Args:
        source: the file, or another name ("the command line").
        way: keys and rows that lead to the value, as in `scores[3].value`; empty at the top.
        error: the class of the errors.
        advice: the end of every message, as in "delete it and run again".
        table: the name of an object in this kind of file, such as "table" or "mapping".
    """

    source: str
    way: str = ""
    error: type[HarnessError] = UsageError
    advice: str = ""
    table: str = "table"
    complete: bool = False
    """Whether a key is required although its field has a default, as in files that the program writes itself."""

    def key(self, name: object) -> Place:
        """The place of a key's value."""
        text = str(name)
        plain = text if re.fullmatch(r"[\w-]+", text) else json.dumps(text, ensure_ascii=False)
        return self._at(f"{self.way}.{plain}" if self.way else plain)

    def row(self, number: int) -> Place:
        """The place of a list's entry, counted from 0."""
        return self._at(f"{self.way}[{number}]")

    def refuse(self, why: str) -> Never:
        """Raise the error of this place: `source: way: why; advice`, in one line.

        Raises:
            HarnessError: of the class `error`, always.
        """
        line = ": ".join(part for part in (self.source, self.way, why) if part)
        raise self.error(" ".join((f"{line}; {self.advice}" if self.advice else line).split())) from None

    def _at(self, way: str) -> Place:
        return replace(self, way=way)


def typed(
    kind: type[T], value: object, place: str | Place, *, error: type[HarnessError] = UsageError, advice: str = ""
) -> T:
    """A value that is already parsed, as its class.

    Types are strict: true is no number, 1.0 is no whole number, NaN and infinity are no numbers. Only a whole number
    where a number is wanted is accepted (as a float). Keys that the class does not have are refused, and so is a
    missing key whose field has no default.

    Args:
        kind: a frozen dataclass. Its fields may be str, int, float, bool, date, Path, a Literal, an Enum, `T | None`,
            `tuple[T, ...]`, `list[T]`, `Mapping[str, T]`, another dataclass, or one of these in `Annotated` with
            `msgspec.Meta` (its `description` says what is needed) and `Then`. A field may be written under another key,
            `metadata={"key": "..."}`. A class may have a method `problem() -> str | None`: a rule that is broken,
            beginning with the key. With `open_keys: ClassVar[bool] = True` other keys are left to other readers;
            `unknown_key: ClassVar[str]` says what else a key is that the class does not have.
        value: what a parser gave.
        place: what begins every message: the name of the file, or a `Place`, whose own `error` and `advice` then count.
        error: the class of the errors.
        advice: what ends every message.

    Raises:
        HarnessError: of the class `error`; one line `place: key: what is wrong; what is allowed`.
    """
    at = place if isinstance(place, Place) else Place(place, error=error, advice=advice)
    return cast(T, _converted(kind, value, at))


def _converted(kind: Any, value: object, at: Place) -> Any:
    plain, metas, changes = unwrapped(kind)
    kind = Annotated[plain, *metas] if metas else plain
    found = _by_kind(kind, plain, value, at)
    if metas and (get_origin(plain) or plain) in _CONTAINERS:
        _check_length(kind, metas, found, at)
    for one in changes:
        try:
            found = one.change(found)
        except (ValueError, HarnessError) as error:
            at.refuse(str(error))
    return found


def _by_kind(kind: Any, plain: Any, value: object, at: Place) -> Any:
    origin = get_origin(plain)
    if is_dataclass(plain):
        return _dataclass(plain, value, at)
    if origin in {Union, types.UnionType}:
        return _one_of_several(kind, plain, value, at)
    if origin in {tuple, list}:
        inner = get_args(plain)
        return _tuple(kind, inner, value, at) if origin is tuple else list(_tuple(kind, (*inner, ...), value, at))
    if origin in {Mapping, dict} or plain in {Mapping, dict}:
        return _mapping(kind, get_args(plain), value, at)
    if plain in {object, Any}:
        return _anything(value, at)
    return _leaf(kind, plain, value, at)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def keys_of(kind: type[Any]) -> tuple[str, ...]:
    """The keys that a dataclass is written with, in their order."""
    return tuple(one.metadata.get("key", one.name) for one in fields(kind) if one.init)


def _dataclass(kind: Any, value: object, at: Place) -> Any:
    given, hints, found = _table(kind, value, at), _hints(kind), {}
    known = {one.metadata.get("key", one.name): one for one in fields(kind) if one.init}
    for key in given:
        if key not in known and not getattr(kind, "open_keys", False):
            at.key(key).refuse(
                f"{getattr(kind, 'unknown_key', 'unknown key')}.{did_you_mean(str(key), known)}".removesuffix(
                    "." if at.advice else ""
                )
            )
    for key, one in known.items():
        if key in given:
            found[one.name] = _converted(hints[one.name], given[key], at.key(key))
        elif _is_needed(one, at):
            at.key(key).refuse(f"is missing; {needed(hints[one.name], at.table)} is needed")
    made = kind(**found)
    broken = made.problem() if hasattr(made, "problem") else None
    return made if broken is None else at.refuse(broken)


def _is_needed(field: Field[Any], at: Place) -> bool:
    bare = field.default is MISSING and field.default_factory is MISSING
    return bare or (at.complete and not field.metadata.get("later"))


def _one_of_several(kind: Any, plain: Any, value: object, at: Place) -> Any:
    arms = [one for one in get_args(plain) if one is not types.NoneType]
    if value is None and len(arms) < len(get_args(plain)):
        return None
    fitting = [one for one in arms if _has_shape(unwrapped(one)[0], value)]
    if len(arms) == 1 or len(fitting) == 1:
        return _converted((fitting or arms)[0], value, at)
    for one in fitting:
        try:
            return _converted(one, value, at)
        except HarnessError:
            continue
    return _wrong(kind, value, at)


def _has_shape(plain: Any, value: object) -> bool:
    origin = get_origin(plain) or plain
    if is_dataclass(plain) or origin in {Mapping, dict}:
        return isinstance(value, Mapping)
    if origin in {tuple, list}:
        return isinstance(value, list | tuple)
    if isinstance(value, Mapping | list | tuple):
        return origin in {object, Any}
    return not isinstance(plain, type) or isinstance(value, plain) or plain not in {str, bool, int}


def _tuple(kind: Any, inner: tuple[Any, ...], value: object, at: Place) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        return _wrong(kind, value, at)
    kinds = [inner[0]] * len(value) if len(inner) == 2 and inner[1] is Ellipsis else list(inner)
    if len(kinds) != len(value):
        at.refuse(f"a list of {len(value)} is not allowed; {needed(kind, at.table)} is needed")
    return tuple(
        _converted(one, row, at.row(number)) for number, (one, row) in enumerate(zip(kinds, value, strict=True))
    )


def _mapping(kind: Any, inner: tuple[Any, ...], value: object, at: Place) -> dict[Any, Any]:
    key_kind, value_kind = inner or (str, object)
    given = _table(kind, value, at)
    return {
        _converted(key_kind, key, at.key(key)): _converted(value_kind, one, at.key(key)) for key, one in given.items()
    }


def _table(kind: Any, value: object, at: Place) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _wrong(kind, value, at)
    for key in value:
        if not isinstance(key, str):
            at.refuse(f"the key {shown(key, at.table)} is not a text; write it in quotation marks")
        _leaf(str, str, key, at)
    return cast(Mapping[str, Any], value)


def _anything(value: object, at: Place) -> object:
    if isinstance(value, Mapping):
        return {key: _anything(one, at.key(key)) for key, one in _table(dict, value, at).items()}
    if isinstance(value, list | tuple):
        return [_anything(one, at.row(number)) for number, one in enumerate(value)]
    return _leaf(float, float, value, at) if isinstance(value, float) else _leaf(object, object, value, at)


def _leaf(kind: Any, plain: Any, value: object, at: Place) -> Any:
    if isinstance(value, float) and not math.isfinite(value) and plain is not float:
        _wrong(kind, value, at)
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        at.refuse(f"{value!a} holds half a character (a lone surrogate) and cannot be stored as UTF-8")
    try:
        found = value if plain is object else msgspec.convert(value, str if plain is Path else kind, strict=True)
    except (msgspec.ValidationError, OverflowError):
        return _wrong(kind, value, at)
    if isinstance(found, float) and not math.isfinite(found):
        _wrong(kind, value, at)
    return Path(str(found)) if plain is Path else found


def _check_length(kind: Any, metas: list[Meta], found: Any, at: Place) -> None:
    for one in metas:
        if len(found) < (one.min_length or 0) or len(found) > (math.inf if one.max_length is None else one.max_length):
            at.refuse(f"{len(found)} entries are not allowed; {needed(kind, at.table)} is needed")


_CONTAINERS = (tuple, list, Mapping, dict)


def _wrong(kind: Any, value: object, at: Place) -> Never:
    plain, wanted = unwrapped(kind)[0], needed(kind, at.table)
    choices = choices_of(plain)
    if choices and isinstance(value, str):
        at.refuse(
            f"{shown(value, at.table)} is not allowed.{did_you_mean(value, map(str, choices))}".removesuffix(
                "." if at.advice else ""
            )
        )
    noun = noun_of(plain, at.table)
    if _is_plainly(plain, value):
        at.refuse(f"{shown(value, at.table)} is not allowed; {wanted} is needed")
    at.refuse(f"{shown(value, at.table)} is not {noun}" + ("" if wanted == noun else f"; {wanted} is needed"))


def _is_plainly(plain: Any, value: object) -> bool:
    if plain is float:
        return type(value) is int or (isinstance(value, float) and math.isfinite(value))
    return isinstance(plain, type) and type(value) is plain

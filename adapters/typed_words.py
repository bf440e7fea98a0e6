"""Describes in plain words, for messages, which values a field of a file accepts."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta

from adapters.limits import LONGEST_NUMBER


@dataclass(frozen=True)
class Then:
    """A conversion of a value whose type and range are right, as in `Annotated[float, Meta(le=100), Then(percent)]`.

    Args:
        change: converts the written value to the field's value. It may raise ValueError or a HarnessError that says
            what is wrong and what is allowed.
        written: the type of the written value, if it is not the type of the field.
    """

    change: Callable[[Any], object]
    written: Any = None


def unwrapped(kind: Any) -> tuple[Any, list[Meta], list[Then]]:
    """A type without `Annotated`, its constraints, and its conversions."""
    if get_origin(kind) is not Annotated:
        return kind, [], []
    plain, *extras = get_args(kind)
    changes = [one for one in extras if isinstance(one, Then)]
    written = next((one.written for one in changes if one.written is not None), None)
    if written is not None:
        plain, metas, before = unwrapped(written)
        return plain, metas, before + changes
    return plain, [one for one in extras if isinstance(one, Meta)], changes


def shown(value: object, table: str = "table") -> str:
    """A value as a message shows it: shortened, and in the notation of files, not of Python."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return _one(table)
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinity"
    try:
        text = repr(value) if isinstance(value, str | int | float) else str(value)
    except ValueError:  # hexadecimal numbers may have any length, and cannot be written as decimals
        return f"a number of more than {LONGEST_NUMBER:,} digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def needed(kind: Any, table: str = "table") -> str:
    """What a type accepts, in words: "a number from 0 to 1", "a list of texts", "one of any, same, other"."""
    plain, metas, _ = unwrapped(kind)
    described = [one.description for one in metas if one.description]
    return described[0] if described else f"{noun_of(plain, table)}{_range(metas)}"


def noun_of(plain: Any, table: str) -> str:
    """What a type is, in words and without its range."""
    origin, inner = get_origin(plain), get_args(plain)
    if choices := choices_of(plain):
        return f"one of {', '.join(map(str, choices))}"
    if origin in {Union, types.UnionType}:
        return " or ".join(noun_of(unwrapped(one)[0], table) for one in inner if one is not types.NoneType)
    if origin in {tuple, list}:
        listed = noun_of(unwrapped(inner[0])[0], table).removeprefix("a ").removeprefix("an ")
        many = "" if origin is list or inner[1:] == (Ellipsis,) else f"{len(inner)} "
        return f"a list of {many}{_PLURALS.get(listed, f'{listed}s')}"
    if is_dataclass(plain) or (origin or plain) in {Mapping, dict}:
        return _one(table)
    return _NOUNS.get(plain, "a value")


def _one(table: str) -> str:
    return f"{'an' if table[0] in 'aeiou' else 'a'} {table}"


def choices_of(plain: Any) -> tuple[Any, ...]:
    """The values of a Literal or an Enum; none for other types."""
    if get_origin(plain) is Literal:
        return get_args(plain)
    return tuple(one.value for one in plain) if isinstance(plain, type) and issubclass(plain, Enum) else ()


def _range(metas: list[Meta]) -> str:
    bounds = {name: getattr(one, name) for one in metas for name in _BOUNDS if getattr(one, name) is not None}
    if "ge" in bounds and "le" in bounds:
        return f" from {_plain(bounds['ge'])} to {_plain(bounds['le'])}"
    if "gt" in bounds and "le" in bounds:
        return f" above {_plain(bounds['gt'])} and up to {_plain(bounds['le'])}"
    return "".join(_BOUNDS[name].format(_plain(bound)) for name, bound in bounds.items())


def _plain(number: float) -> str:
    return f"{number:g}"


_BOUNDS = {
    "ge": " of {} or more", "gt": " above {}", "le": " of {} at most", "lt": " below {}",
    "min_length": " with {} or more entries", "max_length": " with {} entries at most",
}  # fmt: skip
_NOUNS: Mapping[Any, str] = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path",
}  # fmt: skip
_PLURALS = {"true or false": "true or false", "path": "paths"}

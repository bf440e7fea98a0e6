"""Reads JSON into frozen dataclasses. A field that does not have its declared type is refused by name.

This reader is for the results store, which reads thousands of values: the reader of a type is made once, and unknown
keys, from another version, are ignored. Every whole number in the store is a count, which cannot be negative.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Read = Callable[[Any], Any]
"""A function that converts a JSON value, or raises `Unreadable`."""
T = TypeVar("T")


class Unreadable(ValueError):
    """A stored value is missing or has the wrong type."""

    def __init__(self, message: str, *places: str) -> None:
        self.message, self.places = message, places
        super().__init__(f"{'.'.join(places)} {message}" if places else message)

    def within(self, place: str) -> Unreadable:
        """Return the same error with the name of the enclosing value."""
        return Unreadable(self.message, place, *self.places)


def parsed(text: object, place: str) -> Any:
    """Return the value of a JSON string.

    Raises:
        Unreadable: the string is null, or not JSON.
    """
    if not isinstance(text, str):
        raise Unreadable(f"is {_shown(text)}, not JSON", place)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unreadable(f"is not JSON ({error})", place) from None


def typed(kind: type[T], value: object, place: str) -> T:
    """Return a value as a plain type or a dataclass. Unknown keys are ignored. A missing key gets the field's default.

    Raises:
        Unreadable: a key without a default is missing, or a value has the wrong type.
    """
    read: Read = _reader(kind)  # type: ignore[arg-type]
    try:
        found: T = read(value)
    except Unreadable as error:
        raise error.within(place) from None
    return found


@cache
def _reader(kind: Any) -> Read:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _LEAVES:
        return _LEAVES[kind]
    if origin in (Union, UnionType):
        return _optional(arguments)
    if origin is tuple:
        return _items(arguments)
    if origin is Mapping:
        return _mapping(arguments[1])
    if origin is Literal:
        return _one_of(arguments)
    return _dataclass(kind)


def _plain(kind: type, name: str) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise Unreadable(f"is {_shown(value)}, not {name}")
        return value

    return read


def _count(value: Any) -> Any:
    if type(value) is not int:  # `True` is an int, but not a count
        raise Unreadable(f"is {_shown(value)}, not a whole number")
    if value < 0:
        raise Unreadable(f"is {_shown(value)}, which is negative")
    return value


def _number(value: Any) -> Any:
    if type(value) is not float and type(value) is not int:
        raise Unreadable(f"is {_shown(value)}, not a number")
    if type(value) is float and not isfinite(value):
        raise Unreadable(f"is {value}, not a finite number")
    return value


def _optional(arguments: tuple[Any, ...]) -> Read:
    (inner,) = (_reader(one) for one in arguments if one is not NoneType)

    def read(value: Any) -> Any:
        return None if value is None else inner(value)

    return read


def _items(arguments: tuple[Any, ...]) -> Read:
    readers = [_reader(one) for one in arguments if one is not Ellipsis]
    length = None if arguments[-1] is Ellipsis else len(arguments)

    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple) or length not in (None, len(value)):
            raise Unreadable(f"is {_shown(value)}, not a list" + (f" of {length}" if length else ""))
        if length is None:
            return tuple(map(readers[0], value))
        return tuple(inner(one) for inner, one in zip(readers, value, strict=True))

    return read


def _mapping(kind: Any) -> Read:
    inner = _reader(kind)

    def read(value: Any) -> Any:
        found = {}
        for key, one in _object(value).items():
            try:
                found[key] = inner(one)
            except Unreadable as error:
                raise error.within(key) from None
        return found

    return read


def _one_of(names: tuple[object, ...]) -> Read:
    def read(value: Any) -> Any:
        if value not in names:
            raise Unreadable(f"is {_shown(value)}, not one of {', '.join(map(str, names))}")
        return value

    return read


def _whatever(value: Any) -> Any:
    return value


def _dataclass(kind: Any) -> Read:
    hints = get_type_hints(kind)
    readers = {one.name: _reader(hints[one.name]) for one in fields(kind)}
    needed = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}

    def read(value: Any) -> Any:
        found = {}
        for key, one in _object(value).items():
            if key in readers:
                try:
                    found[key] = readers[key](one)
                except Unreadable as error:
                    raise error.within(key) from None
        if needed - found.keys():
            raise Unreadable("is missing", min(needed - found.keys()))
        return kind(**found)

    return read


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"is {_shown(value)}, not an object")
    return value


def _shown(value: object) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


_LEAVES: Mapping[object, Read] = {
    str: _plain(str, "a text"), bool: _plain(bool, "true or false"), int: _count,
    float: _number, object: _whatever, Any: _whatever,
}  # fmt: skip

"""A JSON file as the dataclass that describes it, or one line that says which field is not as it is described."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Never, Union, get_args, get_origin, get_type_hints

from adapters.errors import DataError

LATER: Mapping[str, bool] = {"later": True}
"""The metadata of a field that the first files of its version do not have; without it the default is taken."""


@dataclass(frozen=True)
class Place:
    """Where a value stands in a file."""

    file: Path
    way: str = ""
    """As `scores[3].value`; empty at the top."""

    def of(self, name: str) -> Place:
        """Of a field of the object that stands here."""
        return Place(self.file, f"{self.way}.{name}" if self.way else name)

    def row(self, number: int) -> Place:
        """Of a row of the list that stands here."""
        return Place(self.file, f"{self.way}[{number}]")

    def damaged(self, why: str) -> Never:
        """Refuse the file.

        Raises:
            DataError: always.
        """
        raise DataError(f"{self.file}: '{self.way}' {why}; the file is damaged or not a record of this version")


def read_object(file: Path) -> dict[str, Any]:
    """The object that a file holds.

    Raises:
        DataError: it cannot be read, or holds no JSON object.
    """
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: no record can be read ({error})") from None
    if not isinstance(found, dict):
        raise DataError(f"{file}: holds no JSON object")
    return found


def typed(kind: Any, value: object, at: Place) -> Any:
    """A JSON value as a type wants it: a dataclass, `tuple[T, ...]`, `T | None`, a Literal of strings, a Mapping, str,
    bool, float (finite) or int (a count, 0 or more).

    Raises:
        DataError: it is something else; or a field of an object is missing, or unknown.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _dataclass(kind, _object(value, at), at)
    if origin in {Union, types.UnionType}:
        return None if value is None else typed(next(one for one in inner if one is not types.NoneType), value, at)
    if origin is Literal:
        return _one_of(inner, value, at)
    if origin is tuple:
        return _texts(value, at) if inner[0] is str else _rows(inner[0], value, at)
    return _PLAIN[origin or kind](value, at)


def _dataclass(kind: Any, given: Mapping[str, Any], at: Place) -> Any:
    hints, later = get_type_hints(kind), {one.name for one in fields(kind) if one.metadata.get("later")}
    for name in hints:
        if name not in given and name not in later:
            at.of(name).damaged("is missing")
    for name in given:
        if name not in hints:
            at.of(name).damaged("is unknown")
    return kind(**{name: typed(hints[name], value, at.of(name)) for name, value in given.items()})


def _rows(kind: Any, value: object, at: Place) -> tuple[Any, ...]:
    if not isinstance(value, list):
        at.damaged("is no list")
    return tuple(typed(kind, row, at.row(number)) for number, row in enumerate(value))


def _texts(value: object, at: Place) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        at.damaged("is no list of texts")
    return tuple(value)


def _one_of(known: tuple[str, ...], value: object, at: Place) -> str:
    found = _text(value, at)
    return found if found in known else at.damaged(f"is '{found}', not one of {', '.join(known)}")


def _text(value: object, at: Place) -> str:
    return value if isinstance(value, str) else at.damaged("is no text")


def _truth(value: object, at: Place) -> bool:
    return value if isinstance(value, bool) else at.damaged("is neither true nor false")


def _number(value: object, at: Place) -> float:
    try:
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        found = math.inf
    return found if math.isfinite(found) else at.damaged("is no finite number")


def _count(value: object, at: Place) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and isinstance(value, int) and value >= 0 else at.damaged("is no count")


def _object(value: object, at: Place) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else at.damaged("is no object")


_PLAIN: Mapping[Any, Callable[[object, Place], Any]] = {
    str: _text, bool: _truth, float: _number, int: _count, Mapping: _object,
}  # fmt: skip

"""The keys of configuration classes: frozen dataclasses whose nested dataclasses are their tables.

A key is the path to a field, such as `training.loss.scale`. The field gives its type and default, and the field's
docstring is its help.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from adapters.errors import UsageError, did_you_mean
from adapters.typed_values import Place, typed
from adapters.typed_words import Then, choices_of, shown, unwrapped


@dataclass(frozen=True)
class OneOf(Then):
    """Names that can be added to, for the type of a key. They are listed when a value is checked."""

    names: Callable[[], Iterable[str]] = tuple


def one_of(names: Callable[[], Iterable[str]]) -> OneOf:
    """Make a type of a text that has to be one of the names, as in `Annotated[str, one_of(names)]`."""

    def known(given: str) -> str:
        if given not in (all_of := list(names())):
            raise ValueError(f"{shown(given)} is not allowed.{did_you_mean(given, all_of)}")
        return given

    return OneOf(known, names=names)


@dataclass(frozen=True)
class Key:
    """A key of a configuration."""

    path: str
    """Such as `training.loss.scale`."""
    kind: Any
    """The type of the value, with its range."""
    default: object
    """As a TOML value; None for no value."""
    text: str
    """The meaning of the key, on one line."""

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values that the key allows; empty if they cannot be listed."""
        named = [name for one in unwrapped(self.kind)[2] if isinstance(one, OneOf) for name in one.names()]
        return tuple(named) or choices_of(without_none(self.kind))


@cache
def keys_of(kind: Any) -> Mapping[str, Key]:
    """All keys of a class by path, the keys of each table before its nested tables."""
    return {key.path: key for key in keys_in(kind, kind(), "")}


def plain(config: object) -> dict[str, Any]:
    """A configuration as nested TOML tables, without the keys that have no value."""
    return as_toml(asdict(config))  # type: ignore[no-any-return, call-overload]


def as_toml(value: Any) -> Any:
    """A value as TOML represents it: keys without a value are left out, and paths become strings."""
    if isinstance(value, Mapping):
        return {name: as_toml(one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [as_toml(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def without_none(kind: Any) -> Any:
    """The type of a key's value without None and without its range."""
    plain_kind = unwrapped(kind)[0]
    arms = [one for one in get_args(plain_kind) if one is not NoneType]
    if NoneType in get_args(plain_kind) and len(arms) == 1:
        return unwrapped(arms[0])[0]
    return plain_kind


def row_of(kind: Any) -> Any:
    """The class of the rows of a list of tables, such as `[[task]]`; None for a key with another type."""
    inner = get_args(unwrapped(kind)[0])
    return inner[0] if len(inner) == 2 and inner[1] is Ellipsis and is_dataclass(inner[0]) else None


def check(value: Any) -> None:
    """Check the fields of a configuration object as if they came from a file. For `__post_init__`.

    Raises:
        UsageError: a value is out of its range, or `problem()` finds values that contradict each other.
    """
    for name, kind in hints_of(class_of(value)).items():
        held = getattr(value, name)
        if not is_dataclass(held) and not isinstance(held, Path) and row_of(kind) is None:
            typed(kind, held, Place("", way=name))
    problem = getattr(value, "problem", lambda: None)()
    if problem is not None:
        raise UsageError(problem)


def keys_in(kind: Any, default: Any, way: str = "") -> Iterator[Key]:
    """The keys of a class, the keys of each table before its nested tables; `way` is the prefix of the paths."""
    texts, tables = _texts(kind), []
    for name, hint in hints_of(kind).items():
        value = getattr(default, name)
        if is_dataclass(value):
            tables.append((type(value), value, f"{way}{name}."))
        else:
            yield Key(f"{way}{name}", hint, as_toml(value), texts[name])
    for table in tables:
        yield from keys_in(*table)


def class_of(config: object) -> Any:
    """The class of a configuration, untyped."""
    return type(config)


@cache
def hints_of(kind: Any) -> dict[str, Any]:
    """The types of the fields of a class, with their ranges."""
    hints = get_type_hints(kind, include_extras=True)
    return {one.name: hints[one.name] for one in fields(kind)}


@cache
def _texts(kind: Any) -> dict[str, str]:
    """The docstrings of the fields of a class, with inherited fields."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if one.__module__ != "builtins":
            found |= _written(sys.modules[one.__module__].__file__ or "").get(one.__name__, {})
    return found


@cache
def _written(file: str) -> dict[str, dict[str, str]]:
    tree = ast.parse(Path(file).read_text("utf-8"))
    return {node.name: dict(_documented(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _documented(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, text in zip(node.body, node.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            yield field.target.id, " ".join(text.value.value.split())

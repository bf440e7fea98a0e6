"""Configurations: frozen dataclasses, with nested dataclasses as tables, set by a TOML file, by options or in Python.

A key is the path to a field, such as `training.loss.scale`. The field gives its type and default, and the field's
docstring is its help. Layers of keys (a file, the command line) override the defaults, and the origin of each key is
kept.
"""

from __future__ import annotations

import importlib.resources
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Generic, TypeVar

from adapters.errors import HarnessError, UsageError, did_you_mean
from adapters.typed_file import parsed_toml, read_toml
from adapters.typed_values import Place, typed
from adapters.typed_words import noun_of
from training.keys import Key, as_toml, class_of, hints_of, keys_in, keys_of, plain, row_of, without_none

T = TypeVar("T")
RECIPE = "recipe:"
_RECIPES = importlib.resources.files("training").joinpath("recipes")
_WIDTH = 110
"""Characters per line of comments."""


@dataclass(frozen=True)
class Layer:
    """Keys that were set in one place."""

    origin: str
    """The file, the command line, an environment variable, or the type of a configuration made in Python."""
    values: Mapping[str, Any]
    """Nested tables, as in a TOML file."""


@dataclass(frozen=True)
class GivenSetting:
    """A key that was set, in a form to print and record: without secrets, and with the home folder as ~."""

    key: str
    value: str
    """As written in a TOML file."""
    origin: str


@dataclass(frozen=True)
class Configured(Generic[T]):
    """A configuration, and the origin of each key that was set."""

    config: T
    settings: tuple[GivenSetting, ...]

    def lines(self) -> list[str]:
        """The keys that were set and their origins, as lines to print."""
        return lines_of(self.settings)


def lines_of(settings: Sequence[GivenSetting]) -> list[str]:
    """One line for each origin and one about the defaults; no line if no key was set."""
    by_origin: dict[str, list[str]] = {}
    for one in settings:
        by_origin.setdefault(one.origin, []).append(f"{one.key} = {one.value}")
    lines = [f"{origin} sets {', '.join(keys)}" for origin, keys in by_origin.items()]
    return [*lines, "other keys have their defaults"] if lines else []


def configured(kind: type[T], layers: Sequence[Layer]) -> Configured[T]:
    """A configuration from the defaults of a class and layers that override them; later layers win.

    Raises:
        UsageError: a layer has an unknown key, a value that its key does not allow, or values that contradict each
            other. The message names the layer and the key.
    """
    whole: Any = kind
    start, values = plain(kind()), plain(kind())
    layers = [Layer(layer.origin, as_toml(layer.values)) for layer in layers]
    for layer in layers:
        _check_layer(kind, _over(start, layer.values), layer.origin)
        values = _over(values, layer.values)
    set_in = {path: (value, layer.origin) for layer in layers for path, value in paths(layer.values)}
    settings = (_setting(key, *set_in[key]) for key in keys_of(whole) if key in set_in)
    return Configured(_made(kind, values, " and ".join(layer.origin for layer in layers)), tuple(settings))


def file_layer(file: str | Path) -> Layer:
    """The keys that a TOML file sets, or a packaged recipe, as in `recipe:querit`.

    Raises:
        UsageError: the file cannot be read, or is not TOML; or no recipe has this name.
    """
    name = str(file).removeprefix(RECIPE)
    return Layer(str(file), read_toml(Path(file), dict) if name == str(file) else _recipe(name))


def recipe_names() -> list[str]:
    """The names of the packaged recipes."""
    return sorted(one.name.removesuffix(".toml") for one in _RECIPES.iterdir() if one.name.endswith(".toml"))


def _recipe(name: str) -> dict[str, Any]:
    if name not in recipe_names():
        raise UsageError(f"no recipe '{name}'.{did_you_mean(name, recipe_names())}")
    return parsed_toml(_RECIPES.joinpath(f"{name}.toml").read_text("utf-8"), Place(f"{RECIPE}{name}"))


def given_layer(config: object, kind: type[Any]) -> Layer:
    """The keys that a caller in Python sets with a TOML file, a nested mapping or a configuration.

    Raises:
        UsageError: `config` has another type, or the file cannot be read as TOML.
    """
    if isinstance(config, str | Path):
        return file_layer(Path(config))
    if isinstance(config, Mapping):
        return Layer("the given keys", config)
    if isinstance(config, kind):
        return layer_of(config, kind.__name__)
    raise UsageError(f"a configuration is a TOML file, a mapping or {kind.__name__}, not {type(config).__name__}")


def layer_of(config: object, origin: str) -> Layer:
    """The keys of a configuration made in Python that differ from the defaults."""
    default = dict(paths(plain(type(config)())))
    return Layer(origin, nested({path: one for path, one in paths(plain(config)) if default.get(path) != one}))


def require(config: object, options: Mapping[str, str]) -> None:
    """Refuse a configuration that lacks a required key.

    Args:
        options: the required keys, each with the option that sets it.

    Raises:
        UsageError: keys are missing; the message names all of them.
    """
    missing = [key for key in options if not attrgetter(key)(config)]
    if missing:
        named, given = listed(missing), listed([options[key] for key in missing])
        raise UsageError(f"{named} {'is' if len(missing) == 1 else 'are'} not set; use {given}, or the configuration")


def listed(names: Sequence[str]) -> str:
    """Names as in "a, b and c"."""
    return " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), names[-1]])


def nested(values: Mapping[str, object]) -> dict[str, Any]:
    """Dotted keys as nested tables."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *tables, name = path.split(".")
        table = tree
        for one in tables:
            table = table.setdefault(one, {})
        table[name] = value
    return tree


def toml_of(config: object) -> str:
    """A configuration as a TOML file with every key and its meaning. A key without a value is written as a comment."""
    lines = list(_comment(_paragraph(type(config))))
    return "\n".join([*lines, *_table(config, ""), *_lists_of_tables(config)]) + "\n"


def toml_value(value: object) -> str:
    """A value in TOML's syntax."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _setting(key: str, value: object, origin: str) -> GivenSetting:
    from harness.result.secrets import public

    return GivenSetting(key, public(toml_value(value)), public(origin))


def _check_layer(kind: type[T], values: Mapping[str, Any], origin: str) -> None:
    """Check keys, types and ranges. Contradictions between values can only be found with all layers together."""
    try:
        typed(kind, values, origin)
    except HarnessError as error:
        if _names(error, origin):
            raise


def _made(kind: type[T], values: Mapping[str, Any], origin: str) -> T:
    try:
        return typed(kind, values, origin)
    except HarnessError as error:
        if not origin or _names(error, origin):
            raise
        raise UsageError(f"{origin}: {error}") from None


def _names(error: HarnessError, origin: str) -> bool:
    return str(error).startswith(f"{origin}: ")


def _over(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for name, value in more.items():
        below = merged.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[name] = _over(below, value) if both else value  # type: ignore[arg-type]
    return merged


def paths(values: Mapping[str, Any], way: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables as dotted keys and their values."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from paths(value, f"{way}{name}.")
        else:
            yield f"{way}{name}", value


def _paragraph(kind: type[Any]) -> str:
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def _table(config: Any, way: str) -> Iterator[str]:
    held = plain(config)
    keys = {one.path: one for one in keys_in(type(config), config, "")}
    tables = [name for name in hints_of(class_of(config)) if is_dataclass(getattr(config, name))]
    for path, key in keys.items():
        if "." not in path:
            yield from _entry(key, held.get(path))
    for name in tables:
        table = getattr(config, name)
        yield from ("", *_comment(_paragraph(type(table))), f"[{way}{name}]")
        yield from _table(table, f"{way}{name}.")


def _lists_of_tables(config: Any, way: str = "") -> Iterator[str]:
    """The lists of tables of a configuration and of its tables, after all tables."""
    for name, kind in hints_of(class_of(config)).items():
        for row in plain(config)[name] if row_of(kind) is not None else ():
            yield from ("", f"[[{way}{name}]]", *(f"{key} = {toml_value(value)}" for key, value in row.items()))
        if is_dataclass(held := getattr(config, name)):
            yield from _lists_of_tables(held, f"{way}{name}.")


def _entry(key: Key, value: object) -> Iterator[str]:
    choices = f" One of: {', '.join(map(str, key.choices))}." if key.choices else ""
    yield from ("", *_comment(f"{key.text}{choices}"))
    if row_of(key.kind) is not None:
        yield f"# {key.path} = []"
        return
    yield f"# {key.path} = {_placeholder(key)}" if value is None else f"{key.path} = {toml_value(value)}"


def _placeholder(key: Key) -> str:
    """What to replace by a value, in TOML's syntax where it is a text."""
    noun = noun_of(without_none(key.kind), "table")
    return {"a text": '"..."', "a path": '"..."', "a whole number": "N", "a number": "X"}.get(noun, noun)


def _comment(text: str) -> Iterator[str]:
    line = "#"
    for word in text.split():
        if len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = "#"
        line = f"{line} {word}"
    yield line

"""Reads a TOML, JSON or YAML file as the dataclass that describes it, or raises an error of one line.

Files that other programs write (a model's config.json) have keys that are not listed here; `read_object` reads them.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Never, TypeVar, cast

from adapters.errors import DataError, EnvironmentFailure, HarnessError, UsageError, is_of_environment, need
from adapters.json_text import DECODER, RepeatedKey, each_once, half_character
from adapters.limits import DEEPEST, MOST_NODES
from adapters.typed_values import Place, typed

T = TypeVar("T")
_BAD = (ValueError, RecursionError)
_YAML_BAD = (*_BAD, TypeError, AttributeError, KeyError, IndexError, OverflowError)
"""What PyYAML raises for tags and dates that it cannot convert, besides its own errors."""
_BRACKET = re.compile(r"[\[\]{}]")
_TOO_DEEP = f"nested too deeply; at most {DEEPEST} levels of lists and objects are read"


class TooDeep(ValueError):
    """Lists and objects are nested more deeply than any such file needs, or YAML's aliases make too many of them."""


def read_toml(file: Path, kind: type[T], *, error: type[HarnessError] = UsageError, advice: str = "") -> T:
    """Read a TOML file as its class. See `typed` for the classes that are allowed and the strictness of types.

    Raises:
        HarnessError: of the class `error`, in one line with file and key: the file cannot be read, is not TOML, or its
            content does not fit the class.
    """
    at = Place(str(file), error=error, advice=advice)
    return typed(kind, parsed_toml(_text(file, at), at), at)


def read_json(
    file: Path, kind: type[T], *, error: type[HarnessError] = UsageError, advice: str = "", complete: bool = False
) -> T:
    """Read a JSON file as its class, like `read_toml`. A key that occurs twice in an object is refused.

    Args:
        advice: the end of every message, as in "delete it and run again".
        complete: whether every key is required, with or without a default, as in files that the program writes itself.

    Raises:
        HarnessError: as `read_toml`.
    """
    at = Place(str(file), error=error, advice=advice, table="object", complete=complete)
    return typed(kind, parsed_json(_text(file, at), at), at)


def read_yaml(file: Path, kind: type[T], *, error: type[HarnessError] = UsageError, advice: str = "") -> T:
    """Read a YAML file as its class, like `read_toml`. A key that occurs twice in a mapping is refused.

    Raises:
        HarnessError: as `read_toml`.
        MissingExtra: PyYAML is not installed.
    """
    at = Place(str(file), error=error, advice=advice, table="mapping")
    return typed(kind, parsed_yaml(_text(file, at), at), at)


def read_object(file: Path, *, error: type[HarnessError] = DataError, advice: str = "") -> dict[str, Any]:
    """Read the JSON object of a file from another program: any keys, NaN allowed, the last of two equal keys counts.

    Raises:
        HarnessError: of the class `error`, in one line: the file cannot be read, or is not a JSON object.
    """
    content = read_value(file, error=error, advice=advice)
    if not isinstance(content, dict):
        Place(str(file), error=error, advice=advice).refuse("an object is needed")
    return content


def read_value(file: Path, *, error: type[HarnessError] = DataError, advice: str = "") -> Any:
    """Read the JSON value of a file from another program, like `read_object`."""
    at = Place(str(file), error=error, advice=advice, table="object")
    return value_of(_text(file, at).encode(), at)


def value_of(content: bytes, at: Place) -> Any:
    """The JSON value in the bytes of a file from another program."""
    return foreign_json(decoded(content, at), at, json.loads)


def foreign_json(text: str, at: Place, parse: Callable[[str], Any] = DECODER.decode) -> Any:
    """The JSON value of a text from another program. With the default of `parse`, no key may occur twice.

    Raises:
        HarnessError: of the place's class: it is no JSON, or a text in it cannot be stored as UTF-8.
    """
    content = _parsed("JSON", text, at, parse)
    if half_character(text, content):
        at.refuse("a text in it has half a character (a lone surrogate); correct the escape")
    return content


def parsed_toml(text: str, at: Place) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        HarnessError: of the place's class: it is no TOML. The message names the line and shows it.
    """
    try:
        return _shallow(tomllib.loads(text))
    except TooDeep as error:
        at.refuse(str(error))
    except _BAD as error:
        why, _, where = str(error).partition(" (at ")
        lines = text.rstrip().splitlines()
        line = re.match(r"line (\d+)", where)
        number = int(line[1]) if line else len(lines)
        shown = f" in line {number} ({lines[number - 1].strip()[:80]})" if where and lines else ""
        return _refuse(f"TOML{shown}", why if where else error, at)


def parsed_json(text: str, at: Place) -> object:
    """The value of a JSON text.

    Raises:
        HarnessError: of the place's class: it is no JSON, or a key occurs twice in an object.
    """
    return _parsed("JSON", text, at, DECODER.decode)


def parsed_yaml(text: str, at: Place) -> object:
    """The value of a YAML text with plain types only.

    Raises:
        HarnessError: of the place's class: it is no YAML, or a key occurs twice in a mapping.
        MissingExtra: PyYAML is not installed.
    """
    yaml = need("yaml", "train", "reading YAML")

    class Loader(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            named = (key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<")
            each_once([(key.value, None) for key in named])
            return cast(dict[Any, Any], super().construct_mapping(node, deep))

    try:
        _refuse_open(text)  # PyYAML takes the square of the depth
        return _shallow(yaml.load(text, Loader), MOST_NODES)
    except (yaml.YAMLError, *_YAML_BAD) as error:
        return _refuse("YAML", error, at)


def _parsed(form: str, text: str, at: Place, parse: Callable[[str], Any]) -> Any:
    try:
        return _shallow(parse(text))
    except _BAD as error:
        return _refuse(form, error, at)


def _shallow(content: T, most: float = math.inf) -> T:
    """The content, if it is nested at most `DEEPEST` levels deep and has no more than `most` lists and objects."""
    level, found = _inside([content]), 0
    for _ in range(DEEPEST):
        if not level:
            return content
        found += len(level)
        if found > most:
            raise TooDeep(f"its aliases mean more than {MOST_NODES:,} lists and mappings; write fewer")
        level = _inside(level)
    raise TooDeep(_TOO_DEEP)


def _inside(level: list[Any]) -> list[Any]:
    """The lists and objects directly inside those of a level."""
    return [
        one
        for outer in level
        if isinstance(outer, dict | list)
        for one in (outer.values() if isinstance(outer, dict) else outer)
        if isinstance(one, dict | list)
    ]


def _refuse_open(text: str) -> None:
    """Refuse a text in which more than `DEEPEST` brackets are open at a time, before it is parsed."""
    depth = 0
    for found in _BRACKET.finditer(text):
        depth += 1 if found[0] in "[{" else -1
        if depth > DEEPEST:
            raise TooDeep(_TOO_DEEP)


def _refuse(form: str, error: Exception | str, at: Place) -> Never:
    if isinstance(error, RepeatedKey | TooDeep):
        at.refuse(str(error))
    if isinstance(error, json.JSONDecodeError):
        at.refuse(f"not JSON in line {error.lineno}: {error.msg} (column {error.colno})")
    if isinstance(error, RecursionError):
        at.refuse(_TOO_DEEP)
    why = str(error).partition("; use sys.")[0]
    at.refuse(f"not {form}: {why}".replace('in "<unicode string>", ', "in "))


def decoded(content: bytes, at: Place) -> str:
    """The text of a file, without a byte order mark.

    Raises:
        HarnessError: of the place's class: it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at.refuse(f"not UTF-8: byte {error.start} is {content[error.start]:#04x}; save it as UTF-8")


def _text(file: Path, at: Place) -> str:
    try:
        text = decoded(file.read_bytes(), at)
    except FileNotFoundError:
        at.refuse("there is no such file")
    except OSError as error:
        if is_of_environment(error):
            at = replace(at, error=EnvironmentFailure, advice="")
        at.refuse(f"cannot be read: {error.strerror}")
    except ValueError:
        at.refuse("no file can have such a name; write it without NUL characters")
    if not text.strip() and at.table != "table":
        at.refuse(f"the file is empty; {'an object' if at.table == 'object' else 'a mapping'} is needed")
    return text

"""Reads a TOML, JSON or YAML file as the dataclass that describes it, or raises an error of one line.

Files that other programs write (a model's config.json) have keys that are not listed here; `read_object` reads them.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Never, TypeVar, cast

from adapters.errors import DataError, EnvironmentFailure, HarnessError, UsageError, is_of_environment, need
from adapters.typed_values import Place, typed

T = TypeVar("T")
_BAD = (ValueError, RecursionError)


class RepeatedKey(ValueError):
    """A key occurs twice in one table."""


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
    return _parsed("JSON", decoded(content, at), at, json.loads)


def parsed_toml(text: str, at: Place) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        HarnessError: of the place's class: it is no TOML. The message names the line and shows it.
    """
    try:
        return tomllib.loads(text)
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
    return _parsed("JSON", text, at, lambda text: json.loads(text, object_pairs_hook=each_once))


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
        return yaml.load(text, Loader)
    except (yaml.YAMLError, *_BAD) as error:
        return _refuse("YAML", error, at)


def _parsed(form: str, text: str, at: Place, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text)
    except _BAD as error:
        return _refuse(form, error, at)


def _refuse(form: str, error: Exception | str, at: Place) -> Never:
    if isinstance(error, RepeatedKey):
        at.refuse(str(error))
    if isinstance(error, json.JSONDecodeError):
        at.refuse(f"not JSON in line {error.lineno}: {error.msg} (column {error.colno})")
    why = "nested too deeply" if isinstance(error, RecursionError) else str(error).partition("; use sys.")[0]
    at.refuse(f"not {form}: {why}".replace('in "<unicode string>", ', "in "))


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs of an object as a dict, as `object_pairs_hook` of a JSON decoder.

    Raises:
        RepeatedKey: a key occurs twice; of the two values a dict would keep only the last.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise RepeatedKey(f"the key '{repeated[:80]}' occurs twice; write it once")
    return found


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
    if not text.strip() and at.table != "table":
        at.refuse(f"the file is empty; {'an object' if at.table == 'object' else 'a mapping'} is needed")
    return text

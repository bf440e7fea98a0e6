"""What is declared for a collection in its `collection.toml` or in a file of rules."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.errors import UsageError, did_you_mean
from harness.data.collection import Rules
from harness.data.sources.declared_files import KEY, Files, files_of
from harness.data.sources.dirt import EFFECTS

FILE = "collection.toml"
_TYPES: dict[str, tuple[type, str]] = {
    "name": (str, "text"),
    "language": (str, "text"),
    "group": (str, "text"),
    "main_measure": (str, "text"),
    "instruction": (str, "text"),
    "first_stage_instruction": (str, "text"),
    "drop_identical_ids": (bool, "true or false"),
    "allow": (list, "a list of names"),
    "parallel": (bool, "true or false"),
    "note": (str, "text"),
    KEY: (dict, "a table of file names"),
}


@dataclass(frozen=True)
class Declared:
    """The declarations that hold for one collection."""

    name: str | None = None
    language: str | None = None
    rules: Rules = field(default_factory=Rules)
    group: str | None = None
    """The group that the collection is averaged with; see `Collection.group`."""
    parallel: bool | None = None
    """Whether queries with one id are one question in all collections of the set; None where nothing is said."""
    within: str | None = None
    """The name of the set: the folder that a collection lies in, its suite, or its group of a suite."""
    in_set: bool = False
    """Whether it was named as a part of that set. A folder of unrelated collections is no set of any of them."""
    files: Files = field(default_factory=Files)
    """Which files are its corpus, queries and judgments, where names do not show it."""


@dataclass(frozen=True)
class Table:
    """The keys of one TOML file, with the name that messages call it by."""

    label: str
    keys: Mapping[str, object]


def parse(content: bytes, label: str) -> Table:
    """Read a TOML file.

    Raises:
        UsageError: it is not TOML.
    """
    try:
        return Table(label, tomllib.loads(content.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{label}: not TOML: {error}") from None


def read(path: Path) -> Table:
    """Read a file of rules.

    Raises:
        UsageError: it cannot be read or is not TOML.
    """
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the rules: {error.strerror}") from None


def combine(tables: Sequence[Table]) -> Declared:
    """One declaration of several tables; where two have a key, the later one holds.

    Raises:
        UsageError: an unknown key, a value of the wrong type, or an unknown name in `allow`.
    """
    keys: dict[str, object] = {}
    for table in tables:
        _check(table)
        keys.update(table.keys)
    name, language, group = (keys.pop(key, None) for key in ("name", "language", "group"))
    parallel = keys.pop("parallel", None)
    files = files_of(keys.pop(KEY, None), ", ".join(table.label for table in tables if KEY in table.keys))
    keys["allow"] = tuple(sorted(set(_names(keys.get("allow")))))
    return Declared(
        None if name is None else str(name),
        None if language is None else str(language),
        Rules(**keys),  # type: ignore[arg-type]
        None if group is None else str(group),
        None if parallel is None else bool(parallel),
        files=files,
    )


def for_part(table: Table, part: str, parts: Sequence[str]) -> list[Table]:
    """The declarations of a set's file for one of its collections: those for all, then those of its own table.

    Raises:
        UsageError: a table for a collection that the set does not have.
    """
    own = {key: value for key, value in table.keys.items() if isinstance(value, dict) and key != KEY}
    for key in own:
        if key not in parts:
            raise UsageError(f"{table.label}: a table for '{key}'.{did_you_mean(key, parts)}")
    common = {key: value for key, value in table.keys.items() if key not in own and key != "name"}
    return [Table(table.label, common), Table(f"{table.label} [{part}]", own.get(part, {}))]


def _check(table: Table) -> None:
    for key, value in table.keys.items():
        if key not in _TYPES:
            raise UsageError(f"{table.label}: unknown key '{key}'.{did_you_mean(key, _TYPES)}")
        wanted, description = _TYPES[key]
        if not isinstance(value, wanted) or value == "":
            raise UsageError(f"{table.label}: '{key}' must be {description}")
    for name in _names(table.keys.get("allow")):
        if name not in EFFECTS:
            raise UsageError(f"{table.label}: unknown name '{name}' in allow.{did_you_mean(name, EFFECTS)}")


def _names(allow: object) -> list[str]:
    return [str(name) for name in allow] if isinstance(allow, list) else []

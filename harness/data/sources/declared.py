"""Declarations for a collection, in its `collection.toml` or in a file of rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from adapters.errors import UsageError, did_you_mean
from adapters.typed_file import decoded, parsed_toml, read_toml
from adapters.typed_values import Place, Text, typed
from adapters.typed_words import Then
from harness.data.collection import Rules
from harness.data.sources.declared_files import KEY, Files
from harness.data.sources.dirt import EFFECTS

FILE = "collection.toml"


@dataclass(frozen=True)
class DeclaredCollection:
    """The declarations of one collection."""

    name: str | None = None
    language: str | None = None
    rules: Rules = field(default_factory=Rules)
    group: str | None = None
    """The group that the collection is averaged with; see `Collection.group`."""
    parallel: bool | None = None
    """Whether queries with the same id are one question in all collections of the set; None if not declared."""
    within: str | None = None
    """The name of the set: the parent folder of the collection, its suite, or its group in a suite."""
    in_set: bool = False
    """Whether it was named as a part of that set. Collections that only share a folder may be unrelated."""
    files: Files = field(default_factory=Files)
    """Which files are its corpus, queries and judgments, if the names do not show it."""


@dataclass(frozen=True)
class TomlTable:
    """The keys of one TOML file, and the name of the file in messages."""

    label: str
    keys: Mapping[str, object]


def _dirt(name: str) -> str:
    if name not in EFFECTS:
        raise ValueError(f"unknown name '{name}'.{did_you_mean(name, EFFECTS)}")
    return name


@dataclass(frozen=True)
class _Keys:
    """The keys of a table about one collection."""

    name: Text | None = None
    language: Text | None = None
    group: Text | None = None
    parallel: bool | None = None
    main_measure: Text | None = None
    instruction: Text | None = None
    first_stage_instruction: Text | None = None
    drop_identical_ids: bool | None = None
    allow: tuple[Annotated[str, Then(_dirt)], ...] = ()
    note: Text | None = None
    files: Files = field(default_factory=Files)


def parse(content: bytes, label: str) -> TomlTable:
    """Parse a TOML file.

    Raises:
        UsageError: the content is not TOML.
    """
    at = Place(label)
    return TomlTable(label, parsed_toml(decoded(content, at), at))


def read(path: Path) -> TomlTable:
    """Read a file of rules.

    Raises:
        UsageError: the file cannot be read or is not TOML.
    """
    return TomlTable(str(path), read_toml(path, dict))


def combine(tables: Sequence[TomlTable]) -> DeclaredCollection:
    """Combine several tables into one declaration. If two tables have the same key, the later one wins.

    Raises:
        UsageError: a key is unknown, a value has the wrong type, or `allow` has an unknown name.
    """
    given = [(table.keys, typed(_Keys, table.keys, table.label)) for table in tables]
    values = {key: getattr(read, key) for keys, read in given for key in keys}
    not_rules = {key: values.pop(key, None) for key in ("name", "language", "group", "parallel")}
    allow = tuple(sorted(set(values.pop("allow", ()))))
    files = values.pop(KEY, Files())
    return DeclaredCollection(rules=Rules(**values, allow=allow), files=files, **not_rules)


def for_part(table: TomlTable, part: str, parts: Sequence[str]) -> list[TomlTable]:
    """The declarations in a set's file for one of its collections: those for all, then those in its table.

    Raises:
        UsageError: there is a table for a collection that the set does not have.
    """
    tables = {key: value for key, value in table.keys.items() if isinstance(value, dict) and key != KEY}
    for key in tables:
        if key not in parts:
            raise UsageError(f"{table.label}: the set has no collection '{key}'.{did_you_mean(key, parts)}")
    common = {key: value for key, value in table.keys.items() if key not in tables and key != "name"}
    return [TomlTable(table.label, common), TomlTable(f"{table.label} [{part}]", tables.get(part, {}))]

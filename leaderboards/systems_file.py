"""What the store does not know of a model and its user does: a TOML file that says size, licence and training data."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.errors import UsageError, did_you_mean
from harness.result.keys import CollectionKey, SystemKey
from harness.result.places import Place, is_called
from harness.result.select import FIRST_STAGE
from leaderboards.sheets import plain_name

_SIZES = ((1e8, "up to 100M"), (6e8, "100M to 600M"), (2e9, "600M to 2B"), (1e10, "2B to 10B"))
_LARGEST = "above 10B"
_WORDS = {"name", "url", "licence", "note"}


@dataclass(frozen=True)
class Declared:
    """What is declared of one system; None and empty where nothing is."""

    name: str | None = None
    url: str | None = None
    parameters: int | None = None
    licence: str | None = None
    training: tuple[str, ...] = ()
    """Collections that it was trained on: names, suites, or patterns such as `miracl/*`."""
    note: str | None = None

    @property
    def size(self) -> str | None:
        """As people write it: 568M, 4.2B."""
        if self.parameters is None:
            return None
        billions = self.parameters >= 999_500_000
        return f"{self.parameters / 1e9:.3g}B" if billions else f"{self.parameters / 1e6:.3g}M"

    @property
    def size_class(self) -> str | None:
        """What a reader filters by."""
        if self.parameters is None:
            return None
        return next((name for bound, name in _SIZES if self.parameters <= bound), _LARGEST)

    def trained_on(self, collection: CollectionKey) -> bool:
        """Whether the declaration covers the collection."""
        place = Place(plain_name(collection), collection.fingerprint, collection.group)
        return any(is_called(place, one) for one in self.training)


SIZES = (*(name for _, name in _SIZES), _LARGEST)
NOTHING = Declared()


def declared_of(system: SystemKey, declared: Mapping[str, Declared]) -> Declared:
    """What is declared of a system, under its label with or without ` (first stage)`."""
    return declared.get(system.label) or declared.get(system.label.removesuffix(FIRST_STAGE)) or NOTHING


def read_systems(file: Path, systems: Iterable[SystemKey]) -> dict[str, Declared]:
    """Tables `["LABEL"]` with the keys of `Declared`.

    Raises:
        UsageError: naming file, system and key: unreadable, a system that the board does not have, an unknown key, a
            value of another kind.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as TOML ({error})") from None
    known = {label for one in systems for label in (one.label, one.label.removesuffix(FIRST_STAGE))}
    for label in tables:
        if label not in known:
            raise UsageError(f"{file}: no system '{label}' on this board.{did_you_mean(label, known)}")
    return {label: _declared(table, f"{file}: [{label!r}]") for label, table in tables.items()}


def _declared(table: object, where: str) -> Declared:
    if not isinstance(table, dict):
        raise UsageError(f'{where}: expected a table, as in ["LABEL"] followed by lines such as licence = "mit"')
    keys = [field.name for field in fields(Declared)]
    for key in table:
        if key not in keys:
            raise UsageError(f"{where}: unknown key '{key}'.{did_you_mean(key, keys)}")
    return Declared(**{key: _checked(key, value, where) for key, value in table.items()})


def _checked(key: str, value: Any, where: str) -> Any:
    if key in _WORDS and not (isinstance(value, str) and value.strip()):
        raise UsageError(f"{where}: {key} has to be text")
    if key == "url" and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
        raise UsageError(f"{where}: url has to begin with https:// or http://")
    if key == "parameters" and not (type(value) is int and value > 0):
        raise UsageError(f"{where}: parameters has to be a whole number above 0, such as 568_000_000")
    if key == "training":
        if not (isinstance(value, list) and all(isinstance(one, str) and one for one in value)):
            raise UsageError(f"{where}: training has to be a list of collections, such as ['beir/msmarco', 'miracl/*']")
        return tuple(value)
    return value

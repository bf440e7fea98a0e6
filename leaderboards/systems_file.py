"""What the store does not know of a model and its user does: a TOML file that says size, licence and training data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from adapters.errors import UsageError, did_you_mean
from adapters.typed_file import read_toml
from adapters.typed_values import Text
from adapters.typed_words import Then
from harness.result.keys import FIRST_STAGE, CollectionKey, SystemKey
from leaderboards.sheets import plain_name

_SIZES = ((1e8, "up to 100M"), (6e8, "100M to 600M"), (2e9, "600M to 2B"), (1e10, "2B to 10B"))
_LARGEST = "above 10B"


_Parameters = Annotated[int, Meta(ge=1, description="a whole number above 0, such as 568_000_000,")]
_Collections = Annotated[
    tuple[Text, ...], Meta(description="a list of collections, such as ['beir/msmarco', 'miracl/*'],")
]


def _web(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{url!r} is no address of the web; it begins with https:// or http://")
    return url


@dataclass(frozen=True)
class Declared:
    """What is declared of one system; None and empty where nothing is."""

    name: Text | None = None
    url: Annotated[Text, Then(_web)] | None = None
    parameters: _Parameters | None = None
    licence: Text | None = None
    training: _Collections = ()
    """Collections that it was trained on: names, suites, or patterns such as `miracl/*`."""
    note: Text | None = None

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
        name = plain_name(collection)
        return any(one == name or name.startswith(f"{one}/") or fnmatchcase(name, one) for one in self.training)


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
    tables = read_toml(file, dict[str, Declared])
    known = {label for one in systems for label in (one.label, one.label.removesuffix(FIRST_STAGE))}
    for label in tables:
        if label not in known:
            raise UsageError(f"{file}: no system '{label}' on this board.{did_you_mean(label, known)}")
    return tables

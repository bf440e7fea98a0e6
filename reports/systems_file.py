"""The TOML file of `--systems`, which declares facts that the store does not have: name, size, licence, training data.

A line `"LABEL" = "short name"` declares a name only, a table `["LABEL"]` any of the facts. A file may have both forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from adapters.errors import UsageError, did_you_mean
from adapters.typed_file import read_toml
from adapters.typed_values import Text
from adapters.typed_words import Then
from harness.result.keys import FIRST_STAGE, CollectionKey, SystemKey
from harness.result.places import is_called

_SIZES = ((1e8, "up to 100M"), (6e8, "100M to 600M"), (2e9, "600M to 2B"), (1e10, "2B to 10B"))
_LARGEST = "above 10B"


def _one_line(name: str) -> str:
    if not name.isprintable():
        raise ValueError(f"{name!r} is not one line of text; write a name without line breaks")
    return name


_Name = Annotated[Text, Meta(description="a name"), Then(_one_line)]
_Parameters = Annotated[int, Meta(ge=1, description="a whole number above 0, such as 568_000_000,")]
_Collections = Annotated[
    tuple[Text, ...], Meta(description="a list of collections, such as ['beir/msmarco', 'miracl/*'],")
]


def _web(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{url!r} is not a web address; write one that begins with https:// or http://")
    return url


@dataclass(frozen=True)
class DeclaredSystem:
    """What a user declares about one system."""

    name: _Name | None = None
    url: Annotated[Text, Then(_web)] | None = None
    parameters: _Parameters | None = None
    licence: Text | None = None
    training: _Collections = ()
    """The collections that it was trained on: names, suites, or patterns such as `miracl/*`."""
    note: Text | None = None

    @property
    def size(self) -> str | None:
        """The number of parameters in short form, such as 568M or 4.2B."""
        if self.parameters is None:
            return None
        billions = self.parameters >= 999_500_000
        return f"{self.parameters / 1e9:.3g}B" if billions else f"{self.parameters / 1e6:.3g}M"

    @property
    def size_class(self) -> str | None:
        """The class of sizes for filters, such as `100M to 600M`."""
        if self.parameters is None:
            return None
        return next((name for bound, name in _SIZES if self.parameters <= bound), _LARGEST)

    def trained_on(self, collection: CollectionKey) -> bool:
        """Whether the declaration covers the collection."""
        return any(is_called(collection.place, one) for one in self.training)


SIZES = (*(name for _, name in _SIZES), _LARGEST)
NOTHING = DeclaredSystem()


def declared_of(system: SystemKey, declared: Mapping[str, DeclaredSystem]) -> DeclaredSystem:
    """The declaration for a system. Its label may be given with or without ` (first stage)`."""
    return declared.get(system.label) or declared.get(system.label.removesuffix(FIRST_STAGE)) or NOTHING


def read_systems(file: Path, labels: Iterable[str]) -> dict[str, DeclaredSystem]:
    """Read a file of declarations: lines `"LABEL" = "short name"` and tables `["LABEL"]` with `DeclaredSystem`'s keys.

    Args:
        file: the TOML file.
        labels: the systems that may be named. A first stage may be named without ` (first stage)`.

    Raises:
        UsageError: the file cannot be read, or has an unknown system, an unknown key or a wrong value.
    """
    tables = read_toml(file, dict[str, _Name | DeclaredSystem])
    allowed = {name for label in labels for name in (label, label.removesuffix(FIRST_STAGE))}
    for label in tables:
        if label not in allowed:
            raise UsageError(f"{file}: no system '{label}' here.{did_you_mean(label, allowed)}")
    return {label: DeclaredSystem(name=one) if isinstance(one, str) else one for label, one in tables.items()}


def display_names(file: Path, declared: Mapping[str, DeclaredSystem], labels: Sequence[str]) -> dict[str, str]:
    """Display names by label, for the labels that have one. A name for `bm25` is also used for `bm25 (first stage)`.

    Raises:
        UsageError: two systems would have the same name.
    """
    names = dict[str, str]()
    for label in labels:
        plain = label.removesuffix(FIRST_STAGE)
        if label in declared and declared[label].name:
            names[label] = str(declared[label].name)
        elif plain in declared and declared[plain].name:
            names[label] = f"{declared[plain].name}{FIRST_STAGE}"
    owners = dict[str, str]()
    for label in labels:
        name = names.get(label, label)
        if name in owners:
            raise UsageError(f"{file}: '{owners[name]}' and '{label}' would both be called '{name}'; change one name")
        owners[name] = label
    return names

"""A kind of file: valid examples, the public reader, and an independent reader to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.mutate import Form

Compare = Callable[[Path, Any], bool]
"""Compares a file that was accepted, and what was read, with an independent reader. False if that reader does not read
such a file."""


class Disagreement(AssertionError):
    """A file was accepted, and the independent reader reads it differently."""


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Args:
        name: what it is called on the command line.
        file: the name of the file that is mutated, relative to the folder.
        examples: makes its valid contents, given the folder, in which it writes the files around it.
        form: which mutations suit it.
        read: the public reader, given the path of the file.
        compare: compares what was read with an independent reader.
        share: how many inputs it gets, compared with the other kinds.
        sound: whether the examples are accepted; specs name models that are not there.
        prepared: whether the examples are read once before memory is limited, so that libraries are loaded.
        needs: packages without which it cannot be read here.
    """

    name: str
    file: str
    examples: Callable[[Path], Sequence[bytes]]
    form: Form
    read: Callable[[Path], Any]
    compare: Compare | None = None
    share: float = 1.0
    sound: bool = True
    prepared: bool = True
    needs: tuple[str, ...] = ()


@dataclass
class Registry:
    """All kinds, by name."""

    found: dict[str, Kind] = field(default_factory=dict)

    def add(self, kind: Kind) -> None:
        """Add a kind, whose name is new."""
        assert kind.name not in self.found, kind.name
        self.found[kind.name] = kind


def all_kinds() -> Mapping[str, Kind]:
    """Every kind, in the order of the modules."""
    from tests.fuzz import answers, collections, models, settings, stores

    registry = Registry()
    for module in (collections, settings, models, stores, answers):
        for kind in module.KINDS:
            registry.add(kind)
    return registry.found


def constant(*contents: str | bytes) -> Callable[[Path], Sequence[bytes]]:
    """Examples that need no other files."""
    return lambda _: [one if isinstance(one, bytes) else one.encode() for one in contents]


def plain_lines(content: bytes) -> Iterator[str]:
    """The lines of a UTF-8 file with plain line ends."""
    text = content.decode("utf-8")
    if "\r" in text or "\ufeff" in text or "\0" in text:
        raise UnicodeError("not plain")
    yield from (line for line in text.split("\n") if line.strip())

"""A source of examples that was opened: what its rows are read from, and the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from training.examples import Example

Found = Iterator[tuple[Example, Mapping[str, int]]]
"""Examples, each with the number of rows and texts that were left out before it, by reason."""


@dataclass(frozen=True)
class OpenedSource:
    """A source. Nothing is read before a row is asked for."""

    identity: Mapping[str, object]
    """What decides its rows."""
    found: Found


def count(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts by reason to others."""
    for reason, number in more.items():
        counts[reason] = counts.get(reason, 0) + number


def counted(found: Iterable[tuple[Example, Mapping[str, int]]], counts: dict[str, int]) -> Iterator[Example]:
    """The examples alone. What was left out is added to `counts`."""
    for example, left_out in found:
        count(counts, left_out)
        yield example

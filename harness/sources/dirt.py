"""Known dirt of collections: what may be declared, what then happens, and the count of it."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.errors import DataError

EFFECTS = {
    "unknown-documents": "judgments of documents that the corpus lacks are dropped",
    "unknown-queries": "judgments of queries that the query file lacks are dropped",
    "repeated-judgments": "a pair that is judged twice with the same grade counts once",
    "contradicting-labels": "of two labels for the same pair the higher one counts",
    "negative-grades": "a grade below zero counts as zero",
    "duplicate-ids": "the first of the lines with the same id counts",
    "white-space-ids": "white space in ids becomes '_'",
}
"""The names that `allow` may hold, and the effect of each."""


class Dirt:
    """Meets dirt while a collection is read: refuses it, or counts it where a rule lets it through."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self.counts = dict.fromkeys(allow, 0)
        """How often each allowed kind was met; a kind that was declared in vain stays at 0."""

    def meet(self, name: str, message: str) -> None:
        """Count one occurrence.

        Raises:
            DataError: no rule allows it. The message says which rule would.
        """
        if name not in self.counts:
            raise DataError(f'{message}; correct it, or declare allow = ["{name}"] ({EFFECTS[name]})')
        self.counts[name] += 1

    def add(self, other: Dirt) -> None:
        """Count what another reading met."""
        for name, count in other.counts.items():
            self.counts[name] += count

    def allows(self, name: str) -> bool:
        """Whether a rule lets this kind through."""
        return name in self.counts


def shown(value: str) -> str:
    """A value of the user's in quotes, on one line and not too long."""
    return repr(value) if len(value) <= 80 else repr(value[:77] + "...")

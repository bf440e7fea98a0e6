"""Known faults of collections ("dirt"): the rules that let them through, the effect of each rule, and the counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from adapters.errors import DataError

EFFECTS = {
    "unknown-documents": "judged documents that the corpus lacks are never found and count in the ideal ranking; "
    "listed candidates that it lacks are left out",
    "unknown-queries": "judgments of queries that the query file lacks are dropped",
    "repeated-judgments": "a pair that is judged twice with the same grade counts once",
    "contradicting-labels": "of two labels for the same pair the higher one counts",
    "negative-grades": "a grade below zero counts as zero",
    "duplicate-ids": "the first of the lines with the same id counts",
    "white-space-ids": "white space in ids becomes '_'",
}
"""The names that `allow` may have, and the effect of each."""
TAKEN = {
    "negative-grades": "grades below zero (they count as 0)",
    "missing-texts": "texts that are null or missing (they are empty)",
    "unused-fields": "rows with scores or prompts, which are no judgments (not used)",
}
"""Faults that are let through without a rule, in the words of their counts."""
File = Literal["judgments", "queries", "documents", "candidates", "rows"]
"""The files of a collection that have counts of their own; `rows` are reranking rows, which hold everything."""


class Dirt:
    """Refuses the faults of a file, or counts those that a rule lets through.

    Args:
        allow: the declared rules.
        file: the file that is read. `of` returns the same rules and counts for another file.
    """

    def __init__(self, allow: Iterable[str] = (), file: File = "rows") -> None:
        self._allow = tuple(allow)
        self._file = file
        self._met: dict[tuple[str, str], int] = {}
        self._noted: dict[tuple[str, str], int] = {}
        self._lines: dict[str, int] = {}
        self._usual: set[tuple[str, str]] = set()

    @property
    def counts(self) -> dict[str, int]:
        """How often each fault occurred, by name; 0 for a rule that was not needed."""
        names = dict.fromkeys([*self._allow, *(name for name, _ in self._met)])
        return {name: sum(count for (met, _), count in self._met.items() if met == name) for name in names}

    @property
    def shares(self) -> dict[str, dict[str, list[int]]]:
        """For each rule and file `[count, lines]`: how often a fault was let through, and the lines of the file. Faults
        that are usual in files of that form are left out."""
        shares: dict[str, dict[str, list[int]]] = {}
        for (name, file), count in (*self._met.items(), *self._noted.items()):
            if (name, file) in self._usual:
                continue
            shares.setdefault(name, {})[file] = [count, max(self._lines.get(file, 0), count)]
        return shares

    def of(self, file: File) -> Dirt:
        """The same rules and the same counts, for another file."""
        other = Dirt(self._allow, file)
        other._met, other._noted, other._lines = self._met, self._noted, self._lines
        other._usual = self._usual
        return other

    def again(self) -> Dirt:
        """The same rules for the same file, with new counts that start at 0."""
        return Dirt(self._allow, self._file)

    def read(self, lines: int) -> None:
        """Add to the number of lines of the file."""
        self._lines[self._file] = self._lines.get(self._file, 0) + lines

    def meet(self, name: str, message: str) -> None:
        """Count one occurrence of a fault.

        Raises:
            DataError: no rule allows it. The message names the rule that would, and where to declare it.
        """
        if not self.allows(name):
            rule = f'allow = ["{name}"] in collection.toml or a file for --rules'
            raise DataError(f"{message}; correct it, or declare {rule} ({EFFECTS[name]})")
        self._count(name)

    def take(self, name: str, *, usual: bool = False) -> None:
        """Count one occurrence of a fault of `TAKEN`. If it is `usual` in files of this form, it raises no alarm."""
        if usual:
            self._usual.add((name, self._file))
        self._count(name)

    def note(self, name: str) -> None:
        """Count a line only in the share of this file. The fault itself was already counted in another file."""
        self._noted[name, self._file] = self._noted.get((name, self._file), 0) + 1

    def add(self, other: Dirt) -> None:
        """Add the counts of another reading."""
        for key, count in other._met.items():
            self._met[key] = self._met.get(key, 0) + count
        self._usual |= other._usual

    def allows(self, name: str) -> bool:
        """Whether a rule lets this fault through."""
        return name in self._allow

    def _count(self, name: str) -> None:
        self._met[name, self._file] = self._met.get((name, self._file), 0) + 1


def shown(value: str) -> str:
    """A value from a user's file in quotes, on one line, cut to 80 characters."""
    return repr(value) if len(value) <= 80 else repr(value[:77] + "...")

"""How collections are named, and what every name has in common: globs, and the errors that say what could be meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from adapters.errors import UsageError, did_you_mean

FINGERPRINT_DIGITS = 6
"""The fewest digits that name a collection; samples of one collection share its name."""
_DRIFTED = "†"
"""`harness.data.sources.stored.DRIFTED`, without Arrow, which looking up does not need."""
_MOST = 6
"""Possibilities that an error lists."""


@dataclass(frozen=True)
class CollectionNames:
    """What a collection can be named by."""

    name: str
    fingerprint: str
    group: str | None = None

    @property
    def plain(self) -> str:
        """The name without the mark of data that differ from the suite's."""
        return self.name.replace(_DRIFTED, "").strip()

    @property
    def sets(self) -> tuple[str, ...]:
        """The suites, sets and groups that it belongs to."""
        parts = self.plain.split("/")
        groups = (self.group, f"{parts[0]}/{self.group}") if self.group else ()
        return (*("/".join(parts[:size]) for size in range(1, len(parts))), *groups)


def collections_named(names: Sequence[str], places: Iterable[CollectionNames]) -> frozenset[CollectionNames]:
    """Every collection that one of the names means; all of them without names.

    Raises:
        UsageError: a name matches nothing, or its digits could be several fingerprints.
    """
    known = list(dict.fromkeys(places))
    if not names:
        return frozenset(known)
    return frozenset(one for name in names for one in _collections(name, known))


def named_by_fingerprint(names: Sequence[str], places: Iterable[CollectionNames]) -> frozenset[str]:
    """The fingerprints that names begin: whoever gives one means that very sample, or that whole."""
    known = list(dict.fromkeys(places))
    digits = [name for name in names if not _called(name, known)]
    return frozenset(one.fingerprint for name in digits for one in _fingerprinted(name, known))


def is_called(place: CollectionNames, name: str) -> bool:
    """Whether a collection has this name, or is of the suite, set, group or glob of this name."""
    return bool(_called(name, [place]))


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """The names that a glob matches: with `?` and `[` as themselves, as specs have them, else as in a shell."""
    if not re.search("[*?[]", pattern):
        return []
    listed = list(names)
    literal = re.sub(r"[?[]", lambda found: f"[{found[0]}]", pattern)
    return [n for n in listed if fnmatchcase(n, literal)] or [n for n in listed if fnmatchcase(n, pattern)]


def ambiguous(name: str, could: Sequence[str], choose: str) -> UsageError:
    """The error about a name that means several where one is needed."""
    return UsageError(f"'{name}' could be {some(could)}; {choose}")


def some(texts: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    rest = f" and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    return "; ".join(texts[:_MOST]) + rest


def _collections(name: str, known: Sequence[CollectionNames]) -> list[CollectionNames]:
    if found := _called(name, known) or _fingerprinted(name, known):
        return found
    raise UsageError(f"no results of a collection '{name}'.{did_you_mean(name, {one.name for one in known})}")


def _called(name: str, known: Sequence[CollectionNames]) -> list[CollectionNames]:
    for reading in (lambda one: name == one.name, lambda one: name == one.plain, lambda one: name in one.sets):
        if found := [one for one in known if reading(one)]:
            return found
    names = matching(name, dict.fromkeys(one.plain for one in known))
    return [one for one in known if one.plain in names]


def _fingerprinted(digits: str, known: Sequence[CollectionNames]) -> list[CollectionNames]:
    if len(digits) < FINGERPRINT_DIGITS:
        return []
    found = [one for one in known if one.fingerprint.startswith(digits)]
    if len({one.fingerprint for one in found}) > 1:
        raise ambiguous(digits, [f"{one.fingerprint} ({one.name})" for one in found], "give more digits")
    return found

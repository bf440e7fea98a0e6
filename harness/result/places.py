"""The names of collections; globs, and the errors about names that match nothing or several things."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from adapters.errors import UsageError, did_you_mean
from harness.data.label_names import without_judges

FINGERPRINT_DIGITS = 6
"""The fewest digits that name a collection. Samples of a collection share its name, so they need digits."""
_DRIFTED = "†"
"""Equal to `harness.data.sources.stored.DRIFTED`, which needs Arrow."""
_MOST = 6
"""How many possibilities an error lists."""


@dataclass(frozen=True)
class CollectionNames:
    """The names that select a collection."""

    name: str
    fingerprint: str
    group: str | None = None

    @property
    def plain(self) -> str:
        """The name without the mark for data that differ from the suite's."""
        return self.name.replace(_DRIFTED, "").strip()

    @property
    def target(self) -> str:
        """The plain name without the judges that gave labels: the target of a label version."""
        return without_judges(self.plain)

    @property
    def sets(self) -> tuple[str, ...]:
        """The suites, sets and groups that the collection belongs to."""
        parts = self.plain.split("/")
        groups = (self.group, f"{parts[0]}/{self.group}") if self.group else ()
        return (*("/".join(parts[:size]) for size in range(1, len(parts))), *groups)


def collections_named(names: Sequence[str], places: Iterable[CollectionNames]) -> frozenset[CollectionNames]:
    """Return every collection that one of the names selects; without names, all of them.

    Raises:
        UsageError: a name matches nothing, or its digits match several fingerprints.
    """
    known = list(dict.fromkeys(places))
    if not names:
        return frozenset(known)
    return frozenset(one for name in names for one in _collections(name, known))


def named_by_fingerprint(names: Sequence[str], places: Iterable[CollectionNames]) -> frozenset[str]:
    """Return the fingerprints that begin with one of the names. Such a name selects this sample or collection only."""
    known = list(dict.fromkeys(places))
    digits = [name for name in names if not _called(name, known)]
    return frozenset(one.fingerprint for name in digits for one in _fingerprinted(name, known))


def is_called(place: CollectionNames, name: str) -> bool:
    """Whether a collection has this name, or belongs to the suite, set or group of this name, or matches the glob."""
    return bool(_called(name, [place]))


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that a glob matches. `?` and `[` are first taken literally, as in specs, then as in a shell."""
    if not re.search("[*?[]", pattern):
        return []
    listed = list(names)
    literal = re.sub(r"[?[]", lambda found: f"[{found[0]}]", pattern)
    return [n for n in listed if fnmatchcase(n, literal)] or [n for n in listed if fnmatchcase(n, pattern)]


def ambiguous(name: str, could: Sequence[str], choose: str) -> UsageError:
    """Return the error about a name that matches several things where one is needed."""
    return UsageError(f"'{name}' could be {some(could)}; {choose}")


def some(texts: Sequence[str]) -> str:
    """Return the first few texts, and how many more there are."""
    rest = f" and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    return "; ".join(texts[:_MOST]) + rest


def _collections(name: str, known: Sequence[CollectionNames]) -> list[CollectionNames]:
    if found := _called(name, known) or _fingerprinted(name, known):
        return found
    raise UsageError(f"no results of a collection '{name}'.{did_you_mean(name, {one.name for one in known})}")


def _called(name: str, known: Sequence[CollectionNames]) -> list[CollectionNames]:
    for names_of in (
        lambda one: (one.name,),
        lambda one: (one.plain,),
        lambda one: (one.target,),
        lambda one: one.sets,
    ):
        if found := [one for one in known if name in names_of(one)]:
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

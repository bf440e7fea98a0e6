"""Counts the results that a view leaves out, and says how to see them."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.data.label_names import other_versions
from harness.result.select import weights_of

if TYPE_CHECKING:
    from harness.result.keys import CollectionKey
    from harness.result.result import Result

_MOST = 3
"""How many names a line lists."""


@dataclass(frozen=True)
class LeftOut:
    """The results that a view leaves out. A result is one measure of one system on one collection."""

    older: tuple[Result, ...] = ()
    """Results that a newer one of the same system replaces."""
    parts: tuple[Result, ...] = ()
    """Results on samples and tiers of collections that the same systems were measured on as a whole."""
    versions: tuple[Result, ...] = ()
    """Results on other label versions of collections."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Return one line for each reason: how many results, which, and how to see them."""
        return tuple(
            f"left out: {_counted(own)} {reason} ({_listed(names)}); {how}"
            for own, reason, names, how in (
                (
                    self.older,
                    "that a newer one of the same system replaces",
                    (one.system.label for one in self.older),
                    "name one by its id, which `harness list` prints",
                ),
                (
                    self.parts,
                    "on samples or tiers of collections that the same systems were measured on whole",
                    (one.collection.name for one in self.parts),
                    "name one by its fingerprint, which `harness list collections` prints, as in --collection 0123abcd",
                ),
                (
                    self.versions,
                    "on other label versions of the same collections",
                    (one.collection.name for one in self.versions),
                    "name one, as in --collection './scifact?labels=NAME'",
                ),
            )
            if own
        )

    def as_dict(self) -> dict[str, object]:
        """Return the counts by reason, the ids of the evaluations and the lines, for JSON."""
        return {
            "older": len(self.older),
            "parts": len(self.parts),
            "versions": len(self.versions),
            "ids": list(dict.fromkeys(one.id for one in (*self.older, *self.parts, *self.versions))),
            "lines": list(self.lines),
        }


NOTHING = LeftOut()


def replaced(results: Iterable[Result]) -> list[Result]:
    """Return the results that a newer one of the same system, measure and collection replaces.

    Args:
        results: all results, the newest last.
    """
    listed = list(results)
    newest = {(one.system, one.collection, one.measure): one for one in listed}
    return [one for one in listed if newest[one.system, one.collection, one.measure] is not one]


def superseded(results: Sequence[Result], named: Collection[str] = (), *, revisions: bool = False) -> list[Result]:
    """Return the results on samples and tiers that results on the whole collection replace: every system that has the
    sample also has the whole collection, by the same measure. If one system lacks the whole collection, the sample is
    kept for all systems, because they can only be compared there. An older result on the whole collection does not
    replace a sample of new weights.

    Args:
        named: fingerprints that the user named. Their results are kept.
        revisions: treat different weights of a system as different systems.
    """
    wholes: dict[Hashable, list[Result]] = {}
    for one in results:
        for whole in _wholes(one.collection):
            wholes.setdefault((one.system, one.measure, whole), []).append(one)
    parts = [one for one in results if one.collection.sampled_from is not None]
    lacking = {
        (part.collection, part.measure)
        for part in parts
        if not any(
            weights_of(one.stored) == weights_of(part.stored)
            or (not revisions and one.stored.updated > part.stored.updated)
            for one in wholes.get((part.system, part.measure, _whole_of(part)), ())
        )
    }
    return [
        one for one in parts if (one.collection, one.measure) not in lacking and one.collection.fingerprint not in named
    ]


def of_other_labels(results: Sequence[Result], names: AbstractSet[str] = frozenset()) -> list[Result]:
    """Return the results on other label versions of collections, so that no average has one collection twice.

    Args:
        results: the newest last.
        names: names and fingerprints that the user gave. Versions that they name are kept.
    """
    known = [one for one in results if names.isdisjoint({one.collection.name, one.collection.place.target})]
    others = set(other_versions(one.collection.name for one in results))
    return [one for one in known if one.collection.name in others and one.collection.fingerprint not in names]


def _wholes(key: CollectionKey) -> tuple[Hashable, ...]:
    return () if key.sampled_from is not None else (key.fingerprint, (key.name, key.split))


def _whole_of(part: Result) -> Hashable:
    """Return the key of the whole collection: its fingerprint, or in an old store its name and split."""
    return part.stored.collection.part_of or (part.collection.name, part.collection.split)


def _counted(results: Sequence[Result]) -> str:
    return f"{len(results):,} {'result' if len(results) == 1 else 'results'}"


def _listed(names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    return ", ".join(each[:_MOST]) + (f" and {len(each) - _MOST} more" if len(each) > _MOST else "")

"""What a view does not show, counted: decided after its selection, and said with the way to see it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.result.select import weights_of

if TYPE_CHECKING:
    from harness.result.keys import CollectionKey
    from harness.result.result import Result

_MOST = 3
"""Names that a line lists."""


@dataclass(frozen=True)
class LeftOut:
    """A result is one measure of one system on one collection."""

    older: tuple[Result, ...] = ()
    """The same system has a newer one."""
    parts: tuple[Result, ...] = ()
    """Of samples and tiers: every system that has them has the whole collection too."""

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each reason: how many, which, and how to get them."""
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
            )
            if own
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON: how many, by reason, with the ids of their evaluations and the lines."""
        return {
            "older": len(self.older),
            "parts": len(self.parts),
            "ids": list(dict.fromkeys(one.id for one in (*self.older, *self.parts))),
            "lines": list(self.lines),
        }


NOTHING = LeftOut()


def replaced(results: Iterable[Result]) -> list[Result]:
    """Results of systems that have a newer one of the same measure on the same collection.

    Args:
        results: the newest last.
    """
    listed = list(results)
    newest = {(one.system, one.collection, one.measure): one for one in listed}
    return [one for one in listed if newest[one.system, one.collection, one.measure] is not one]


def superseded(results: Sequence[Result], named: Collection[str] = (), *, revisions: bool = False) -> list[Result]:
    """Results on samples and tiers that say nothing beyond the whole: every system that has the sample has the whole
    collection too, by the same measure. Where one system lacks the whole, the sample stays for all of them: it is where
    they can be compared. A sample of new weights does not give way to an older whole.

    Args:
        named: fingerprints that were asked for; their results stay.
        revisions: each weights of a system count as a system.
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


def _wholes(key: CollectionKey) -> tuple[Hashable, ...]:
    return () if key.sampled_from is not None else (key.fingerprint, (key.name, key.split))


def _whole_of(part: Result) -> Hashable:
    """What the whole is known by: its fingerprint, or its name where an old store has nothing better."""
    return part.stored.collection.part_of or (part.collection.name, part.collection.split)


def _counted(results: Sequence[Result]) -> str:
    return f"{len(results):,} {'result' if len(results) == 1 else 'results'}"


def _listed(names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    return ", ".join(each[:_MOST]) + (f" and {len(each) - _MOST} more" if len(each) > _MOST else "")

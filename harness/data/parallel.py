"""Parallel sets: collections that ask the same questions, usually in several languages.

Queries with the same id in a parallel set are one question. An option, a declaration or detection decides which
collections form a set. The set changes no value of a collection and is not part of its fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from itertools import combinations, groupby
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.data.collection import Collection, KnownBy

SHARED = 0.9
"""Two collections ask the same questions if they share this much of the query ids, and of the judged pairs of query and
document, of the smaller one. Ids alone are not enough: many published sets number the queries of every language."""
NOTED = 0.1
"""If two collections of a set share more than this much of their query ids, the user is asked to declare what that
means. For collections that are only in the same folder the limit is SHARED, because numbers agree by chance."""
DECLARE = "declare parallel = true or false in collection.toml, or --parallel / --no-parallel"
_LISTED = 3
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Member:
    """A collection with the declarations of its set. Ids and judgments are read only if they are compared."""

    collection: Collection
    within: str | None = None
    """The name of its set; None if it is not in one."""
    declared: bool | None = None
    """Whether queries with the same id are one question in the set; None if nothing is declared."""
    in_set: bool = True
    """False if the user named this collection alone, so that it may be unrelated to others in the same folder. Nothing
    is detected then."""

    @property
    def set_name(self) -> str:
        """The name of its parallel set."""
        return self.within or self.collection.name

    @cached_property
    def ids(self) -> frozenset[str]:
        """Its query ids."""
        return frozenset(self.collection.queries.ids())

    @cached_property
    def judged(self) -> Hashes:
        """Hashes of its judged pairs of query id and document id, sorted, without repeats. Grades do not matter."""
        collection, qrels = self.collection, self.collection.qrels
        rows, place = np.unique(qrels.documents, return_inverse=True)
        documents = np.concatenate([_hashes(collection.corpus.ids(rows))[place], _hashes(qrels.missing.ids)])
        queries = _hashes(collection.queries.ids())[qrels.all_queries]
        return np.unique(queries * _FACTORS[0] + documents * _FACTORS[1])


@dataclass(frozen=True)
class Membership:
    """The fields of `Collection` about its parallel set."""

    parallel: str | None = None
    parallel_by: KnownBy | None = None
    same_ids: tuple[str, int] | None = None


def with_parallel(members: Sequence[Member], option: bool | None = None) -> list[Collection]:
    """Return the collections of the members, each with its parallel set."""
    return [
        replace(member.collection, parallel=found.parallel, parallel_by=found.parallel_by, same_ids=found.same_ids)
        for member, found in zip(members, parallel_sets(members, option), strict=True)
    ]


def parallel_sets(members: Sequence[Member], option: bool | None = None) -> list[Membership]:
    """Return the parallel set of each member.

    The option applies to all members. Without it, a member's own declaration applies. The members of a set that declare
    nothing are compared with each other and with those that declare True. If all members that are parallel to any other
    are parallel to each other, they are one set. If they fall into several groups, there is no set, because all groups
    would have the same name.
    """
    if option is not None:
        return [_known(member, option, "option") for member in members]
    found = [Membership() if each.declared is None else _known(each, each.declared, "declared") for each in members]
    by_set: dict[str, list[int]] = {}
    for place, member in enumerate(members):
        if member.within is not None and member.declared is not False:
            by_set.setdefault(member.within, []).append(place)
    for places in by_set.values():
        of_set = [members[place] for place in places]
        if any(member.declared is None for member in of_set):
            for place, membership in zip(places, _compared(of_set), strict=True):
                found[place] = membership if members[place].declared is None else found[place]
    return found


def are_parallel(first: Member, other: Member) -> bool:
    """Whether two members share at least SHARED of the query ids and of the judged pairs of the smaller one."""
    if len(first.ids & other.ids) < SHARED * max(min(len(first.ids), len(other.ids)), 1):
        return False
    fewer, more = sorted([first.judged, other.judged], key=len)
    return len(fewer) > 0 and len(np.intersect1d(fewer, more, assume_unique=True)) >= SHARED * len(fewer)


class SetFacts(Protocol):
    """What is known about a collection and its parallel set; see `Collection`."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def spoken(self) -> str | None: ...
    @property
    def parallel(self) -> str | None: ...
    @property
    def parallel_by(self) -> KnownBy | None: ...
    @property
    def same_ids(self) -> tuple[str, int] | None: ...


def notes(collections: Iterable[SetFacts], ids: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each parallel set, and one that lists collections that share query ids without a declaration.

    Args:
        ids: the query ids, by fingerprint of the collection.
    """
    different = {each.fingerprint: each for each in collections}.values()
    in_sets = sorted((each for each in different if each.parallel is not None), key=lambda each: str(each.parallel))
    sets = [list(members) for _, members in groupby(in_sets, key=lambda each: each.parallel)]
    lines = [_about(members, ids) for members in sets if len(members) > 1]
    return lines + _shared([each for each in different if each.parallel_by is None and each.same_ids])


def _known(member: Member, is_parallel: bool, by: KnownBy) -> Membership:
    return Membership(member.set_name if is_parallel else None, by)


def _compared(members: Sequence[Member]) -> list[Membership]:
    alike = _alike([member for member in members if member.in_set or member.declared])
    return [
        _known(member, True, "detected")
        if member.collection.fingerprint in alike
        else Membership(same_ids=_most_shared(member, members))
        for member in members
    ]


def _alike(members: Sequence[Member]) -> set[str]:
    """Fingerprints of the members that are all parallel to each other; empty if there are several such groups."""
    different = {member.collection.fingerprint: member for member in members}
    declared = [name for name, member in different.items() if member.declared]
    pairs = {frozenset(pair) for pair in combinations(declared, 2)}
    for (name, member), (other_name, other) in combinations(different.items(), 2):
        if not (member.declared and other.declared) and are_parallel(member, other):
            pairs.add(frozenset((name, other_name)))
    group = set().union(*pairs) if pairs else set[str]()
    return group if len(pairs) == len(group) * (len(group) - 1) // 2 else set()


def _most_shared(member: Member, members: Sequence[Member]) -> tuple[str, int] | None:
    """The other member that shares the most query ids, and how many; None if they are few."""
    others = [other for other in members if other.collection.fingerprint != member.collection.fingerprint]
    counted = [(len(member.ids & other.ids), other) for other in others]
    count, most = max(counted, key=lambda pair: pair[0], default=(0, member))
    if count <= NOTED * len(member.ids) or not (member.in_set or count >= SHARED * len(member.ids)):
        return None
    return most.collection.name.removeprefix(f"{member.within}/"), count


def _hashes(ids: Sequence[str]) -> Hashes:
    return np.frombuffer(b"".join(blake2b(id.encode(), digest_size=8).digest() for id in ids), "<u8").astype(np.uint64)


def _about(collections: Sequence[SetFacts], ids: Mapping[str, Sequence[str]]) -> str:
    questions = len(set[str]().union(*(ids[each.fingerprint] for each in collections)))
    languages = {each.spoken for each in collections}
    what = "collections" if None in languages or len(languages) < len(collections) else "languages"
    how = ", ".join(dict.fromkeys(_HOW[by] for each in collections if (by := each.parallel_by)))
    count = f"{questions:,} question{'s' if questions > 1 else ''}"
    return f"{collections[0].parallel}: {count} in {len(collections)} {what} ({how})"


_HOW: dict[KnownBy, str] = {
    "option": "as --parallel says",
    "declared": "declared",
    "detected": "detected: they share query ids and judged documents",
}


def _shared(collections: Sequence[SetFacts]) -> list[str]:
    lines = [
        f"{each.name} shares {each.same_ids[1]:,} query ids with {each.same_ids[0]}"
        for each in collections
        if each.same_ids
    ]
    more = [f"{len(lines) - _LISTED} more collections share ids too"] if len(lines) > _LISTED else []
    return [f"{'; '.join([*lines[:_LISTED], *more])}: {DECLARE}"] if lines else []

"""Parallel sets: collections that ask the same questions, as a rule in several languages.

The queries with one id in the collections of a parallel set are one question. Which collections form one is said by an
option, declared, or detected; it changes no value of a collection and is part of no fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from itertools import combinations, groupby

import numpy as np
import numpy.typing as npt

from harness.data.collection import Collection, KnownBy

SHARED = 0.9
"""Of the query ids, and of the judged pairs of query and document: two collections that have so much of the smaller one
in common ask the same questions. Ids alone never say it: many published sets number their queries in every language."""
NOTED = 0.1
"""Of a collection's query ids: with more of them in another one of the set, somebody has to say what they mean. Of
collections that only lie in one folder it takes SHARED, for numbers meet by chance."""
DECLARE = "declare parallel = true or false in collection.toml, or --parallel / --no-parallel"
_LISTED = 3
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Member:
    """A collection with what is declared of its set. Ids and judgments are only read where they are compared."""

    collection: Collection
    within: str | None = None
    """The name of the set that it lies in; None for a set of its own."""
    declared: bool | None = None
    """Whether queries with one id are one question in the set; None where nothing is declared."""
    in_set: bool = True
    """False where it was named by itself and may have nothing to do with what lies in the same folder: then nothing is
    detected."""

    @property
    def set_name(self) -> str:
        """The name of its parallel set, if it is in one."""
        return self.within or self.collection.name

    @cached_property
    def ids(self) -> frozenset[str]:
        """Its query ids."""
        return frozenset(self.collection.queries.ids())

    @cached_property
    def judged(self) -> Hashes:
        """Hashes of its judged pairs of query id and document id, sorted, each once, whatever their grades."""
        collection, qrels = self.collection, self.collection.qrels
        rows, place = np.unique(qrels.documents, return_inverse=True)
        documents = np.concatenate([_hashes(collection.corpus.ids(rows))[place], _hashes(qrels.missing.ids)])
        queries = _hashes(collection.queries.ids())[qrels.all_queries]
        return np.unique(queries * _FACTORS[0] + documents * _FACTORS[1])


@dataclass(frozen=True)
class Membership:
    """Whether a collection is in a parallel set; the fields are those of `Collection`."""

    parallel: str | None = None
    parallel_by: KnownBy | None = None
    same_ids: tuple[str, int] | None = None


def with_parallel(members: Sequence[Member], option: bool | None = None) -> list[Collection]:
    """The collections of the members, each with its parallel set."""
    found = parallel_sets(members, option)
    return [
        replace(member.collection, parallel=own.parallel, parallel_by=own.parallel_by, same_ids=own.same_ids)
        for member, own in zip(members, found, strict=True)
    ]


def parallel_sets(members: Sequence[Member], option: bool | None = None) -> list[Membership]:
    """The parallel set of each member.

    The option holds for all. Else what a member declares holds for it. The others of a set are compared with each
    other and with those that declare True: if all that have anything in common are pairwise parallel, they are
    one set. A set that is parallel in several parts is none, because they would have one name.
    """
    if option is not None:
        return [_known(one, option, "option") for one in members]
    found = [Membership() if one.declared is None else _known(one, one.declared, "declared") for one in members]
    by_set: dict[str, list[int]] = {}
    for place, one in enumerate(members):
        if one.within is not None and one.declared is not False:
            by_set.setdefault(one.within, []).append(place)
    for places in by_set.values():
        own = [members[place] for place in places]
        if any(one.declared is None for one in own):
            for place, membership in zip(places, _compared(own), strict=True):
                found[place] = membership if members[place].declared is None else found[place]
    return found


def are_parallel(first: Member, other: Member) -> bool:
    """Whether two members share SHARED of the query ids and of the judged pairs of the smaller one."""
    if len(first.ids & other.ids) < SHARED * max(min(len(first.ids), len(other.ids)), 1):
        return False
    fewer, more = sorted([first.judged, other.judged], key=len)
    return len(fewer) > 0 and len(np.intersect1d(fewer, more, assume_unique=True)) >= SHARED * len(fewer)


def notes(collections: Iterable[Collection]) -> list[str]:
    """A line for each parallel set, and one for each collection whose query ids somebody should explain."""
    each = {one.fingerprint: one for one in collections}.values()
    named = sorted((one for one in each if one.parallel is not None), key=lambda one: str(one.parallel))
    sets = [list(own) for _, own in groupby(named, key=lambda one: one.parallel)]
    lines = [_about(own) for own in sets if len(own) > 1]
    return lines + _shared([one for one in each if one.parallel_by is None and one.same_ids])


def _known(member: Member, is_parallel: bool, by: KnownBy) -> Membership:
    return Membership(member.set_name if is_parallel else None, by)


def _compared(members: Sequence[Member]) -> list[Membership]:
    alike = _alike([one for one in members if one.in_set or one.declared])
    return [
        _known(one, True, "detected")
        if one.collection.fingerprint in alike
        else Membership(same_ids=_most(one, members))
        for one in members
    ]


def _alike(members: Sequence[Member]) -> set[str]:
    """Fingerprints of the one group of members that are parallel, each with each; none where there are several."""
    each = {one.collection.fingerprint: one for one in members}
    known = [name for name, one in each.items() if one.declared]
    pairs = {frozenset(pair) for pair in combinations(known, 2)}
    for (name, one), (other_name, other) in combinations(each.items(), 2):
        if not (one.declared and other.declared) and are_parallel(one, other):
            pairs.add(frozenset((name, other_name)))
    group = set().union(*pairs) if pairs else set[str]()
    return group if len(pairs) == len(group) * (len(group) - 1) // 2 else set()


def _most(member: Member, members: Sequence[Member]) -> tuple[str, int] | None:
    """The other member that has most of the query ids too, and how many, where they are many."""
    others = [one for one in members if one.collection.fingerprint != member.collection.fingerprint]
    counted = [(len(member.ids & one.ids), one) for one in others]
    count, most = max(counted, key=lambda pair: pair[0], default=(0, member))
    if count <= NOTED * len(member.ids) or not (member.in_set or count >= SHARED * len(member.ids)):
        return None
    return most.collection.name.removeprefix(f"{member.within}/"), count


def _hashes(ids: Sequence[str]) -> Hashes:
    return np.frombuffer(b"".join(blake2b(id.encode(), digest_size=8).digest() for id in ids), "<u8").astype(np.uint64)


def _about(collections: Sequence[Collection]) -> str:
    questions = len(set[str]().union(*(one.queries.ids() for one in collections)))
    spoken = {one.spoken for one in collections}
    what = "collections" if None in spoken or len(spoken) < len(collections) else "languages"
    how = ", ".join(dict.fromkeys(_HOW[by] for one in collections if (by := one.parallel_by)))
    asked = f"{questions:,} question{'s' if questions > 1 else ''}"
    return f"{collections[0].parallel}: {asked} in {len(collections)} {what} ({how})"


_HOW: dict[KnownBy, str] = {
    "option": "as --parallel says",
    "declared": "declared",
    "detected": "detected: they share query ids and judged documents",
}


def _shared(collections: Sequence[Collection]) -> list[str]:
    each = [
        f"{one.name} shares {one.same_ids[1]:,} query ids with {one.same_ids[0]}" for one in collections if one.same_ids
    ]
    more = [f"{len(each) - _LISTED} more collections share ids too"] if len(each) > _LISTED else []
    return [f"{'; '.join([*each[:_LISTED], *more])}: {DECLARE}"] if each else []

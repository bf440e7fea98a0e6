"""The names of stored systems, collections and evaluations, for every command and for Python.

A name can be read in several ways. The first of these that matches anything is used:

- a system: its label as the tables print it (`SPEC`, or `SPEC (first stage)`); the spec of a first stage; a glob such
  as `BAAI/*`; the first digits of the id of one of its evaluations, four or more.
- a collection: its name; a suite, a set or a group (`miracl`, `beir/cqadupstack`); a glob such as `miracl/*`; the first
  digits of its fingerprint, six or more, which also name a sample; see `harness.result.places`.
- an evaluation: the first digits of its id; a system that has only one evaluation.

So a label that contains `*`, `?` or `[` first names itself; only if there is no such label is it a glob.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.errors import UsageError, did_you_mean
from harness.result.keys import FIRST_STAGE
from harness.result.places import ambiguous, collections_named, is_called, matching, some
from harness.result.stored import Stored
from harness.scoring.retrieve import GIVEN

_HEX, _ID = re.compile("[0-9a-f]{1,12}"), re.compile("[0-9a-f]{4,12}")


@dataclass(frozen=True)
class Named:
    """One system, with every evaluation that its name selects, the newest last."""

    label: str
    evaluations: tuple[Stored, ...]
    workspace: str = ""
    """The path of the workspace, if two are used."""

    @property
    def shown(self) -> str:
        """The label, and the workspace if two are used, for messages."""
        return f"'{self.label}' in '{self.workspace}'" if self.workspace else f"'{self.label}'"


@dataclass(frozen=True)
class Wanted:
    """The evaluations to use. Empty or None selects all."""

    collections: Sequence[str] = ()
    first_stage: str | None = None
    depth: int | None = None


ANY = Wanted()


def depth_of(stored: Stored) -> int | None:
    """Return the candidates per query; None for given lists, which are used whole."""
    return None if stored.first_stage == GIVEN else stored.depth


def weights_of(stored: Stored) -> tuple[str, ...]:
    """Return the digests of the system's weights; empty for a system without weights, such as BM25 or a run file."""
    return tuple(_weights(stored.identity.get("reranker" if stored.reranker else "retriever")))


def systems_named(names: Sequence[str], kept: Sequence[Stored], stored: Sequence[Stored] | None = None) -> list[Stored]:
    """Return every evaluation that one of the names selects, in the order of `kept`; without names, all of them.

    Args:
        kept: the evaluations to select from.
        stored: all evaluations, for the error about a system that only the others have. Default: `kept`.

    Raises:
        UsageError: a name matches nothing, or its digits match several ids.
    """
    if not names:
        return list(kept)
    found = {one.id for name in names for system in _found(name, kept, stored) for one in system.evaluations}
    return [one for one in kept if one.id in found]


def system_named(name: str, kept: Sequence[Stored], stored: Sequence[Stored] | None = None) -> Named:
    """Return the system with a name. The id of an evaluation also selects the same system on other collections.

    Raises:
        UsageError: the name matches no system, or several.
    """
    return one_system(name, [one for system in _found(name, kept, stored) for one in system.evaluations])


def one_system(name: str, named: Sequence[Stored]) -> Named:
    """Return the system of the evaluations that a name selects.

    Raises:
        UsageError: the evaluations are of several systems.
    """
    found = _by_label(named)
    if len(found) > 1:
        could = [f"'{label}' ({_described(own[-1])})" for label, own in found.items()]
        raise ambiguous(name, could, "name one of them")
    return next(Named(label, tuple(own)) for label, own in found.items())


def evaluation_named(name: str, stored: Sequence[Stored]) -> Stored:
    """Return the evaluation with a name.

    Raises:
        UsageError: the name matches no evaluation, or several.
    """
    if len(own := _with_id(name, stored)) == 1 and not _labelled(name, stored):
        return own[0]
    found = [one for system in _found(name, stored, None) for one in system.evaluations]
    if len(found) > 1:
        could = [f"{one.id} ('{one.key.label}', {_described(one)})" for one in reversed(found)]
        raise ambiguous(name, could, "give the id of one of them")
    return found[0]


def declared_group(text: str) -> tuple[str, str]:
    """Return the name and the members of `NAME=SYSTEM,SYSTEM` or `NAME=GLOB`.

    Raises:
        UsageError: the text has another form.
    """
    name, equals, members = (part.strip() for part in text.partition("="))
    if not (name and equals and members):
        raise UsageError(f"--group '{text}': write NAME=SPEC,SPEC or NAME=GLOB, as in 'mine=./seed-*'")
    return name, members


def members_named(members: str, kept: Sequence[Stored], stored: Sequence[Stored] | None = None) -> list[Named]:
    """Return the systems of a group, each once.

    Raises:
        UsageError: a member matches nothing.
    """
    labels = {one.key.label for one in kept}
    found = [one for part in _listed(members, labels) for one in _sorted(_found(part, kept, stored))]
    return list({tuple(one.id for one in member.evaluations): member for member in found}.values())


def narrowed(stored: Sequence[Stored], wanted: Wanted) -> list[Stored]:
    """Return the evaluations that are wanted, in the order of `stored`.

    Raises:
        UsageError: there are no results on one of the collections, over this first stage, or at this depth.
    """
    chosen = collections_named(wanted.collections, (one.collection.key.place for one in stored))
    kept = [one for one in stored if one.collection.key.place in chosen]
    if wanted.first_stage is not None:
        kept = _over(wanted.first_stage, kept)
    if wanted.depth is not None:
        depths = sorted({depth for one in kept if (depth := depth_of(one)) is not None})
        kept = [one for one in kept if depth_of(one) in {None, wanted.depth}]
        if not kept:
            raise UsageError(f"no results at depth {wanted.depth}; there are some at {', '.join(map(str, depths))}")
    return kept


def _found(name: str, kept: Sequence[Stored], stored: Sequence[Stored] | None) -> list[Named]:
    """Return the systems that a name selects, with only the evaluations in `kept`. The name is looked up among all
    evaluations, so it selects the same system whatever `kept` is."""
    everything = kept if stored is None else stored
    ids = {one.id for one in kept}
    meant = _systems(name, everything)
    here = [replace(one, evaluations=tuple(e for e in one.evaluations if e.id in ids)) for one in meant]
    if found := [one for one in here if one.evaluations]:
        return found
    if meant:
        where = dict.fromkeys(_described(one, dated=False) for system in meant for one in system.evaluations)
        raise UsageError(f"'{name}' was measured only elsewhere: {some(list(where))}")
    hint = did_you_mean(name, {one.key.label for one in everything})
    if any(is_called(one.collection.key.place, name) for one in everything):
        hint = f" It names collections: use --collection.{hint}"
    if _HEX.fullmatch(name):
        hint = f" No id begins with it{'' if _ID.fullmatch(name) else '; write 4 digits or more'}.{hint}"
    raise UsageError(f"no results of a system '{name}'.{hint}")


def _systems(name: str, stored: Sequence[Stored]) -> list[Named]:
    """Return the systems of the first reading of the name that matches."""
    if labels := _labelled(name, stored):
        own = _by_label(stored)
        return [Named(label, tuple(own[label])) for label in labels]
    found = _with_id(name, stored)
    if len(found) > 1:
        could = [f"{one.id} ('{one.key.label}', {_described(one)})" for one in found]
        raise ambiguous(name, could, "give more digits")
    return [Named(one.key.label, _as_evaluated(one, stored)) for one in found]


def _labelled(name: str, stored: Sequence[Stored]) -> list[str]:
    labels = dict.fromkeys(one.key.label for one in stored)
    firsts = {one.first_stage: one.key.label for one in stored if one.reranker is None}
    if name in labels:
        return [name]
    if name in firsts:
        return [firsts[name]]
    return matching(name, labels) or [firsts[spec] for spec in matching(name, firsts)]


def _with_id(name: str, stored: Sequence[Stored]) -> list[Stored]:
    return [one for one in stored if one.id.startswith(name)] if _ID.fullmatch(name) else []


def _as_evaluated(one: Stored, stored: Sequence[Stored]) -> tuple[Stored, ...]:
    """Return an evaluation, and those of the same system on other collections."""

    def system(other: Stored) -> tuple[object, ...]:
        return other.key.label, other.first_stage, depth_of(other), weights_of(other)

    here = one.collection.fingerprint
    return tuple(
        other
        for other in stored
        if other.id == one.id or (system(other) == system(one) and other.collection.fingerprint != here)
    )


def _over(first_stage: str, kept: Sequence[Stored]) -> list[Stored]:
    stages = dict.fromkeys(one.first_stage for one in kept)
    spec = first_stage.removesuffix(FIRST_STAGE)
    found = {spec} & stages.keys() or set(matching(spec, stages))
    if not found:
        raise UsageError(f"no results over a first stage '{first_stage}'.{did_you_mean(spec, stages)}")
    return [one for one in kept if one.first_stage in found]


def _listed(members: str, labels: set[str]) -> Iterator[str]:
    """Yield the members between commas. A label that contains commas is one member."""
    parts = [part.strip() for part in members.split(",")]
    while parts:
        sizes = (size for size in range(len(parts), 1, -1) if ",".join(parts[:size]) in labels)
        size = next(sizes, 1)
        if any(parts[:size]):
            yield ",".join(parts[:size])
        parts = parts[size:]


def _sorted(systems: Iterable[Named]) -> list[Named]:
    return sorted(systems, key=lambda one: one.label)


def _described(stored: Stored, *, dated: bool = True) -> str:
    depth = depth_of(stored)
    on = f"{stored.collection.name} over {stored.first_stage}" + ("" if depth is None else f" at depth {depth}")
    return f"{on}, {stored.updated[:10]}" if dated and stored.updated else on


def _weights(identity: object) -> Iterator[str]:
    if isinstance(identity, Mapping):
        for key in sorted(identity):
            yield from [str(identity[key])] if key == "weights" else _weights(identity[key])


def _by_label(stored: Iterable[Stored]) -> dict[str, list[Stored]]:
    found: dict[str, list[Stored]] = {}
    for one in stored:
        found.setdefault(one.key.label, []).append(one)
    return found

"""Which stored evaluations a name means: a system's label, the id of one of its evaluations, or a group of systems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from adapters.errors import UsageError, did_you_mean
from harness.result.stored import Stored
from harness.scoring.retrieve import GIVEN

_ID = re.compile("[0-9a-f]{1,12}")
"""An id or its first digits; names are looked for first."""


@dataclass(frozen=True)
class Named:
    """One system, with every evaluation that it could mean; the newest comes last."""

    label: str
    evaluations: tuple[Stored, ...]


def named(name: str, stored: Sequence[Stored]) -> Named:
    """The system of that name: a reranker's spec, `SPEC (first stage)`, a first stage's spec that no reranker shares,
    or the first digits of an evaluation's id, which means the same system on all of its collections.

    Raises:
        UsageError: there is none, or the digits could be several.
    """
    for labelled in (label_of, lambda one: one.first_stage if one.reranker is None else None):
        found = tuple(one for one in stored if labelled(one) == name)
        if found:
            return Named(label_of(found[0]), found)
    if _ID.fullmatch(name) and (matching := [one for one in stored if one.id.startswith(name)]):
        if len(matching) > 1:
            raise UsageError(f"'{name}' could be {', '.join(one.id for one in matching[:5])}; give more digits")
        return Named(label_of(matching[0]), _as_evaluated(matching[0], stored))
    raise UsageError(f"no system '{name}' in this workspace.{did_you_mean(name, set(map(label_of, stored)))}")


def group_of(declared: str, stored: Sequence[Stored]) -> tuple[str, tuple[Named, ...]]:
    """The name and the members of `NAME=SPEC,SPEC` or `NAME=GLOB`, each member once.

    Raises:
        UsageError: the form is wrong, a name is unknown, or a glob matches nothing.
    """
    name, equals, members = (part.strip() for part in declared.partition("="))
    if not (name and equals and members):
        raise UsageError(f"--group '{declared}': write NAME=SPEC,SPEC or NAME=GLOB, as in 'mine=./seed-*'")
    found = [one for part in members.split(",") if part.strip() for one in _matching(part.strip(), stored)]
    return name, tuple({tuple(one.id for one in member.evaluations): member for member in found}.values())


def label_of(stored: Stored) -> str:
    """As the tables call the system."""
    return stored.reranker or f"{stored.first_stage} (first stage)"


def depth_of(stored: Stored) -> int | None:
    """Candidates per query; None for given lists, which are used whole."""
    return None if stored.first_stage == GIVEN else stored.depth


def weights_of(stored: Stored) -> tuple[str, ...]:
    """The digests of the weights that made it; empty for a system that has none, such as BM25 or a run file."""
    return tuple(_weights(stored.identity.get("reranker" if stored.reranker else "retriever")))


def _weights(identity: object) -> Iterator[str]:
    if isinstance(identity, Mapping):
        for key in sorted(identity):
            yield from [str(identity[key])] if key == "weights" else _weights(identity[key])


def _as_evaluated(one: Stored, stored: Sequence[Stored]) -> tuple[Stored, ...]:
    def system(other: Stored) -> tuple[object, ...]:
        return label_of(other), other.first_stage, depth_of(other), weights_of(other)

    here = one.collection.fingerprint
    return tuple(
        other
        for other in stored
        if other.id == one.id or (system(other) == system(one) and other.collection.fingerprint != here)
    )


def _matching(pattern: str, stored: Sequence[Stored]) -> list[Named]:
    labels = dict.fromkeys(map(label_of, stored))
    if pattern not in labels and any(character in pattern for character in "*?["):
        found = [named(label, stored) for label in sorted(labels) if fnmatchcase(label, pattern)]
        if not found:
            raise UsageError(f"no system matches '{pattern}'.{did_you_mean(pattern, labels)}")
        return found
    return [named(pattern, stored)]

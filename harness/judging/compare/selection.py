"""What is compared: for every system, one evaluation on each collection that all of them were measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters.errors import DataError, UsageError
from harness.judging.compare.naming import Named, depth_of, group_of, label_of, weights_of
from harness.judging.compare.shared import shared_collections
from harness.judging.compare.wanted import ANY, Wanted, named_among, narrowed
from harness.result.stored import Stored


@dataclass(frozen=True)
class Chosen:
    """A system, or a group of seeds or folds of one, with an evaluation on every collection."""

    label: str
    members: tuple[tuple[Stored, ...], ...]
    """[members][collections]; one member for a system that is no group."""
    group: bool = False


@dataclass(frozen=True)
class StoredSelection:
    """The systems of one comparison, on the same collections in the same order."""

    baseline: Chosen
    candidates: tuple[Chosen, ...]
    notes: tuple[str, ...]
    """What was left out or picked, for the reader."""


def select(
    stored: Sequence[Stored],
    baseline: str,
    candidates: Sequence[str],
    groups: Sequence[str] = (),
    wanted: Wanted = ANY,
) -> StoredSelection:
    """Choose what is compared.

    Args:
        stored: all evaluations, the newest last.
        groups: each `NAME=SPEC,SPEC` or `NAME=GLOB`; the name is then a system.

    Raises:
        UsageError: a name is unknown or means several systems, or both sides are the same evaluation.
        DataError: the systems were measured on no common collection, or on other queries of one, or a name means other
            models on other collections.
    """
    kept = narrowed(stored, wanted)
    known = _groups(groups, stored, kept)
    names = list(dict.fromkeys([baseline, *candidates]))
    if len(names) < 2:
        raise UsageError(f"'{baseline}' on both sides is the same evaluation; name two systems")
    if unused := sorted(known.keys() - set(names)):
        raise UsageError(f"the group '{unused[0]}' is neither the baseline nor a candidate; name it as one of them")
    systems = [known[name] if name in known else (named_among(name, kept, stored),) for name in names]
    common, notes = shared_collections([member for members in systems for member in members])
    picked = [[_picked(member, common, notes) for member in members] for members in systems]
    chosen = [
        Chosen(name if name in known else members[0].label, tuple(found), group=name in known)
        for name, members, found in zip(names, systems, picked, strict=True)
    ]
    _refuse_the_same(chosen)
    first, *others = _told_apart(chosen)
    return StoredSelection(first, tuple(others), tuple(dict.fromkeys(notes)))


def _groups(declared: Sequence[str], stored: Sequence[Stored], kept: Sequence[Stored]) -> dict[str, tuple[Named, ...]]:
    labels = {label_of(one) for one in stored}
    groups: dict[str, tuple[Named, ...]] = {}
    for text in declared:
        name, members = group_of(text, kept)
        if name in groups or name in labels:
            raise UsageError(f"--group '{text}': '{name}' is a name already; take another")
        groups[name] = members
    return groups


def _picked(member: Named, common: Sequence[str], notes: list[str]) -> tuple[Stored, ...]:
    picked = []
    for fingerprint in common:
        here = [one for one in member.evaluations if one.collection.fingerprint == fingerprint]
        name = here[0].collection.name
        if len(stages := {(one.first_stage, depth_of(one)) for one in here}) > 1:
            told = sorted(f"{stage} at depth {depth}" for stage, depth in stages)
            raise UsageError(
                f"{name}: '{member.label}' was measured on {' and '.join(told)}; choose with --first-stage or --depth"
            )
        if len(here) > 1:
            older = ", ".join(one.id for one in here[:-1])
            notes.append(f"{name}: the newest evaluation of {member.label} is taken, {here[-1].id}; older: {older}")
        picked.append(here[-1])
    _refuse_several_models(member.label, picked)
    return tuple(picked)


def _refuse_several_models(label: str, picked: Sequence[Stored]) -> None:
    first = picked[0]
    for other in picked[1:]:
        if weights_of(other) != weights_of(first):
            raise DataError(
                f"'{label}' is one model on {first.collection.name} ({first.id}) and another, with other weights, "
                f"on {other.collection.name} ({other.id}); name the one that you mean by its id"
            )


def _refuse_the_same(chosen: Sequence[Chosen]) -> None:
    seen: dict[str, str] = {}
    for system in chosen:
        own = {one.id for member in system.members for one in member}
        if both := sorted(own & seen.keys()):
            two = " and ".join(dict.fromkeys(f"'{label}'" for label in (seen[both[0]], system.label)))
            raise UsageError(f"{two} named on both sides: the same evaluation ({both[0]}); name two systems")
        seen |= dict.fromkeys(own, system.label)


def _told_apart(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Systems that were named by id may share a label: then the label has their first stage, depth and id too."""
    counted = Counter(system.label for system in chosen)
    return [
        replace(system, label=f"{system.label} on {one.first_stage}, depth {one.depth} ({one.id})")
        if counted[system.label] > 1
        else system
        for system in chosen
        for one in system.members[0][:1]
    ]

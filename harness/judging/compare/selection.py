"""Selects what is compared: for every system, one evaluation on each collection that all of them were measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.errors import DataError, UsageError
from adapters.identity import digest
from harness.judging.compare.shared import shared_collections
from harness.result.select import (
    ANY,
    Named,
    Wanted,
    declared_group,
    depth_of,
    members_named,
    narrowed,
    system_named,
    weights_of,
)
from harness.result.stored import Stored


@dataclass(frozen=True)
class Chosen:
    """A system, or a group of seeds or folds of one, with an evaluation on every collection."""

    label: str
    members: tuple[tuple[Stored, ...], ...]
    """[members][collections]; a system that is not a group has one member."""
    group: bool = False
    workspace: str = ""
    """The path of the workspace, if two are compared."""


@dataclass(frozen=True)
class StoredSelection:
    """The systems of one comparison, on the same collections in the same order."""

    baseline: Chosen
    candidates: tuple[Chosen, ...]
    notes: tuple[str, ...]
    """Lines about what was left out or chosen."""


@dataclass(frozen=True)
class Shelf:
    """The evaluations of one workspace, the newest last."""

    stored: Sequence[Stored]
    workspace: str = ""
    """The path of the workspace, if two are compared."""


def select(
    stored: Sequence[Stored],
    baseline: str,
    candidates: Sequence[str],
    groups: Sequence[str] = (),
    wanted: Wanted = ANY,
) -> StoredSelection:
    """Select what is compared within one workspace.

    Args:
        stored: all evaluations, the newest last.
        groups: each `NAME=SPEC,SPEC` or `NAME=GLOB`. The name can then be used as a system. Default: none.

    Raises:
        UsageError: a name is unknown or means several systems, or both sides are the same evaluation.
        DataError: the systems have no collection in common, or have different queries of it, or a name means different
            models on different collections.
    """
    if not set(candidates) - {baseline}:
        raise UsageError(f"'{baseline}' on both sides is the same evaluation; name two systems")
    own = Shelf(stored)
    return select_across(own, own, baseline, [one for one in candidates if one != baseline], groups, wanted)


def select_across(  # noqa: PLR0917
    own: Shelf,
    other: Shelf,
    baseline: str,
    candidates: Sequence[str],
    groups: Sequence[str] = (),
    wanted: Wanted = ANY,
) -> StoredSelection:
    """Select as `select` does, with the baseline from one workspace and the candidates from the other. The members of a
    group are looked up in the workspace of its side."""
    known = _groups(groups, [*own.stored, *other.stored])
    if unused := sorted(known.keys() - {baseline, *candidates}):
        raise UsageError(f"the group '{unused[0]}' is neither the baseline nor a candidate; name it as one of them")
    sides = [(baseline, own), *((name, other) for name in dict.fromkeys(candidates))]
    systems = [_systems(name, shelf, known, wanted) for name, shelf in sides]
    common, notes = shared_collections([member for members in systems for member in members])
    chosen = [
        Chosen(
            name if name in known else members[0].label,
            tuple(_picked(member, common, notes) for member in members),
            name in known,
            shelf.workspace,
        )
        for (name, shelf), members in zip(sides, systems, strict=True)
    ]
    _refuse_the_same(chosen)
    first, *others = _distinguished(chosen)
    return StoredSelection(first, tuple(others), tuple(dict.fromkeys(notes)))


def _groups(declared: Sequence[str], stored: Sequence[Stored]) -> dict[str, str]:
    """Return the members of each group as they were written, by name of the group."""
    labels = {one.key.label for one in stored}
    groups: dict[str, str] = {}
    for text in declared:
        name, members = declared_group(text)
        if name in groups or name in labels:
            raise UsageError(f"--group '{text}': '{name}' is already a name; use another")
        groups[name] = members
    return groups


def _systems(name: str, shelf: Shelf, groups: Mapping[str, str], wanted: Wanted) -> list[Named]:
    try:
        kept = narrowed(shelf.stored, wanted)
        if name in groups:
            found = members_named(groups[name], kept, shelf.stored)
        else:
            found = [system_named(name, kept, shelf.stored)]
    except UsageError as error:
        raise UsageError(f"workspace '{shelf.workspace}': {error}" if shelf.workspace else str(error)) from None
    return [replace(one, workspace=shelf.workspace) for one in found]


def _picked(member: Named, common: Sequence[str], notes: list[str]) -> tuple[Stored, ...]:
    picked = []
    for fingerprint in common:
        here = [one for one in member.evaluations if one.collection.fingerprint == fingerprint]
        name = here[0].collection.name
        if len(stages := {(one.first_stage, depth_of(one)) for one in here}) > 1:
            settings = sorted(f"{stage} at depth {depth}" for stage, depth in stages)
            raise UsageError(
                f"{name}: '{member.label}' was measured on {' and '.join(settings)}; choose with --first-stage "
                "or --depth"
            )
        if len(here) > 1:
            older = ", ".join(one.id for one in here[:-1])
            notes.append(f"{name}: the newest evaluation of {member.label} is used, {here[-1].id}; older: {older}")
        picked.append(here[-1])
    _refuse_several_models(member.label, picked)
    _refuse_several_judges(member.label, picked)
    return tuple(picked)


def _refuse_several_models(label: str, picked: Sequence[Stored]) -> None:
    first = picked[0]
    for other in picked[1:]:
        if weights_of(other) != weights_of(first):
            raise DataError(
                f"'{label}' is one model on {first.collection.name} ({first.id}) and another, with other weights, "
                f"on {other.collection.name} ({other.id}); name one of them by its id"
            )


def _refuse_several_judges(label: str, picked: Sequence[Stored]) -> None:
    """Refuse a mean over judges of citations, or over settings of one."""
    judges = {digest({"judge": one.identity["citations"]}): one for one in picked if "citations" in one.identity}
    if len(judges) > 1:
        names = "; ".join(sorted(f"'{one.first_stage}'" for one in judges.values()))
        raise UsageError(
            f"the citations of '{label}' were judged in several ways, of which there is no mean; choose one with "
            f"--first-stage: {names}"
        )


def _refuse_the_same(chosen: Sequence[Chosen]) -> None:
    """Refuse the same evaluation on both sides of one workspace. Two workspaces may have the same one, if the model did
    not change."""
    seen: dict[tuple[str, str], str] = {}
    for system in chosen:
        own = {(system.workspace, one.id) for member in system.members for one in member}
        if both := sorted(own & seen.keys()):
            two = " and ".join(dict.fromkeys(f"'{label}'" for label in (seen[both[0]], system.label)))
            raise UsageError(f"{two} named on both sides: the same evaluation ({both[0][1]}); name two systems")
        seen |= dict.fromkeys(own, system.label)


def _distinguished(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Return the systems with distinct labels. Equal labels get the workspace; for systems that were named by id, the
    first stage, depth and id."""
    shared = Counter(system.label for system in chosen)
    within = Counter((system.label, system.workspace) for system in chosen)
    return [
        replace(one, label=_longer(one, ids=within[one.label, one.workspace] > 1)) if shared[one.label] > 1 else one
        for one in chosen
    ]


def _longer(system: Chosen, *, ids: bool) -> str:
    first = system.members[0][0]
    where = f" in {system.workspace}" if system.workspace else ""
    return (
        f"{system.label} on {first.first_stage}, depth {first.depth} ({first.id}){where}"
        if ids
        else system.label + where
    )

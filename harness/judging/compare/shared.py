"""Finds the collections that all systems of a comparison were measured on, with the same content, split and queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.errors import DataError
from harness.data.label_names import other_versions
from harness.result.select import Named
from harness.result.stored import Stored

Measured = dict[str, dict[str, Stored]]
"""An evaluation on each collection, by name and fingerprint of the collection."""


def shared_collections(systems: Sequence[Named]) -> tuple[list[str], list[str]]:
    """Return the fingerprints of the collections that all systems have, and notes about the others.

    They are sorted by name, because resampling depends on the order of the collections and must not depend on the order
    of measuring. If all systems have several nested samples of a collection, the largest is used.

    Raises:
        DataError: there is no such collection, or the systems have different queries of a collection.
    """
    measured = [_measured(system) for system in systems]
    names = sorted(name for name in measured[0] if all(name in one for one in measured))
    if not names:
        has = "; ".join(f"{system.shown} has {_listed(one)}" for system, one in zip(systems, measured, strict=True))
        raise DataError(f"no collection that all were measured on: {has}")
    notes = _left_out(systems, measured, names)
    if others := other_versions(_newest_last(names, systems)):
        names = [name for name in names if name not in others]
        notes.append(f"left out: other label versions, {_listed(others)}; choose one with --collection")
    return [_one_of(name, systems, [one[name] for one in measured], notes) for name in names], notes


def _measured(system: Named) -> Measured:
    found: Measured = {}
    for one in system.evaluations:
        found.setdefault(one.collection.name, {})[one.collection.fingerprint] = one
    return found


def _newest_last(names: Sequence[str], systems: Sequence[Named]) -> list[str]:
    updated = {one.collection.name: one.updated for one in systems[0].evaluations}
    return sorted(names, key=lambda name: (updated[name], name))


def _left_out(systems: Sequence[Named], measured: Sequence[Measured], names: Sequence[str]) -> list[str]:
    holders: dict[tuple[str, ...], list[str]] = {}
    for name in dict.fromkeys(name for one in measured for name in one if name not in names):
        owners = tuple(dict.fromkeys(_owner(s) for s, one in zip(systems, measured, strict=True) if name in one))
        holders.setdefault(owners, []).append(name)
    return [f"left out: only {' and '.join(owners)} has {_listed(found)}" for owners, found in holders.items()]


def _owner(system: Named) -> str:
    return f"{system.label} in {system.workspace}" if system.workspace else system.label


def _one_of(name: str, systems: Sequence[Named], measured: Sequence[Mapping[str, Stored]], notes: list[str]) -> str:
    common = [fingerprint for fingerprint in measured[0] if all(fingerprint in one for one in measured)]
    if not common:
        versions = "; ".join(
            f"{system.shown} has {' and '.join(map(_described, one.values()))}"
            for system, one in zip(systems, measured, strict=True)
        )
        raise DataError(f"{name}: different queries, splits or content: {versions}; run the systems on the same")
    largest = max(common, key=lambda fingerprint: measured[0][fingerprint].collection.counts.queries)
    if len({measured[0][fingerprint].collection.whole for fingerprint in common}) > 1:
        versions = " and ".join(_described(measured[0][fingerprint]) for fingerprint in common)
        raise DataError(f"{name}: all systems have {versions}; choose with --collection and the digits in brackets")
    if any(len(one) > 1 for one in measured):
        notes.append(f"{name}: compared on {_described(measured[0][largest])}, the largest that all systems have")
    return largest


def _described(stored: Stored) -> str:
    about = stored.collection
    of = f" of {about.sampled_from:,}" if about.sampled_from else ""
    return f"split {about.split}, {about.counts.queries:,}{of} queries ({about.fingerprint[:12]})"


def _listed(names: Sequence[str] | Measured) -> str:
    shown = list(names)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")

"""The results store as values for tables, plots and pages. Nothing is measured here: what was stored is looked up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import numpy as np

from adapters.errors import UsageError, did_you_mean
from harness.result.keys import FIRST_STAGE, CollectionKey, SystemKey
from harness.result.result import Floats64, Result
from harness.result.store import Results


@dataclass(frozen=True)
class Grid:
    """The results of one measure: systems by collections. Where a cell is missing it is missing; nothing stands in."""

    measure: str
    systems: tuple[SystemKey, ...]
    """First stages first, each before the rerankers over it."""
    collections: tuple[CollectionKey, ...]
    cells: Mapping[tuple[SystemKey, CollectionKey], Result]
    notes: tuple[str, ...] = ()

    @cached_property
    def bases(self) -> list[SystemKey]:
        """The first stages at their depths, in the order of the systems."""
        return list(dict.fromkeys(system.base for system in self.systems))

    def row(self, system: SystemKey) -> list[Result | None]:
        """The system's results, aligned with `collections`."""
        return [self.cells.get((system, collection)) for collection in self.collections]

    def is_complete(self, system: SystemKey) -> bool:
        """Whether an average over this row means anything."""
        return all(cell is not None for cell in self.row(system))

    def weights(self, collections: Sequence[CollectionKey] | None = None) -> Floats64:
        """What each collection weighs in a macro average, summing to 1: members of a group share one vote."""
        wanted = self.collections if collections is None else collections
        names = [one.group or (one.name, one.fingerprint) for one in wanted]
        voters = len(set(names))
        return np.array([1 / voters / names.count(name) for name in names])

    def part(self, collections: Iterable[CollectionKey]) -> Grid:
        """The grid with only these collections."""
        kept = set(collections)
        cells = {key: cell for key, cell in self.cells.items() if key[1] in kept}
        return replace(self, collections=tuple(one for one in self.collections if one in kept), cells=cells)


def gathered(
    workspace: Path,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
) -> list[Result]:
    """The newest result of every system on every collection and measure, oldest first. A sample, or a tier of a gate,
    gives way to its whole collection where that was measured too (`parts_left_out` names them).

    Args:
        systems: names as `harness list systems` prints them, `*` for anything; the first stage of each comes along.
        collections: names, suites, patterns such as `miracl/*`, or the first digits of a fingerprint, six or more,
            which also name a sample.

    Raises:
        UsageError: there is no store, or nothing in it is named so.
    """
    kept = _of_systems(every(workspace, collections, languages), systems)
    kept = [one for one in kept if not measures or one.measure in measures]
    if not kept:
        raise UsageError(f"no results of these systems, collections and measures in '{workspace}'; see `harness list`")
    return list({(one.system, one.collection, one.measure): one for one in kept}.values())


def every(workspace: Path, collections: Sequence[str] = (), languages: Sequence[str] = ()) -> list[Result]:
    """As `gathered`, with the older results of a system too.

    Raises:
        UsageError: there is no store, or no collection in it is named so.
    """
    file = workspace / "results.sqlite"
    if not file.is_file():
        raise UsageError(f"no results in '{workspace}' yet; `harness run` makes them, or name another --workspace")
    with Results(file) as results:
        found = _in_measured_columns(results.results())
    kept = _of_collections(found, collections, languages)
    parts = _parts(dict.fromkeys(one.collection for one in kept), collections)
    return [one for one in kept if one.collection not in parts]


def parts_left_out(workspace: Path, collections: Sequence[str] = ()) -> str | None:
    """One line on the samples and tiers that `gathered` leaves out; None if there are none."""
    with Results(workspace / "results.sqlite") as results:
        keys = dict.fromkeys(one.collection.key for one in results.one_of_each_collection())
    wanted = [one for one in keys if not collections or any(_is_of(one, pattern) for pattern in collections)]
    parts = _parts(wanted, collections)
    names = ", ".join(list(dict.fromkeys(one.name for one in parts))[:3])
    if not parts:
        return None
    more = ", ..." if len({one.name for one in parts}) > 3 else ""
    return (
        f"left out: {len(parts)} samples or tiers of collections that were measured whole ({names}{more}); "
        "--collection FINGERPRINT names one"
    )


def grids(results: Sequence[Result]) -> list[Grid]:
    """One grid per measure: each collection in the grid of its main measure; a measure that is nobody's main one has a
    grid of the collections that have it."""
    mains = {one.measure for one in results if one.measure == one.collection.main_measure}
    measures = list(dict.fromkeys(one.measure for one in results))
    found = []
    for measure in measures:
        own = [one for one in results if one.measure == measure]
        if measure in mains:
            own = [one for one in own if one.collection.main_measure == measure]
        found.append(grid_of(measure, own))
    return found


def all_grids(results: Sequence[Result]) -> list[Grid]:
    """As `grids`, and for every measure a grid of the collections that have another main one."""
    found = grids(results)
    shown = {(one.measure, key) for one in found for key in one.collections}
    rest: dict[str, list[Result]] = {}
    for one in results:
        if (one.measure, one.collection) not in shown:
            rest.setdefault(one.measure, []).append(one)
    return [*found, *(grid_of(measure, own) for measure, own in rest.items())]


def grid_of(measure: str, results: Sequence[Result]) -> Grid:
    """The results of one measure, in the order in which they come, first stages first."""
    seen = dict.fromkeys(one.system for one in results)
    systems = sorted(seen, key=lambda key: (key.first_stage, key.depth, key.reranker is not None))
    collections = tuple(dict.fromkeys(one.collection for one in results))
    return Grid(measure, tuple(systems), collections, {(one.system, one.collection): one for one in results})


def _in_measured_columns(found: list[Result]) -> list[Result]:
    """Imported means of a suite's collection stand in the column of that collection, if it was measured whole here."""
    whole = {
        (one.collection.name, one.collection.split): one.collection
        for one in found
        if not one.is_mean_only and one.collection.sampled_from is None
    }
    return [
        replace(one, collection=whole.get((one.collection.name, one.collection.split), one.collection))
        if one.is_mean_only
        else one
        for one in found
    ]


def _parts(keys: Collection[CollectionKey], wanted: Sequence[str]) -> list[CollectionKey]:
    """Collections that are some of the queries of another one that is here, unless they are named by fingerprint."""
    whole = {(key.name, key.split) for key in keys if key.sampled_from is None}
    return [
        key
        for key in keys
        if key.sampled_from is not None
        and (key.name, key.split) in whole
        and not any(_is_fingerprint(key, pattern) for pattern in wanted)
    ]


def _is_fingerprint(key: CollectionKey, pattern: str) -> bool:
    return len(pattern) >= 6 and key.fingerprint.startswith(pattern)


def _of_collections(found: list[Result], wanted: Sequence[str], languages: Sequence[str]) -> list[Result]:
    names = dict.fromkeys(one.collection.name for one in found)
    for pattern in wanted:
        if not any(_is_of(one.collection, pattern) for one in found):
            raise UsageError(f"no results of a collection '{pattern}'.{did_you_mean(pattern, list(names))}")
    return [
        one
        for one in found
        if (not wanted or any(_is_of(one.collection, pattern) for pattern in wanted))
        and (not languages or one.collection.language in languages)
    ]


def _is_of(key: CollectionKey, pattern: str) -> bool:
    return _named(key.name, pattern) or _is_fingerprint(key, pattern)


def _named(name: str, pattern: str) -> bool:
    return name == pattern or name.startswith(f"{pattern}/") or fnmatchcase(name, pattern)


def _of_systems(found: list[Result], wanted: Sequence[str]) -> list[Result]:
    labels = dict.fromkeys(one.system.label for one in found)
    for pattern in wanted:
        if not any(is_named(label, pattern) for label in labels):
            raise UsageError(f"no results of a system '{pattern}'.{did_you_mean(pattern, list(labels))}")
    if not wanted:
        return found
    named = {one.system for one in found if any(is_named(one.system.label, pattern) for pattern in wanted)}
    shown = named | {key.base for key in named}
    return [one for one in found if one.system in shown]


def is_named(label: str, pattern: str) -> bool:
    return pattern in (label, label.removesuffix(FIRST_STAGE)) or fnmatchcase(label, pattern)

"""A board: every result of a workspace with its standing, as one value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from harness.gathered import FIRST_STAGE, CollectionKey, Grid, Result, SystemKey, gathered
from harness.store import Results, Stored
from leaderboards.sheets import Sheet, sheets
from leaderboards.standing import Standing, standings
from leaderboards.systems_file import Declared, declared_of, read_systems

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Ranked:
    """One table with its rows in order."""

    sheet: Sheet
    rows: tuple[Standing, ...]


@dataclass(frozen=True)
class RankedCollection:
    """Every system on one collection by one measure, in order."""

    grid: Grid
    rows: tuple[Standing, ...]


@dataclass(frozen=True)
class Board:
    """Everything that the pages say."""

    results: tuple[Result, ...]
    tables: tuple[Ranked, ...]
    collections: Mapping[CollectionKey, Sequence[RankedCollection]]
    """One for each measure, the collection's main one first."""
    declared: Mapping[str, Declared]
    history: Mapping[SystemKey, Sequence[Stored]]
    """Every stored evaluation of a system, also those that a newer one replaced, oldest first."""

    @cached_property
    def by_system(self) -> dict[SystemKey, list[Result]]:
        """Results by system."""
        return _grouped(self.results, lambda one: one.system)

    def declared_of(self, system: SystemKey) -> Declared:
        """What --systems says of it."""
        return declared_of(system, self.declared)


def board(  # noqa: PLR0917
    workspace: Path,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
    systems_file: Path | None = None,
) -> Board:
    """Look up what the workspace holds, and rank it. The selection is that of `harness.gathered.gathered`.

    Raises:
        UsageError: there is nothing to show, or the file of systems is wrong.
    """
    results = gathered(workspace, systems, collections, languages, measures)
    keys = dict.fromkeys(one.system for one in results)
    declared = {} if systems_file is None else read_systems(systems_file, keys)
    tables = tuple(Ranked(sheet, tuple(standings(sheet.grid))) for sheet in sheets(results))
    by_collection = _grouped(results, lambda one: one.collection)
    ranked = {key: _of_collection(key, own) for key, own in by_collection.items()}
    return Board(tuple(results), tables, ranked, declared, _history(workspace, set(keys)))


def _of_collection(collection: CollectionKey, results: Sequence[Result]) -> list[RankedCollection]:
    by_measure = _grouped(results, lambda one: one.measure)
    found = []
    for measure in sorted(by_measure, key=lambda name: (name != collection.main_measure, name)):
        cells = {(one.system, collection): one for one in by_measure[measure]}
        grid = Grid(measure, tuple(one.system for one in by_measure[measure]), (collection,), cells)
        found.append(RankedCollection(grid, tuple(standings(grid))))
    return found


def _history(workspace: Path, systems: set[SystemKey]) -> dict[SystemKey, list[Stored]]:
    with Results(workspace / "results.sqlite") as results:
        found = _grouped(results.all(), _system)
    return {key: sorted(found[key], key=lambda one: (one.created, one.id)) for key in systems if key in found}


def _system(stored: Stored) -> SystemKey:
    label = stored.reranker or stored.first_stage + FIRST_STAGE
    return SystemKey(label, stored.first_stage, stored.depth, stored.reranker)


Value = TypeVar("Value")


def _grouped(values: Iterable[Value], key: Callable[[Value], Key]) -> dict[Key, list[Value]]:
    found: dict[Key, list[Value]] = {}
    for one in values:
        found.setdefault(key(one), []).append(one)
    return found

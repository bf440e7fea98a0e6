"""A board: the ranked results of a workspace as one value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from harness.result.figure import COLLECTIONS, LANGUAGES, SYSTEMS, Figure, figures
from harness.result.gathered import Grid, all_grids, grid_of, view
from harness.result.keys import CollectionKey, SystemKey
from harness.result.left_out import NOTHING, LeftOut
from harness.result.opening import stored_in
from harness.result.result import Result
from harness.result.stored import Stored
from leaderboards.sheets import BoardColumn, BoardSheet, place_of, sheets_of
from leaderboards.standing import BoardStanding, standings
from reports.grid import selection
from reports.systems_file import DeclaredSystem, declared_of, display_names, read_systems
from reports.view import stored_labels

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class RankedTable:
    """A table with its rows in order of rank."""

    sheet: BoardSheet
    rows: tuple[BoardStanding, ...]
    languages: Mapping[tuple[SystemKey, str], Figure]
    """The figures by system and language code."""
    family: str
    """What the differences of the rows are corrected over; see `harness.result.figure`."""


@dataclass(frozen=True)
class RankedCollection:
    """The systems on one collection by one measure, in order of rank."""

    grid: Grid
    rows: tuple[BoardStanding, ...]
    family: str


@dataclass(frozen=True)
class Board:
    """All values that the pages show."""

    results: tuple[Result, ...]
    tables: tuple[RankedTable, ...]
    collections: Mapping[CollectionKey, Sequence[RankedCollection]]
    """The rankings of each collection, one per measure, the main measure first."""
    declared: Mapping[str, DeclaredSystem]
    history: Mapping[SystemKey, Sequence[Stored]]
    """All stored evaluations of each system, including replaced ones, oldest first."""
    left_out: LeftOut = NOTHING
    """The stored results that were not selected."""

    @cached_property
    def by_system(self) -> dict[SystemKey, list[Result]]:
        """The results by system."""
        return _grouped(self.results, lambda one: one.system)

    def declared_of(self, system: SystemKey) -> DeclaredSystem:
        """The declaration for a system in the file of `--systems`."""
        return declared_of(system, self.declared)


def board(  # noqa: PLR0917
    workspace: Path,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
    systems_file: Path | None = None,
) -> Board:
    """Rank the results of a workspace. See `harness.result.gathered.view` for the selection.

    Args:
        workspace: the workspace.
        systems: names of systems. Default: all.
        collections: names of collections. Default: all.
        languages: codes of languages. Default: all.
        measures: measures. Default: all.
        systems_file: the file of `--systems`. Default: none.

    Raises:
        UsageError: there is nothing to show, or the file of systems has an error.
    """
    shown = view(workspace, systems, collections, languages, measures)
    results = shown.results
    declared = _declared(workspace, systems_file)
    tables, ranked = list[RankedTable](), list[RankedCollection]()
    for grid in all_grids(results):
        own, columns = _ranked(grid)
        tables += own
        ranked += columns
    tables.sort(key=lambda one: place_of(one.sheet))
    history = _history(workspace, results)
    return Board(results, tuple(tables), _by_collection(results, ranked), declared, history, shown.left_out)


def _declared(workspace: Path, file: Path | None) -> dict[str, DeclaredSystem]:
    if file is None:
        return {}
    labels = stored_labels(workspace)
    declared = read_systems(file, labels)
    display_names(file, declared, labels)
    return declared


def _ranked(grid: Grid) -> tuple[list[RankedTable], list[RankedCollection]]:
    """The tables of a grid and the rankings of its collections. Their figures are computed together, because their
    p-values are corrected together."""
    own = sheets_of(grid)
    singles = [BoardColumn(one.name, (one,), (1.0,)) for one in grid.collections]
    macros = [one.macro for one in own if len(one.grid.collections) > 1]
    languages = [replace(one, family=f"{LANGUAGES} {sheet.id}") for sheet in own for one in sheet.languages]
    columns = [*singles, *macros, *languages]
    found = figures(selection(grid), columns, range(len(singles) + len(macros)))

    def of(collections: Sequence[CollectionKey]) -> dict[SystemKey, Figure]:
        place = next(at for at, one in enumerate(columns) if one.collections == tuple(collections))
        return {system: found[system, place] for system in grid.systems}

    def by_language(sheet: BoardSheet) -> dict[tuple[SystemKey, str], Figure]:
        wanted = [(at, one.title) for at, one in enumerate(columns) if one.family == f"{LANGUAGES} {sheet.id}"]
        return {(system, code): found[system, at] for at, code in wanted for system in sheet.grid.systems}

    tables = [
        RankedTable(
            one, tuple(standings(one.grid, of(one.grid.collections))), by_language(one), _family(one.grid, grid)
        )
        for one in own
    ]
    by_collection = _grouped(grid.cells.values(), lambda one: one.collection)
    parts = [grid_of(grid.measure, by_collection[key]) for key in grid.collections]
    alone = [RankedCollection(one, tuple(standings(one, of(one.collections))), _family(one, grid)) for one in parts]
    return tables, alone


def _family(part: Grid, grid: Grid) -> str:
    """What the differences of a part of a grid are corrected over: one collection of several is corrected over the
    collections, everything else over the systems."""
    return COLLECTIONS if len(part.collections) == 1 < len(grid.collections) else SYSTEMS


def _by_collection(
    results: Sequence[Result], ranked: Sequence[RankedCollection]
) -> dict[CollectionKey, list[RankedCollection]]:
    found: dict[CollectionKey, list[RankedCollection]] = {one.collection: [] for one in results}
    for one in ranked:
        found[one.grid.collections[0]].append(one)
    for key, own in found.items():
        own.sort(key=lambda one: (one.grid.measure != key.main_measure, one.grid.measure))
    return found


def _history(workspace: Path, shown: Sequence[Result]) -> dict[SystemKey, list[Stored]]:
    systems, known = {one.system for one in shown}, {one.id: one.stored for one in shown}
    with stored_in(workspace / "results.sqlite") as results:
        found = _grouped((known.get(one.id, one) for one in results.all()), lambda one: one.key)
    return {key: sorted(found[key], key=lambda one: (one.created, one.id)) for key in systems if key in found}


Value = TypeVar("Value")


def _grouped(values: Iterable[Value], key: Callable[[Value], Key]) -> dict[Key, list[Value]]:
    found: dict[Key, list[Value]] = {}
    for one in values:
        found.setdefault(key(one), []).append(one)
    return found

"""The tables of a board: the collections of a suite by one measure, so that each table has an average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from harness.data.sources.stored import DRIFTED
from harness.data.suites.targets import suites
from harness.result.figure import COLLECTIONS, LANGUAGES, SYSTEMS
from harness.result.gathered import Grid, grids
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result
from reports.grid import plain_name, suite_of, titles_of


@dataclass(frozen=True)
class BoardColumn:
    """A column for one collection, or for several averaged with the weights of the macro average."""

    title: str
    collections: tuple[CollectionKey, ...]
    weights: tuple[float, ...]
    """The weight of each collection. They sum to 1."""
    family: str = COLLECTIONS
    """What the differences are corrected over; see `harness.result.figure`."""

    def value(self, grid: Grid, system: SystemKey) -> float | None:
        """The weighted mean of a system as a fraction; None if a collection is missing."""
        cells = [grid.cells.get((system, one)) for one in self.collections]
        values = [cell.value for cell in cells if cell is not None]
        return sum(w * v for w, v in zip(self.weights, values, strict=True)) if len(values) == len(cells) else None

    def wrong(self, grid: Grid, system: SystemKey) -> str | None:
        """Why one of a system's values is known to be wrong; None if none is."""
        cells = (grid.cells.get((system, one)) for one in self.collections)
        return next((cell.wrong for cell in cells if cell is not None and cell.wrong), None)

    @property
    def queries(self) -> int:
        """The number of queries in all collections."""
        return sum(one.queries for one in self.collections)


@dataclass(frozen=True)
class BoardSheet:
    """A table of the board."""

    suite: str
    grid: Grid
    sampled: int = 0
    """0 for whole collections, or for all collections if none occurs twice; 1 and above for samples, the most measured
    first."""

    @property
    def title(self) -> str:
        """The title in the navigation."""
        more = "" if self.sampled < 2 else f" {self.sampled}"
        return f"{self.suite} · {self.grid.measure}" + (f" · sampled{more}" if self.sampled else "")

    @property
    def id(self) -> str:
        """Hex digits derived from suite, measure and samples."""
        return page_id(self.suite, self.grid.measure, bool(self.sampled), *range(2, self.sampled + 1))

    @property
    def columns(self) -> list[BoardColumn]:
        """A column for each collection."""
        titles = titles_of(self.grid.collections, self.suite, self.grid.measure)
        return [BoardColumn(title, (one,), (1.0,)) for title, one in zip(titles, self.grid.collections, strict=True)]

    @property
    def macro(self) -> BoardColumn:
        """The average over the collections."""
        return BoardColumn("macro average", self.grid.collections, tuple(self.grid.weights().tolist()), SYSTEMS)

    @property
    def languages(self) -> list[BoardColumn]:
        """A column for each language, with its code as the title."""
        codes = sorted({one.language for one in self.grid.collections if one.language})
        return [self._language(code) for code in codes]

    def _language(self, code: str) -> BoardColumn:
        own = tuple(one for one in self.grid.collections if one.language == code)
        return BoardColumn(code, own, tuple(self.grid.weights(own).tolist()), LANGUAGES)


def page_id(*parts: object) -> str:
    """12 hex digits for the name of a file, so that names of systems and collections do not become paths."""
    return blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def system_id(system: SystemKey) -> str:
    """The file name of a system's page, without suffix."""
    return page_id(system.label, system.first_stage, system.depth, system.reranker)


def collection_id(collection: CollectionKey) -> str:
    """The file name of a collection's page, without suffix."""
    return page_id(collection.name, collection.split, collection.fingerprint)


def sheets(results: Sequence[Result]) -> list[BoardSheet]:
    """The tables, the one with the most results first. Whole collections and samples of them are in different tables,
    so that no average contains both."""
    return sorted((sheet for grid in grids(results) for sheet in sheets_of(grid)), key=place_of)


def sheets_of(grid: Grid) -> list[BoardSheet]:
    """The tables of one measure."""
    tables = []
    for suite in dict.fromkeys(map(suite_of, grid.collections)):
        own = grid.part(one for one in grid.collections if suite_of(one) == suite)
        tables += [BoardSheet(suite, _used(part), sampled) for part, sampled in _editions(own)]
    return tables


def place_of(sheet: BoardSheet) -> tuple[int, str]:
    """The key to sort tables: the one with the most results first."""
    return -len(sheet.grid.cells), sheet.title


def is_drifted(collection: CollectionKey) -> bool:
    """Whether a collection's data differ from the table of its suite."""
    return DRIFTED in collection.name


def _editions(grid: Grid) -> list[tuple[Grid, int]]:
    """Parts of a grid in which each collection occurs once, with the value of `BoardSheet.sampled`."""
    names = Counter((plain_name(one), one.split) for one in grid.collections)
    sampled = {(plain_name(one), one.split) for one in grid.collections if one.sampled_from}
    if not any(names[name] > 1 for name in sampled):
        return [(grid, 0)]
    whole = [one for one in grid.collections if not one.sampled_from]
    rest = [one for one in grid.collections if one.sampled_from or (plain_name(one), one.split) not in sampled]
    parts = [(whole, 0), *((part, number) for number, part in enumerate(_layers(grid, rest), 1))]
    return [(grid.part(part), mark) for part, mark in parts if part]


def _layers(grid: Grid, collections: Sequence[CollectionKey]) -> list[list[CollectionKey]]:
    """Layers of samples with one sample of each collection, those of most systems first."""
    systems = Counter(collection for _, collection in grid.cells)
    layers: list[list[CollectionKey]] = []
    for one in sorted(collections, key=lambda one: (-systems[one], -one.queries)):
        name = (plain_name(one), one.split)
        free = (layer for layer in layers if name not in {(plain_name(key), key.split) for key in layer})
        layer = next(free, None)
        if layer is None:
            layers.append([one])
        else:
            layer.append(one)
    return layers


def _used(grid: Grid) -> Grid:
    """The grid without systems that have no results in it. Columns are in the order of their suite, others by name."""
    measured = {system for system, _ in grid.cells}
    systems = tuple(one for one in grid.systems if one in measured)
    return Grid(grid.measure, systems, tuple(sorted(grid.collections, key=_place)), grid.cells)


def _place(collection: CollectionKey) -> tuple[int, str, str, int]:
    listed = [one.target for one in suites()[collection.suite].collections] if collection.suite else []
    name = plain_name(collection)
    return listed.index(name) if name in listed else len(listed), name, collection.split, -collection.queries

"""The columns of the tables of stored results, and the figure of every system in every column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.data.label_names import by_judges
from harness.data.sources.stored import DRIFTED
from harness.measuring.votes import parts
from harness.result import figure
from harness.result.figure import COLLECTIONS, GROUPS, LANGUAGES, SYSTEMS, Selection
from harness.result.gathered import OFFICIAL, Grid, grids
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result
from reports.marks import JUDGED, of_collection

OWN = "own collections"
"""The heading of collections that belong to no suite and no folder."""


@dataclass(frozen=True)
class GridColumn:
    """A column for one collection, or for the average of several."""

    title: str
    heading: str
    collections: tuple[CollectionKey, ...]
    weights: tuple[float, ...]
    """The weight of each collection. They sum to 1; the members of a group share one vote."""
    marks: tuple[str, ...] = ()
    family: str = COLLECTIONS
    """What the differences are corrected over; see `harness.result.figure`."""

    @property
    def average(self) -> bool:
        """Whether this is the average of all collections under its heading or in the table."""
        return self.family == SYSTEMS


def suite_of(collection: CollectionKey) -> str:
    """The suite of a collection, or the folder that it was in."""
    head, slash, _ = collection.name.partition("/")
    return collection.suite or (head if slash else OWN)


def plain_name(collection: CollectionKey) -> str:
    """The name of a collection without marks."""
    return collection.name.replace(DRIFTED, "").strip()


def collection_columns(grid: Grid) -> list[GridColumn]:
    """The macro average, then for each suite its average and its collections. See `once` for what is averaged."""
    suites, main = list(dict.fromkeys(map(suite_of, grid.collections))), once(grid)
    found = [average(grid, main, "macro average", "")] if len(main) > 1 else []
    for suite in suites:
        own = sorted((one for one in grid.collections if suite_of(one) == suite), key=lambda one: one not in main)
        averaged = [one for one in own if one in main]
        if len(suites) > 1 and len(averaged) > 1:
            found.append(average(grid, averaged, "average", suite))
        titles = titles_of(own, suite, grid.measure)
        found += [GridColumn(t, suite, (one,), (1.0,), of_collection(one)) for t, one in zip(titles, own, strict=True)]
    return found


def run_columns(grid: Grid) -> list[GridColumn]:
    """Each collection and each group after its members; last, if there are several collections, their average. Every
    collection counts, even if another one has the same name."""
    found, voters = list[GridColumn](), parts(grid.collections)
    for part in voters:
        found += [GridColumn(one.name, "", (one,), (1.0,)) for one in part]
        if len(part) > 1 and len(voters) > 1:
            found.append(replace(average(grid, part, named(part), ""), family=GROUPS))
    if len(grid.collections) == 1:
        return [replace(found[0], family=SYSTEMS)]
    return [*found, average(grid, grid.collections, named(voters[0]) if len(voters) == 1 else "macro average", "")]


def named(part: Sequence[CollectionKey]) -> str:
    """The name of a collection, or of a group with the number of its members."""
    return part[0].name if len(part) == 1 else f"{part[0].group}, mean of {len(part)}"


def language_columns(grid: Grid) -> list[GridColumn]:
    """The average over languages, each with one vote, then a column for each. Empty with fewer than two languages."""
    main = once(grid)
    codes = sorted({one.language for one in main if one.language})
    if len(codes) < 2:
        return []
    each = []
    for code in codes:
        own = [one for one in main if one.language == code]
        marks = tuple(dict.fromkeys(sign for one in own for sign in of_collection(one)))
        title = code if len(own) == 1 else f"{code} ({len(own)})"
        each.append(replace(average(grid, own, title, ""), family=LANGUAGES, marks=marks))
    members = tuple(one for column in each for one in column.collections)
    weights = tuple(weight / len(each) for column in each for weight in column.weights)
    return [GridColumn("mean of languages", "", members, weights, family=SYSTEMS), *each]


def average(grid: Grid, collections: Sequence[CollectionKey], title: str, heading: str) -> GridColumn:
    """A column with the weighted mean of these collections."""
    weights = tuple(grid.weights(collections).tolist())
    marks = (JUDGED,) if any(by_judges(one.name) for one in collections) else ()
    return GridColumn(title, heading, tuple(collections), weights, marks, family=SYSTEMS)


def once(grid: Grid) -> list[CollectionKey]:
    """Every collection once, so that no average counts it twice.

    A grid may hold the whole collection, samples of it, and other data with the same name. Of these, the one that most
    systems have is taken, and the largest if several do.
    """
    systems = Counter(collection for _, collection in grid.cells)
    main: dict[tuple[str, str], CollectionKey] = {}
    for one in grid.collections:
        key = (plain_name(one), one.split)
        main[key] = max(main.get(key, one), one, key=lambda it: (systems[it], it.queries))
    return [one for one in grid.collections if one in main.values()]


def official_grids(results: Sequence[Result]) -> list[Grid]:
    """A grid for each suite with several main measures. It holds each collection by its own main measure, as mteb's
    leaderboard averages them. Only suites are averaged over measures."""
    own = [one for one in results if one.measure == one.collection.main_measure and one.collection.suite]
    found = []
    for suite in dict.fromkeys(one.collection.suite for one in own):
        members = [one for one in own if one.collection.suite == suite]
        if len({one.collection.main_measure for one in members}) > 1:
            (grid,) = grids([replace(one, measure=OFFICIAL) for one in members])
            found.append(replace(grid, cells={(one.system, one.collection): one for one in members}))
    return found


@dataclass(frozen=True)
class GridFigure(figure.Figure):
    """A figure with the results behind it. Fractions."""

    results: tuple[Result, ...] = ()
    """The stored results of the column's collections; some may be missing."""

    @property
    def wrong(self) -> bool:
        """Whether one of the values is known to be wrong."""
        return any(one.wrong for one in self.results)


Figures = Mapping[tuple[SystemKey, int], GridFigure]


def figures(grid: Grid, columns: Sequence[figure.FigureColumn[CollectionKey]], *, intervals: bool = True) -> Figures:
    """The figures by system and index of the column; see `harness.result.figure.figures`.

    Args:
        grid: the results of one measure.
        columns: the columns of the table.
        intervals: whether columns of single collections have intervals; averages, and a column of the only
            collection, always have them. Default: True.
    """
    tested = [_Tested(one.collections, one.weights, family_of(grid, one)) for one in columns]
    wanted = [place for place, one in enumerate(tested) if intervals or one.family == figure.SYSTEMS]
    return figures_of(grid, tested, wanted)


def figures_of(
    grid: Grid, columns: Sequence[figure.FigureColumn[CollectionKey]], intervals: Sequence[int] | None = None
) -> Figures:
    """The figures, corrected over the families that the columns name. `intervals` are the indices of the columns whose
    values get one. Default: all."""
    made = figure.figures(selection(grid), columns, intervals)
    return {key: GridFigure(**vars(one), results=_results(grid, key[0], columns[key[1]])) for key, one in made.items()}


@dataclass(frozen=True)
class _Tested:
    """A column with the family that its differences are corrected over."""

    collections: tuple[CollectionKey, ...]
    weights: tuple[float, ...]
    family: str


def family_of(grid: Grid, column: figure.FigureColumn[CollectionKey]) -> str:
    """What the differences of a column are corrected over. The only collection of a view is corrected as an average is
    elsewhere, whether or not a sample of it is shown, too."""
    alone = len(column.collections) == 1 and len(once(grid)) == 1
    return SYSTEMS if alone or len(column.collections) == len(grid.collections) else column.family


def selection(grid: Grid) -> Selection[SystemKey, CollectionKey]:
    """The results of a grid. The baseline of each reranker is its first stage."""
    return Selection(grid.systems, grid.collections, grid.cells, lambda one: one.base if one.reranker else None)


def _results(grid: Grid, system: SystemKey, column: figure.FigureColumn[CollectionKey]) -> tuple[Result, ...]:
    cells = (grid.cells.get((system, one)) for one in column.collections)
    return tuple(cell for cell in cells if cell is not None)


def _digits(collection: CollectionKey) -> str:
    """The first digits of the fingerprint, or of the revision in `mteb:Task@revision/...` for imported results."""
    return collection.fingerprint.rpartition("@")[2][:6]


def titles_of(collections: Sequence[CollectionKey], suite: str, measure: str) -> list[str]:
    """The shortest titles that differ: name, name and split, or name, split and fingerprint."""
    short = [plain_name(one).removeprefix(f"{suite}/") for one in collections]
    split = [
        f"{name} {one.split}" if short.count(name) > 1 else name for name, one in zip(short, collections, strict=True)
    ]
    found = [
        f"{name} {_digits(one)}" if split.count(name) > 1 else name
        for name, one in zip(split, collections, strict=True)
    ]
    if measure != OFFICIAL:
        return found
    return [f"{name} ({one.main_measure})" for name, one in zip(found, collections, strict=True)]

"""Results tables: systems by collections or languages, the first stage on top, nothing averaged that is not whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from harness.result.figure import SYSTEMS, Interval
from harness.result.gathered import Grid
from harness.result.keys import CollectionKey, SystemKey
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from harness.result.summary import OFFICIAL
from reports import marks, rule
from reports.figures import Figure, Figures, figures
from reports.grid_columns import OWN, Column, collection_columns, language_columns, once, plain_name
from reports.tables import Cell, Kind, Table

Row = tuple[Kind, tuple[Cell, ...]]
Singles = Mapping[tuple[SystemKey, tuple[CollectionKey, ...]], Figure]
"""The figures of single collections."""


_NONE: Singles = MappingProxyType({})


@dataclass(frozen=True)
class PublishedRow:
    """Published numbers of one model, handed in by whoever knows them. They are shown, and never ranked."""

    label: str
    cells: Mapping[CollectionKey, float]
    """Fractions."""
    note: str
    """Source and evaluator, and why it may not be comparable."""
    href: str = ""


@dataclass(frozen=True)
class Sheet:
    """A grid with its columns and their figures: what the tables of one measure are made of."""

    grid: Grid
    columns: tuple[Column, ...]
    figures: Figures
    published: tuple[PublishedRow, ...] = ()
    intervals: bool = False
    """Whether single cells show theirs."""

    def figure(self, system: SystemKey, place: int) -> Figure:
        """Of one system in one column."""
        return self.figures[system, place]

    @property
    def singles(self) -> Singles:
        """The figures of its single collections."""
        places = {place: one.collections for place, one in enumerate(self.columns) if len(one.collections) == 1}
        return {(key, places[place]): one for (key, place), one in self.figures.items() if place in places}

    @property
    def families(self) -> dict[str, list[Figure]]:
        """Its figures by what they were corrected over."""
        found: dict[str, list[Figure]] = {}
        for (_, place), one in self.figures.items():
            whole = len(self.columns[place].collections) == len(self.grid.collections)
            found.setdefault(SYSTEMS if whole else self.columns[place].family, []).append(one)
        return found

    @property
    def left(self) -> tuple[str, ...]:
        """The columns of text."""
        return ("system", "first stage") if len(self.grid.bases) > 1 else ("system",)


def sheets_of(
    grid: Grid,
    published: Sequence[PublishedRow] = (),
    *,
    intervals: bool = False,
    known: Singles = _NONE,
) -> tuple[Sheet, Sheet | None]:
    """Systems by collections, grouped by suite; and systems by languages, None where there are fewer than two.

    Args:
        known: figures that other tables of the report show already: here they are the same.
    """
    columns, languages = collection_columns(grid), language_columns(grid)
    found = dict(figures(grid, [*columns, *languages], intervals=intervals))
    first = len(columns)
    for system, place in found:
        if place < first and (system, columns[place].collections) in known:
            found[system, place] = known[system, columns[place].collections]
    by_collection = {key: one for key, one in found.items() if key[1] < first}
    by_language = {(system, place - first): one for (system, place), one in found.items() if place >= first}
    return (
        Sheet(grid, tuple(columns), by_collection, tuple(published), intervals),
        Sheet(grid, tuple(languages), by_language, (), intervals) if languages else None,
    )


def values_table(sheet: Sheet, over: str = "collection") -> Table:
    """The values, best in bold, second best underlined; chance, ceiling and published numbers in rows of their own."""
    rows = list(_value_rows(sheet))
    notes = [
        f"{sheet.grid.measure} x 100; bold: the best of its column, underlined: the second best; both among measured "
        "systems only, as printed",
        *_notes(sheet),
        *([f"[low, high]: {rule.INTERVAL}"] if sheet.intervals else []),
    ]
    return _table(sheet, f"{sheet.grid.measure} by {over}", rows, notes)


def differences_table(sheet: Sheet, over: str = "collection") -> Table:
    """Signed differences to the first stage, in points."""
    rows: list[Row] = [
        ("system", (*_names(sheet, system), *(_difference(sheet.figure(system, i)) for i in range(len(sheet.columns)))))
        for system in sheet.grid.systems
        if system.reranker
    ]
    about = f"{sheet.grid.measure} x 100, minus that of the first stage on the same candidates"
    notes = [about, *_notes(sheet)]
    return _table(sheet, f"differences to the first stage: {sheet.grid.measure} by {over}", rows, notes)


def names(grid: Grid, system: SystemKey) -> tuple[str, ...]:
    """The columns of text of a row: the system, and where there are several first stages what it stands on."""
    known = grid.bases
    if len(known) < 2:
        return (system.label,)
    deep = len({base.depth for base in known}) > 1
    return system.label, f"{system.first_stage}, top {system.depth}" if deep and system.depth else system.first_stage


def points(value: float | None) -> str:
    """A fraction as points with two decimals; a dash where there is none."""
    return "-" if value is None else f"{100 * value:.2f}"


def signed(value: float | None) -> str:
    """A difference as points with two decimals and a sign."""
    return "-" if value is None else f"{100 * value:+z.2f}"


def bracketed(interval: Interval | None, show: Callable[[float], str] = points) -> str:
    """An interval in points."""
    return "-" if interval is None else f"[{show(interval[0])}, {show(interval[1])}]"


def _value_rows(sheet: Sheet) -> Iterator[Row]:
    best = [medals(sheet, place) for place in range(len(sheet.columns))]
    for base, systems in groupby(sheet.grid.systems, key=lambda one: one.base):
        listed = list(systems)
        for system in listed:
            cells = (_value(sheet, system, place, best[place]) for place in range(len(sheet.columns)))
            yield ("system" if system.reranker else "first stage"), (*_names(sheet, system), *cells)
        yield "ceiling", _bound(sheet, base, listed, "ceiling")
        yield "chance", _bound(sheet, base, listed, "chance")
    for number, row in enumerate(sheet.published, 1):
        yield "published", _published(sheet, row, f"[{number}]")


def _value(sheet: Sheet, system: SystemKey, place: int, best: tuple[str, str]) -> Cell:
    figure = sheet.figure(system, place)
    if figure.value is None:
        lacks = bool(figure.results) or sheet.columns[place].average
        return Cell("-", marks=(marks.INCOMPLETE,) if lacks else ())
    text = points(figure.value)
    interval = f" {bracketed(figure.interval)}" if sheet.intervals and figure.interval else ""
    alarmed = any(marks.alarms_of(one) for one in figure.results)
    return Cell(
        text + interval,
        strong=text == best[0] and not figure.wrong,
        second=text == best[1] and not figure.wrong,
        href=f"#e-{figure.results[0].id}" if len(figure.results) == 1 else "",
        marks=(*significant(figure), *((marks.ALARM,) if alarmed else ()), *_wrong(figure)),
    )


def _wrong(figure: Figure) -> tuple[str, ...]:
    return (marks.WRONG,) if figure.wrong else ()


def significant(figure: Figure) -> tuple[str, ...]:
    """The sign of a difference that the corrected test finds."""
    return (marks.BETTER if (figure.delta or 0) > 0 else marks.WORSE,) if figure.significant else ()


def _difference(figure: Figure) -> Cell:
    if figure.value is not None and figure.delta is None:
        return Cell("-", marks=(marks.UNPAIRED,))
    if figure.value is None and figure.results:
        return Cell("-", marks=(marks.INCOMPLETE,))
    return Cell(signed(figure.delta), marks=(*significant(figure), *_wrong(figure)))


def medals(sheet: Sheet, place: int) -> tuple[str, str]:
    """The best and the second best value of a column as printed: what looks equal is equal. A value that is known to be
    wrong is neither."""
    found = [sheet.figure(system, place) for system in sheet.grid.systems]
    known = {round(100 * one.value, 2) for one in found if one.value is not None and not one.wrong}
    best, second = [*(f"{value:.2f}" for value in sorted(known, reverse=True)), "", ""][:2]
    return best, second


def _bound(sheet: Sheet, base: SystemKey, systems: Sequence[SystemKey], which: str) -> tuple[Cell, ...]:
    """What a perfect or a random order of the candidates gets: the same for everything over one first stage."""
    cells = []
    for place in range(len(sheet.columns)):
        known = [getattr(sheet.figure(system, place), which) for system in systems]
        cells.append(Cell(points(next((value for value in known if value is not None), None))))
    text = {"ceiling": "ceiling (perfect order)", "chance": "chance (random order)"}[which]
    return (*(Cell(name) for name in (text, *names(sheet.grid, base)[1:])), *cells)


def _published(sheet: Sheet, row: PublishedRow, sign: str) -> tuple[Cell, ...]:
    cells = []
    for column in sheet.columns:
        value = row.cells.get(column.collections[0]) if len(column.collections) == 1 else None
        cells.append(Cell(points(value), href=row.href if value is not None else ""))
    rest = [Cell("")] * (len(sheet.left) - 1)
    return (Cell(f"published: {row.label}", marks=(sign,)), *rest, *cells)


def _names(sheet: Sheet, system: SystemKey) -> tuple[Cell, ...]:
    label, *rest = names(sheet.grid, system)
    signs = marks.of_system([cell for cell in sheet.grid.row(system) if cell is not None])
    return (Cell(label, marks=signs), *map(Cell, rest))


def _table(sheet: Sheet, title: str, rows: Sequence[Row], notes: Sequence[str]) -> Table:
    column_marks = (*[()] * len(sheet.left), *(column.marks for column in sheet.columns))
    cells = tuple(row for _, row in rows)
    known = {f"[{number}]": row.note for number, row in enumerate(sheet.published, 1)}
    known |= marks.wrong_notes(sheet.grid.cells.values())
    headings = [(heading, len(list(own))) for heading, own in groupby(column.heading for column in sheet.columns)]
    return Table(
        title,
        (*sheet.left, *(column.title for column in sheet.columns)),
        cells,
        tuple(notes),
        left=len(sheet.left),
        groups=(("", len(sheet.left)), *headings) if {heading for heading, _ in headings} - {"", OWN} else (),
        kinds=tuple(kind for kind, _ in rows),
        column_marks=column_marks,
        footnotes=marks.footnotes(cells, column_marks, known),
    )


def _notes(sheet: Sheet) -> Iterator[str]:
    yield from bm25_notes(of_stored(one.stored for one in sheet.grid.cells.values()))
    if sheet.grid.measure == OFFICIAL:
        yield (
            "each collection by its own official measure; a mean of different measures has no unit: it orders systems "
            "as mteb's leaderboard does, and says nothing else"
        )
    main = once(sheet.grid)
    if other := [f"{plain_name(one)} ({one.queries:,} queries)" for one in sheet.grid.collections if one not in main]:
        yield f"averages count a collection once, where most systems have it; not in them: {', '.join(other)}"
    groups = {one.group for column in sheet.columns if column.average for one in column.collections if one.group}
    if groups:
        yield f"averaged first, and then one vote: {', '.join(sorted(groups))}"
    yield from rule.sets(sheet.grid)
    yield from rule.notes(sheet.families)

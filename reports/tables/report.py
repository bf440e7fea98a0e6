"""The tables of a report: systems by collections or languages. A row that lacks a collection has no average."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType

from harness.numbers import points, signed
from harness.result import figure as result
from harness.result.gathered import Grid
from harness.result.keys import CollectionKey, SystemKey
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from reports import grid as grids
from reports import marks, rule
from reports.columns import INTERVAL, POINTS, measure_note
from reports.findings import finding
from reports.grid import OWN, Figures, GridFigure, collection_columns, figures, language_columns, once, plain_name
from reports.lines import Line
from reports.table import Cell, Kind, Table
from reports.tables.systems import FIRST_STAGE, SystemRow, best_two, systems_table
from reports.view import PLAIN, View

Row = tuple[Kind, tuple[Cell, ...]]
Singles = Mapping[tuple[SystemKey, tuple[CollectionKey, ...]], GridFigure]
"""The figures of single collections."""


_NONE: Singles = MappingProxyType({})


@dataclass(frozen=True)
class PublishedRow:
    """Published numbers of one model. They are shown but not ranked."""

    label: str
    cells: Mapping[CollectionKey, float]
    """Values as fractions."""
    note: str
    """Source, evaluator, and reasons why the numbers may not be comparable."""
    href: str = ""


@dataclass(frozen=True)
class Sheet:
    """A grid with its columns and their figures, for the tables of one measure."""

    grid: Grid
    columns: tuple[grids.GridColumn, ...]
    figures: Figures
    published: tuple[PublishedRow, ...] = ()
    intervals: bool = False
    """Whether single cells show their intervals."""
    view: View = PLAIN

    def figure(self, system: SystemKey, place: int) -> GridFigure:
        """The figure of a system in a column."""
        return self.figures[system, place]

    @property
    def singles(self) -> Singles:
        """The figures of single collections."""
        places = {place: one.collections for place, one in enumerate(self.columns) if len(one.collections) == 1}
        return {(key, places[place]): one for (key, place), one in self.figures.items() if place in places}

    @property
    def families(self) -> dict[str, list[GridFigure]]:
        """The figures by what they were corrected over."""
        by_family: dict[str, list[GridFigure]] = {}
        for (_, place), one in self.figures.items():
            by_family.setdefault(grids.family_of(self.grid, self.columns[place]), []).append(one)
        return by_family

    @property
    def left(self) -> tuple[str, ...]:
        """The headings of the columns of text."""
        return ("system", "first stage") if len(self.grid.bases) > 1 else ("system",)


def sheets_of(
    grid: Grid,
    published: Sequence[PublishedRow] = (),
    *,
    intervals: bool = False,
    known: Singles = _NONE,
    view: View = PLAIN,
) -> tuple[Sheet, Sheet | None]:
    """The sheet of systems by collections, grouped by suite, and the sheet of systems by languages; None for the latter
    with fewer than two languages.

    Args:
        grid: the results of one measure.
        published: published numbers to show. Default: none.
        intervals: whether single cells have intervals. Default: False.
        known: figures of other tables of the report, to be used again. Default: none.
        view: columns, order and names of the tables.
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
        Sheet(grid, tuple(columns), by_collection, tuple(published), intervals, view),
        Sheet(grid, tuple(languages), by_language, (), intervals, view) if languages else None,
    )


def values_table(sheet: Sheet, over: str = "collection") -> Table:
    """The values, the best in bold and the second best underlined, with separate rows for chance, ceiling and published
    numbers."""
    rows = list(_value_rows(sheet))
    notes = [
        f"{measure_note(sheet.grid.measure)}; bold: the best measured system of the column, underlined: the second "
        "best; values that print alike are equal",
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
    about = f"{measure_note(sheet.grid.measure)}; minus the value of the first stage on the same candidates"
    table = _table(
        sheet, f"differences to the first stage: {sheet.grid.measure} by {over}", rows, [about, *_notes(sheet)]
    )
    singles = [
        (f"{' over '.join(names(sheet, system))} on {column.title}", sheet.figure(system, place).difference)
        for place, column in enumerate(sheet.columns)
        if not column.average
        for system in sheet.grid.systems
    ]
    return replace(table, finding=finding(singles, "result", FIRST_STAGE))


def overview_table(sheet: Sheet) -> Table:
    """One row per system, for the first column of the sheet: the macro average or the only collection."""
    rows = [
        SystemRow(
            _names(sheet, system), line(sheet, system), _href(sheet.figure(system, 0)), sheet.figure(system, 0).wrong
        )
        for system in sheet.grid.systems
    ]
    notes = [measure_note(sheet.grid.measure), *_notes(sheet)]
    known = marks.wrong_notes(sheet.grid.cells.values())
    table = systems_table(
        f"{sheet.grid.measure}, {_over(sheet)}",
        sheet.left,
        rows,
        sheet.view.columns,
        signs=significant,
        notes=notes,
        known=known,
    )
    return _judged(table, sheet) if marks.JUDGED in sheet.columns[0].marks else table


def _judged(table: Table, sheet: Sheet) -> Table:
    """The overview with the mark for labels of a judge at its figures."""
    left, rest = len(sheet.left), len(table.columns) - len(sheet.left)
    footnote = (marks.JUDGED, marks.NOTES[marks.JUDGED])
    column_marks = (*[()] * left, *[(marks.JUDGED,)] * rest)
    return replace(table, column_marks=column_marks, footnotes=(*table.footnotes, footnote))


def line(sheet: Sheet, system: SystemKey, place: int = 0) -> Line:
    """The line of a system, for one column of the sheet."""
    figure, own = sheet.figure(system, place), sheet.columns[place].collections
    singles = [at for at, one in enumerate(sheet.columns) if len(one.collections) == 1 and one.collections[0] in own]
    return Line(
        measure=sheet.grid.measure,
        figure=figure,
        results=figure.results,
        each=tuple(sheet.figure(system, at) for at in singles),
        is_first_stage=not system.reranker,
    )


def names(sheet: Sheet, system: SystemKey) -> tuple[str, ...]:
    """The texts of a row: the system, and its first stage if there are several."""
    bases, label, stage = sheet.grid.bases, sheet.view.system(system.label), sheet.view.first_stage(system.first_stage)
    if len(bases) < 2:
        return (label,)
    several_depths = len({base.depth for base in bases}) > 1
    return label, f"{stage}, top {system.depth}" if several_depths and system.depth else stage


def _value_rows(sheet: Sheet) -> Iterator[Row]:
    best = [_best(sheet, place) for place in range(len(sheet.columns))]
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
    measure, text = sheet.grid.measure, points(figure.value)
    interval = f" {INTERVAL.of(measure)(figure.interval)}" if sheet.intervals and figure.interval else ""
    alarmed = any(marks.alarms_of(one) for one in figure.results)
    return Cell(
        POINTS.of(measure)(figure.value) + interval,
        strong=text == best[0] and not figure.wrong,
        second=text == best[1] and not figure.wrong,
        href=f"#e-{figure.results[0].id}" if len(figure.results) == 1 else "",
        marks=(*significant(figure), *((marks.ALARM,) if alarmed else ()), *_wrong(figure)),
    )


def _wrong(figure: GridFigure) -> tuple[str, ...]:
    return (marks.WRONG,) if figure.wrong else ()


def significant(figure: result.Figure) -> tuple[str, ...]:
    """The mark of a difference that is significant after correction."""
    return (marks.BETTER if (figure.delta or 0) > 0 else marks.WORSE,) if figure.significant else ()


def _difference(figure: GridFigure) -> Cell:
    if figure.value is not None and figure.delta is None:
        return Cell("-", marks=(marks.UNPAIRED,))
    if figure.value is None and figure.results:
        return Cell("-", marks=(marks.INCOMPLETE,))
    return Cell(signed(figure.delta), marks=(*significant(figure), *_wrong(figure)))


def _best(sheet: Sheet, place: int) -> tuple[str, str]:
    figures = [sheet.figure(system, place) for system in sheet.grid.systems]
    return best_two([one.value for one in figures if not one.wrong])


def _bound(sheet: Sheet, base: SystemKey, systems: Sequence[SystemKey], which: str) -> tuple[Cell, ...]:
    """A row with the value of a perfect or a random order of the candidates of one first stage."""
    cells = []
    for place in range(len(sheet.columns)):
        known = [getattr(sheet.figure(system, place), which) for system in systems]
        cells.append(Cell(points(next((value for value in known if value is not None), None))))
    text = {"ceiling": "ceiling (perfect order)", "chance": "chance (random order)"}[which]
    return (*(Cell(name) for name in (text, *names(sheet, base)[1:])), *cells)


def _published(sheet: Sheet, row: PublishedRow, sign: str) -> tuple[Cell, ...]:
    cells = []
    for column in sheet.columns:
        value = row.cells.get(column.collections[0]) if len(column.collections) == 1 else None
        cells.append(Cell(POINTS.of(sheet.grid.measure)(value), href=row.href if value is not None else ""))
    rest = [Cell("")] * (len(sheet.left) - 1)
    return (Cell(f"published: {row.label}", marks=(sign,)), *rest, *cells)


def _names(sheet: Sheet, system: SystemKey) -> tuple[Cell, ...]:
    label, *rest = names(sheet, system)
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


def _href(figure: GridFigure) -> str:
    return f"#e-{figure.results[0].id}" if len(figure.results) == 1 and figure.value is not None else ""


def _over(sheet: Sheet) -> str:
    column = sheet.columns[0]
    if len(column.collections) == 1:
        return column.collections[0].name
    voters = len({one.group or (one.name, one.fingerprint) for one in column.collections})
    groups = f" with {voters} votes" if voters < len(column.collections) else ""
    return f"macro average of {len(column.collections)} collections{groups}"


def _notes(sheet: Sheet) -> Iterator[str]:
    yield from bm25_notes(of_stored(one.stored for one in sheet.grid.cells.values()))
    main = once(sheet.grid)
    if other := [f"{plain_name(one)} ({one.queries:,} queries)" for one in sheet.grid.collections if one not in main]:
        yield f"averages count a collection once, in the form that most systems have; left out: {', '.join(other)}"
    groups = {one.group for column in sheet.columns if column.average for one in column.collections if one.group}
    if groups:
        yield f"averaged first and then counted as one: {', '.join(sorted(groups))}"
    yield from rule.sets(sheet.grid)
    yield from rule.notes(sheet.families)

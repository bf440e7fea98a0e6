"""The page of a collection: chance, ceiling, ranking, and published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.result.facts import CollectionFacts
from harness.result.keys import FIRST_STAGE, CollectionKey
from harness.result.result import Result
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from leaderboards.alarmed import DRIFTED, SAMPLED, collection_marks
from leaderboards.beside import is_wrong, measured_here, of_collection, stage
from leaderboards.board import Board, RankedCollection
from leaderboards.pages import figures, links
from leaderboards.pages.links import collection_file as file_of
from leaderboards.pages.shell import render
from leaderboards.pages.table import line_of, stage_of
from leaderboards.published import Published
from leaderboards.standing import BoardStanding
from reports import rule
from reports.grid import suite_of
from reports.marks import alarms_of

__all__ = ["file_of", "page"]

_UP = "../"
_COUNTS = {
    "documents": "Documents",
    "judgments": "Judgments",
    "judged_zero": "Judged zero",
    "queries_without_relevant": "Queries without a relevant document",
    "queries_without_judgments": "Queries without judgments",
    "empty_documents": "Empty documents",
    "duplicate_texts": "Documents with the text of another",
    "missing_judgments": "Judgments of documents that are not in the corpus",
}


@dataclass(frozen=True)
class CollectionRow:
    """A row of a system."""

    standing: BoardStanding
    name: str
    stage: str
    href: str
    id: str
    alarms: bool
    value: float | None
    """The macro value. An imported mean and a value that is known to be wrong are shown too, although they have no
    rank; wrong values are struck through."""
    wrong: str | None


@dataclass(frozen=True)
class CollectionTable:
    """Systems by one measure."""

    measure: str
    story: str
    correction: str
    """The meaning of a mark; empty if nothing was tested."""
    rows: tuple[CollectionRow, ...]


@dataclass(frozen=True)
class Bound:
    """Chance and ceiling of the candidates of a first stage."""

    stage: str
    measure: str
    chance: float | None
    ceiling: float | None


@dataclass(frozen=True)
class Sibling:
    """Another collection of the suite."""

    name: str
    language: str | None
    href: str | None
    best: str
    value: float | None
    ceiling: float | None
    queries: int


@dataclass(frozen=True)
class PublishedComparison:
    """A published number, our own, and why the two cannot be compared."""

    row: Published
    stage: str
    wrong: bool
    ours: float | None
    difference: float | None
    reason: str | None


def page(made: Board, collection: CollectionKey) -> str:
    """The page with all stored results on a collection."""
    tables = made.collections[collection]
    results = [cell for table in tables for cell in table.grid.cells.values()]
    listed = results[0].stored.collection
    shown = [(text, count) for key, text in _COUNTS.items() if (count := getattr(listed.counts, key))]
    return render(
        "collection.html",
        title=collection.name,
        up=_UP,
        suites=links.suites(made, _table(made, collection), _UP),
        collection=collection,
        entry=collection.entry,
        counts=shown,
        notes=[*_notes(collection, listed, results), *bm25_notes(of_stored(one.stored for one in results))],
        bounds=_bounds(results),
        tables=[
            CollectionTable(one.grid.measure, _story(made, one), _correction(one), tuple(_rows(made, one)))
            for one in tables
        ],
        siblings=_siblings(made, collection),
        published=[_compared(one, results) for one in of_collection(collection)],
        figures=figures,
    )


def _table(made: Board, collection: CollectionKey) -> int | None:
    holding = (i for i, one in enumerate(made.tables) if collection in one.sheet.grid.collections)
    return next(holding, None)


def _notes(collection: CollectionKey, listed: CollectionFacts, results: Sequence[Result]) -> list[str]:
    entry = collection.entry
    notes = [*listed.notes, entry.note or "" if entry else ""]
    notes += [f"{one.system.label}: {one.wrong}." for one in results if one.wrong]
    marks = [mark for mark in collection_marks(collection) if mark in (SAMPLED, DRIFTED)]
    return [one for one in dict.fromkeys([*notes, *(f"{mark.sign}: {mark.meaning}." for mark in marks)]) if one]


def _name(made: Board, row: BoardStanding) -> str:
    return made.declared_of(row.system).name or row.system.label.removesuffix(FIRST_STAGE)


def _rows(made: Board, table: RankedCollection) -> list[CollectionRow]:
    found = []
    for row in table.rows:
        (cell,) = table.grid.row(row.system)
        assert cell is not None
        href = _UP + links.system_file(row.system)
        value = cell.value if cell.wrong or cell.is_mean_only else row.value
        place = (_name(made, row), line_of(row.system), href, cell.id)
        found.append(CollectionRow(row, *place, alarms=bool(alarms_of(cell)), value=value, wrong=cell.wrong))
    return found


def _story(made: Board, table: RankedCollection) -> str:
    best = table.rows[0]
    if best.rank is None:
        return "Nothing that was measured here has a rank."
    group = [row for row in table.rows[1:] if row.group and row.group == best.group]
    winner = f"Best: {_name(made, best)} ({line_of(best.system)}), {figures.points(best.value)}."
    if len(table.rows) == 1:
        return f"{winner} Nothing else was measured here."
    if not group:
        return f"{winner} It can be distinguished from all systems below it."
    names = [_name(made, row) for row in group]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{winner} Cannot be distinguished from it: {', '.join(names[:5])}{more}."


def _correction(table: RankedCollection) -> str:
    corrected = rule.correction({table.family: [row.figure for row in table.rows]})
    return f"* significant: {rule.TEST}, corrected p-value at most 0.05; {corrected}." if corrected else ""


def _bounds(results: Sequence[Result]) -> list[Bound]:
    known = {(stage_of(one.system), one.measure): one for one in results if one.chance is not None or one.ceiling}
    return [Bound(where, measure, one.chance, one.ceiling) for (where, measure), one in sorted(known.items())]


def _siblings(made: Board, collection: CollectionKey) -> list[Sibling]:
    """The collections of the suite with the same main measure."""
    found = []
    for other, tables in made.collections.items():
        alike = suite_of(other) == suite_of(collection) and other.main_measure == collection.main_measure
        if not alike or tables[0].grid.measure != collection.main_measure:
            continue
        best = next((row for row in tables[0].rows if row.rank), None) or tables[0].rows[0]
        cell = tables[0].grid.cells[best.system, other]
        href = None if other == collection else _UP + file_of(other)
        name = _name(made, best) if best.rank else figures.DASH
        found.append(Sibling(other.name, other.language, href, name, best.value, cell.ceiling, other.queries))
    return sorted(found, key=lambda one: (one.language or "~", one.name))


def _compared(row: Published, results: Sequence[Result]) -> PublishedComparison:
    here = measured_here(row, results)
    if here is None:
        return PublishedComparison(row, stage(row), is_wrong(row), None, None, None)
    ours, reason = here
    difference = None if reason else ours.value - row.value
    return PublishedComparison(row, stage(row), is_wrong(row), ours.value, difference, reason)

"""The pages of a table, with a column for each collection or for each language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.result.figure import LANGUAGES, Figure
from harness.result.keys import FIRST_STAGE, CollectionKey, SystemKey
from harness.result.result import Result
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from leaderboards.alarmed import IMPORTED, TRAINED, WRONG, Mark, collection_marks
from leaderboards.beside import is_wrong, published_rows
from leaderboards.board import Board, RankedTable
from leaderboards.pages import figures, links
from leaderboards.pages.links import languages_file
from leaderboards.pages.links import table_file as file_of
from leaderboards.pages.shell import render
from leaderboards.published import Published
from leaderboards.sheets import BoardColumn, BoardSheet
from leaderboards.standing import BoardStanding
from reports import rule
from reports.marks import alarms_of, judged_notes
from reports.systems_file import SIZES, DeclaredSystem

__all__ = ["file_of", "languages_file", "languages_page", "page"]


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    title: str
    full: str
    href: str | None
    languages: tuple[str, ...]
    queries: int
    marks: tuple[Mark, ...]

    @property
    def trained(self) -> bool:
        """Whether the data are known training data."""
        return any(mark.sign == "T" for mark in self.marks)


@dataclass(frozen=True)
class BoardCell:
    """A value of a row."""

    text: str
    best: bool = False
    marks: tuple[str, ...] = ()
    delta: str | None = None
    note: str | None = None
    wrong: bool = False


@dataclass(frozen=True)
class BoardRow:
    """The row of a system."""

    standing: BoardStanding
    declared: DeclaredSystem
    href: str
    name: str
    cells: tuple[BoardCell, ...]
    alarms: int
    trained: bool
    starts_group: bool

    @property
    def stage(self) -> str:
        """The first stage and its depth."""
        return stage_of(self.standing.system)

    @property
    def under(self) -> str:
        """The line under the name."""
        return line_of(self.standing.system)

    @property
    def words(self) -> str:
        """The text that a search is matched with, in lower case."""
        system, declared = self.standing.system, self.declared
        parts = (self.name, system.label, system.first_stage, declared.licence, declared.note)
        return " ".join(part for part in parts if part).lower()


@dataclass(frozen=True)
class ReferenceRow:
    """A row without a rank: chance, a ceiling, or published numbers."""

    name: str
    about: str
    stage: str
    macro: BoardCell
    cells: tuple[BoardCell, ...]


def page(made: Board, index: int) -> str:
    """The page with a column for each collection."""
    return _page(made, index, made.tables[index].sheet.columns, "Collections")


def languages_page(made: Board, index: int) -> str:
    """The page with a column for each language."""
    return _page(made, index, made.tables[index].sheet.languages, "Languages")


def stage_of(system: SystemKey) -> str:
    """A first stage and its depth in words."""
    if system.first_stage == "given":
        return "given lists"
    return f"{system.first_stage}, depth {system.depth or 'not stated'}"


def line_of(system: SystemKey) -> str:
    """The line under the name of a system: what it reranks, or that it is a first stage."""
    return f"over {stage_of(system)}" if system.reranker else f"first stage, depth {system.depth or 'not stated'}"


def _page(made: Board, index: int, columns: Sequence[BoardColumn], view: str) -> str:
    ranked = made.tables[index]
    sheet, rows = ranked.sheet, _rows(made, ranked, columns, deltas=view == "Languages")
    heads = [_head(column) for column in columns]
    published = _published(sheet, columns) if view == "Collections" else []
    signs = {mark for head in heads for mark in head.marks}
    signs |= {
        mark for mark in (TRAINED, IMPORTED, WRONG) if any(mark.sign in c.marks for row in rows for c in row.cells)
    }
    return render(
        "table.html",
        title=f"{sheet.title} · {view.lower()}",
        up="",
        suites=links.suites(made, index),
        views=links.views(sheet, index, view),
        view=view,
        sheet=sheet,
        heads=heads,
        ranked=[row for row in rows if row.standing.rank],
        incomplete=[row for row in rows if not row.standing.rank],
        references=_references(sheet, columns),
        published=published,
        wrong=any(cell.wrong for row in published for cell in row.cells),
        notes=sorted({cell.note for row in rows for cell in row.cells if cell.wrong and cell.note}),
        stages=sorted({row.stage for row in rows}),
        languages=sorted({code for head in heads for code in head.languages}),
        sizes=[size for size in SIZES if any(row.declared.size_class == size for row in rows)],
        licences=sorted({row.declared.licence for row in rows if row.declared.licence}),
        alarmed=any(row.alarms for row in rows),
        signs=sorted(signs, key=lambda mark: mark.sign),
        votes=_votes(sheet),
        rule=rule,
        correction=_correction(ranked, view),
        remarks=[
            *judged_notes(one.name for one in sheet.grid.collections),
            *rule.sets(sheet.grid),
            *bm25_notes(of_stored(one.stored for one in sheet.grid.cells.values())),
            *made.left_out.lines,
        ],
        figures=figures,
    )


def _rows(made: Board, ranked: RankedTable, columns: Sequence[BoardColumn], *, deltas: bool) -> list[BoardRow]:
    grid = ranked.sheet.grid
    values = {row.system: [column.value(grid, row.system) for column in columns] for row in ranked.rows}
    wrong = {row.system: [column.wrong(grid, row.system) for column in columns] for row in ranked.rows}
    best = [_best(values, wrong, place) for place in range(len(columns))]
    found: list[BoardRow] = []
    for row in ranked.rows:
        declared, own = made.declared_of(row.system), values[row.system]
        moved = [ranked.languages.get((row.system, one.title)) if deltas else None for one in columns]
        cells = tuple(
            BoardCell(
                figures.points(value),
                best=value is not None and value == best[i] and not wrong[row.system][i],
                marks=_cell_marks(declared, column, [grid.cells.get((row.system, one)) for one in column.collections]),
                delta=_delta(moved[i]),
                note=wrong[row.system][i],
                wrong=wrong[row.system][i] is not None,
            )
            for i, (column, value) in enumerate(zip(columns, own, strict=True))
        )
        before = found[-1].standing.group if found else None
        found.append(
            BoardRow(
                row,
                declared,
                links.system_file(row.system),
                declared.name or row.system.label.removesuffix(FIRST_STAGE),
                cells,
                alarms=sum(len(alarms_of(cell)) for cell in grid.row(row.system) if cell is not None),
                trained=any(declared.trained_on(one) for one in grid.collections),
                starts_group=bool(before and row.group and before != row.group),
            )
        )
    return found


def _best(
    values: Mapping[SystemKey, Sequence[float | None]], wrong: Mapping[SystemKey, Sequence[str | None]], place: int
) -> float | None:
    """The highest value of a column, without values that are known to be wrong."""
    sound = [own[place] for system, own in values.items() if not wrong[system][place]]
    return max((value for value in sound if value is not None), default=None)


def _delta(figure: Figure | None) -> str | None:
    if figure is None or figure.delta is None:
        return None
    return figures.signed(figure.delta) + ("*" if figure.significant else "")


def _correction(ranked: RankedTable, view: str) -> str:
    """What the differences of the page are corrected over."""
    languages = {LANGUAGES: list(ranked.languages.values())} if view == "Languages" else {}
    return rule.correction({ranked.family: [row.figure for row in ranked.rows], **languages})


def _cell_marks(declared: DeclaredSystem, column: BoardColumn, cells: Sequence[Result | None]) -> tuple[str, ...]:
    trained = bool(declared.training) and any(declared.trained_on(one) for one in column.collections)
    imported = any(cell is not None and cell.imported for cell in cells)
    wrong = any(cell is not None and cell.wrong for cell in cells)
    return tuple(m.sign for m, holds in ((TRAINED, trained), (IMPORTED, imported), (WRONG, wrong)) if holds)


def _head(column: BoardColumn) -> Head:
    own = column.collections
    marks = dict.fromkeys(mark for one in own for mark in collection_marks(one))
    codes = tuple(dict.fromkeys(one.language for one in own if one.language))
    single = own[0] if len(own) == 1 else None
    full = ", ".join(one.name for one in own[:4]) + (f" and {len(own) - 4} more" if len(own) > 4 else "")
    href = links.collection_file(single) if single else None
    return Head(column.title, f"{full}, {column.queries:,} queries", href, codes, column.queries, tuple(marks))


def _references(sheet: BoardSheet, columns: Sequence[BoardColumn]) -> list[ReferenceRow]:
    """The rows of chance and ceiling for every first stage and depth."""
    grid, found = sheet.grid, []
    kinds: tuple[tuple[str, str, Callable[[Result], float | None]], ...] = (
        ("ceiling", "a perfect order of the same candidates", lambda one: one.ceiling),
        ("chance", "the expected value of a random order of the same candidates", lambda one: one.chance),
    )
    for base in dict.fromkeys(system.base for system in grid.systems):
        over = [system for system in grid.systems if system.base == base]
        known = {
            one: next((cell for system in over if (cell := grid.cells.get((system, one)))), None)
            for one in grid.collections
        }
        for name, about, read in kinds:
            values = {one: None if cell is None else read(cell) for one, cell in known.items()}
            macro = _mean(values, grid.collections, grid.weights().tolist())
            cells = tuple(BoardCell(figures.points(_mean(values, c.collections, c.weights))) for c in columns)
            if any(value is not None for value in values.values()):
                found.append(ReferenceRow(name, about, stage_of(base), BoardCell(figures.points(macro)), cells))
    return found


def _mean(
    values: dict[CollectionKey, float | None], own: Sequence[CollectionKey], weights: Sequence[float]
) -> float | None:
    found = [value for one in own if (value := values[one]) is not None]
    return sum(w * v for w, v in zip(weights, found, strict=True)) if len(found) == len(own) else None


def _published(sheet: BoardSheet, columns: Sequence[BoardColumn]) -> list[ReferenceRow]:
    found = []
    for row in published_rows(sheet.grid):
        cells = tuple(_number(row.cells.get(column.collections[0])) for column in columns)
        about = f"{row.evaluator or 'evaluator not stated'}; first stage: {row.first_stage}"
        found.append(ReferenceRow(row.model, about, row.first_stage, _number(row.whole), cells))
    return found


def _number(one: Published | None) -> BoardCell:
    if one is None:
        return BoardCell(figures.DASH)
    source = f"{one.source} at {one.commit[:8]}" + (f"; {one.note}" if one.note else "")
    return BoardCell(figures.points(one.value), note=source, wrong=is_wrong(one))


def _votes(sheet: BoardSheet) -> str:
    groups = dict.fromkeys(one.group for one in sheet.grid.collections if one.group)
    count = len(sheet.grid.collections)
    if not groups:
        return f"{count} collections, each with the same weight" if count > 1 else "one collection"
    voters = len({one.group or (one.name, one.fingerprint) for one in sheet.grid.collections})
    return f"{count} collections with {voters} votes; averaged first and then counted as one: {', '.join(groups)}"

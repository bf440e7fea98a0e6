"""The report of a workspace: what was run, tables, significant differences, plots, alarms, and how to reproduce it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.numbers import probability, signed, signed_interval
from harness.result.gathered import Grid, grids
from harness.result.keys import CollectionKey
from harness.result.left_out import NOTHING, LeftOut
from harness.result.result import Result
from harness.workspace import write_atomically
from reports import marks
from reports.columns import COLUMNS, in_order
from reports.document import Bullets, Code, Heading, Image, Origins, Part, Text, as_html, as_markdown
from reports.grid import GridFigure, official_grids, plain_name
from reports.html import html_table, page
from reports.latex import latex
from reports.table import Table, comma_separated, markdown
from reports.tables.report import (
    PublishedRow,
    Sheet,
    differences_table,
    line,
    names,
    overview_table,
    sheets_of,
    significant,
    values_table,
)
from reports.tables.robustness import robustness_tables
from reports.view import PLAIN, View
from reports.what_was_run import what_was_run


@dataclass(frozen=True)
class Report:
    """All values that a report shows."""

    results: tuple[Result, ...]
    sheets: tuple[Sheet, ...]
    languages: tuple[Sheet, ...]
    view: View = PLAIN
    left_out: LeftOut = NOTHING

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The tables of figures by the name of their files."""
        named: dict[str, Table] = {}
        for number, sheet in enumerate(self.sheets, 1):
            name = f"{number:02d}-{_slug(sheet.grid.measure)}"
            named |= {f"{name}-systems": overview_table(sheet)}
            if len(sheet.columns) > 1:
                named |= {f"{name}-collections": values_table(sheet)}
                if any(system.reranker for system in sheet.grid.systems):
                    named |= {f"{name}-differences": differences_table(sheet)}
        shown = {what for sheet in self.sheets for what in _averaged(sheet)}
        for number, sheet in enumerate(self.languages, 1):
            if shown.issuperset(_averaged(sheet)):
                continue  # each language is one collection, so the figures are shown already
            name = f"languages-{number:02d}-{_slug(sheet.grid.measure)}"
            named |= {
                name: values_table(sheet, "language"),
                f"{name}-differences": differences_table(sheet, "language"),
            }
        return named | robustness_tables(self.results, self.view)


def report(
    results: Sequence[Result],
    published: Callable[[Grid], Sequence[PublishedRow]] = lambda _: (),
    *,
    intervals: bool = False,
    view: View = PLAIN,
    left_out: LeftOut = NOTHING,
) -> Report:
    """Compute the figures of all tables.

    Args:
        results: the selected results.
        published: returns the published numbers for the models of a grid. Default: none.
        intervals: whether single collections and languages have intervals. Default: only averages.
        view: columns, order and names of the tables.
        left_out: the stored results that were not selected.
    """
    by_measure = {grid.measure: grid for grid in grids(results)}
    mains = {one.main_measure for grid in by_measure.values() for one in grid.collections}
    order = in_order(sorted(by_measure, key=lambda name: name not in mains), view.measures)
    own = [sheets_of(by_measure[name], published(by_measure[name]), intervals=intervals, view=view) for name in order]
    known = {key: one for sheet, _ in own for key, one in sheet.singles.items()}
    official = official_grids(results)
    made = [*(sheets_of(grid, published(grid), intervals=intervals, known=known, view=view) for grid in official), *own]
    languages = tuple(sheet for _, sheet in made if sheet is not None)
    return Report(tuple(results), tuple(sheet for sheet, _ in made), languages, view, left_out)


def write(
    made: Report, out: Path, command: str, plots: Sequence[Image] = (), card: str = "", *, more: Sequence[Part] = ()
) -> list[Path]:
    """Write report.md, report.html, tables/*.{md,csv,tex,html} and model-card.md. Stale tables of an earlier report are
    removed.

    Args:
        made: the report.
        out: the folder.
        command: the command line, shown in the report.
        plots: drawings to include. Default: none.
        card: text of model-card.md. Default: no such file.
        more: additional chapters before the alarms. Default: none.

    Returns:
        The paths of the report's files and of the folder of tables.

    Raises:
        OSError: the folder cannot be written.
    """
    tables = made.tables
    folder = out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.iterdir():
        if stale.suffix in _RENDERINGS and re.match(r"(languages-)?\d\d-|robustness[.-]", stale.name):
            stale.unlink()
    for name, table in tables.items():
        for suffix, rendering in _RENDERINGS.items():
            _write(folder / f"{name}{suffix}", rendering(table, name))
    parts = list(story(made, command, plots, more))
    _write(out / "report.md", as_markdown(parts, out))
    _write(out / "report.html", as_html(parts, "Reranking report"))
    paths = [out / "report.md", out / "report.html", folder]
    if card:
        _write(out / "model-card.md", card)
    return [*paths, out / "model-card.md"] if card else paths


def rendered(table: Table, form: str) -> str:
    """A table as `markdown`, `latex`, `csv` or `html`."""
    by_name = dict(zip(("markdown", "csv", "latex", "html"), _RENDERINGS.values(), strict=True))
    return by_name[form](table, _slug(table.title))


def _page(table: Table, _: str) -> str:
    return page(table.title, f"<main>\n{html_table(table, '../report.html')}</main>\n")


_RENDERINGS: Mapping[str, Callable[[Table, str], str]] = {
    ".md": lambda table, _: markdown(table),
    ".csv": lambda table, _: comma_separated(table),
    ".tex": lambda table, name: latex(table, f"tab:{name}"),
    ".html": _page,
}


def story(made: Report, command: str, plots: Sequence[Image] = (), more: Sequence[Part] = ()) -> Iterator[Part]:
    """The parts of the report, in order."""
    results, tables = made.results, made.tables
    yield Heading("Reranking report", 1)
    yield Text(f"Made by {command}. {_scope(results)}")
    yield from [Bullets(made.left_out.lines)] if made.left_out.lines else []
    yield from what_was_run(results, made.view)
    yield Heading("Results")
    yield from (table for name, table in tables.items() if not name.startswith("languages-"))
    yield Heading("What is significant")
    for sheet in made.sheets:
        yield Heading(sheet.grid.measure, 3)
        yield Bullets(tuple(_findings(sheet)) or ("Nothing was reranked.",))
    yield from _pictures("By language", [t for n, t in tables.items() if n.startswith("languages-")], plots, made)
    yield from more
    yield Heading("Alarms")
    yield Bullets(tuple(alarms(results, made.view)) or ("None.",))
    yield Heading("How to get these numbers again")
    yield Text("Every figure has an id. `harness show ID` prints its details, `harness reproduce ID` runs it again.")
    stored = {one.id: one for one in reversed(results)}
    yield Code("\n".join(f"harness reproduce {id}" for id in list(reversed(stored))[:3]))
    yield Origins(tuple((id, _origin(one, made.view)) for id, one in reversed(stored.items())))


def alarms(results: Sequence[Result], view: View = PLAIN) -> list[str]:
    """The alarms with their collection and system, each once."""
    return list(
        dict.fromkeys(
            f"{one.collection.name}: {view.system(one.system.label)}: {alarm}"
            for one in results
            for alarm in marks.alarms_of(one)
        )
    )


def _averaged(sheet: Sheet) -> Iterator[tuple[str, frozenset[tuple[CollectionKey, float]]]]:
    """The measure and the weighted collections of each column."""
    for one in sheet.columns:
        weights = (round(weight, 9) for weight in one.weights)
        yield sheet.grid.measure, frozenset(zip(one.collections, weights, strict=True))


def _pictures(heading: str, tables: Sequence[Table], plots: Sequence[Image], made: Report) -> Iterator[Part]:
    if tables:
        yield Heading(heading)
        yield from tables
    if plots:
        yield Heading("Pictures")
        left = dict.fromkeys(f"left out: {_origin(one, made.view)}: {one.wrong}" for one in made.results if one.wrong)
        yield from [Bullets(tuple(left))] if left else []
        for plot in plots:
            yield Heading(plot.title, 3)
            yield plot


def _scope(results: Sequence[Result]) -> str:
    collections = {one.collection for one in results}
    languages = {one.language for one in collections if one.language}
    systems = {one.system for one in results if one.system.reranker}
    firsts = {one.system.base for one in results}
    queries = sum(one.queries for one in collections)
    newest = max(one.stored.updated for one in results)
    counted = [
        (len(systems), "reranker"), (len(firsts), "first stage"), (len(collections), "collection"),
        (len(languages), "language"), (queries, "query"),
    ]  # fmt: skip
    listed = ", ".join(f"{count:,} {_plural(word, count)}" for count, word in counted if count)
    return f"It holds {listed}; the newest result is of {newest}."


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    return "queries" if word == "query" else f"{word}s"


def _findings(sheet: Sheet) -> Iterator[str]:
    for system in sheet.grid.systems:
        if not system.reranker:
            continue
        figure = sheet.figure(system, 0)
        name = ", over ".join(names(sheet, system))
        row = line(sheet, system)
        better, worse = (COLUMNS[key].read(row) for key in ("better", "worse"))
        tested = sum(one.difference is not None for one in row.each)
        collections = f"; better in {better} and worse in {worse} of {tested} collections" if tested > 1 else ""
        if figure.delta is None:
            why = (
                "a collection is missing"
                if figure.value is None
                else "the first stage has no result on the same candidates"
            )
            yield f"{name}: no difference, because {why}{collections}"
            continue
        interval = f" {signed_interval(figure.delta_interval)}" if figure.delta_interval else ""
        yield f"{name}: {signed(figure.delta)} points{interval}, {_verdict(figure, significant(figure))}{collections}"


def _verdict(figure: GridFigure, signs: Sequence[str]) -> str:
    if figure.difference is None:
        return "not tested"
    word = {marks.BETTER: "better", marks.WORSE: "worse"}[signs[0]] if signs else "not significant"
    over = f"{figure.difference.family} {_plural('system', figure.difference.family)}"
    return f"{word} (p = {probability(figure.difference.adjusted_p)}, corrected over {over})"


def _origin(one: Result, view: View) -> str:
    name = view.system(one.system.label)
    over = f" over {view.first_stage(one.system.first_stage)}" if one.system.reranker else ""
    return f"{plain_name(one.collection)}, {one.collection.split}: {name}{over}, depth {one.system.depth}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80]


def _write(file: Path, text: str) -> None:
    with write_atomically(file) as temporary:
        temporary.write_text(text, "utf-8")

"""The command `harness report`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from adapters.errors import MissingExtra
from harness.cli import options
from harness.cli.app import SHOW
from harness.cli.printing import existing_workspace, make_folder, print_json, print_left_out, print_table
from harness.cli.verb import verb

if TYPE_CHECKING:
    from harness.result.gathered import Grid
    from harness.result.result import Result
    from reports.document import Image, Part
    from reports.story import Report
    from reports.tables.report import PublishedRow


@verb(
    SHOW,
    epilog="""Examples:

    harness report --out report

    harness report ./checkpoint-1000 'BAAI/*' --collection miracl --out report --intervals

    harness report --collection beir --measure nDCG@10 --format latex > table.tex""",
)
def report(  # noqa: PLR0917
    systems: options.SystemNames = None,
    out: options.ReportOut = None,
    collections: options.BoardCollections = None,
    languages: options.Languages = None,
    measures: options.OnlyMeasures = None,
    columns: options.TableColumns = None,
    names: options.NamesFile = None,
    intervals: options.CellIntervals = False,
    form: options.TableFormat = "terminal",
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a report of stored results with tables, plots, significance tests, alarms and the commands.

    Nothing is measured. Results that the workspace does not have are shown as a dash.
    """
    from harness.result.gathered import view
    from harness.result.secrets import public_command
    from reports import story
    from reports.view import view_of

    path = existing_workspace(workspace)
    columns_shown = view_of(columns, measures or (), names, path)
    shown = view(path, systems or (), collections or (), languages or (), measures or ())
    print_left_out(shown.left_out)
    results = shown.results
    made = story.report(results, _published, intervals=intervals, view=columns_shown, left_out=shown.left_out)
    written = []
    if out is not None:
        make_folder(out)
        command = public_command(["harness", *sys.argv[1:]])
        more = _adaptations(path, out)
        plots = _plots(made, out, path)
        written = story.write(made, out, command, plots, _cards(results, bool(systems)), more=more)
    if as_json:
        print_json(_as_dict(made))
    else:
        _show(made, form)
    for file in written:
        typer.echo(f"written: {file}", err=as_json or form != "terminal")


def _show(made: Report, form: str) -> None:
    from reports.story import rendered

    if form != "terminal":
        typer.echo("\n".join(rendered(table, form) for table in _main_tables(made)).rstrip())
        return
    for table in _main_tables(made):
        print_table(table)


def _main_tables(made: Report) -> list[Any]:
    ends = ("-systems", "-collections")
    found = [table for name, table in made.tables.items() if name.endswith(ends) or name.startswith("languages-")]
    return [table for table in found if not table.title.startswith("differences")]


def _published(grid: Grid) -> Sequence[PublishedRow]:
    """Return published numbers of the models in this grid. `reports` cannot import them from `leaderboards`."""
    from leaderboards.beside import is_wrong, published_rows
    from reports.model_name import model_name
    from reports.tables.report import PublishedRow

    named = [model_name(system.reranker or system.first_stage) for system in grid.systems]
    models = {name.name for name in named if name is not None}
    found = []
    for row in published_rows(grid):
        if row.model in models and row.cells:
            wrong = "; ".join(dict.fromkeys(one.note for one in row.cells.values() if is_wrong(one)))
            note = f"published; evaluator: {row.evaluator or 'not stated'}; first stage: {row.first_stage}"
            values = {key: one.value for key, one in row.cells.items()}
            found.append(PublishedRow(row.model, values, f"{note}; {wrong}" if wrong else note, _source(row)))
    return found


def _source(row: Any) -> str:
    sources = {one.source for one in row.cells.values()}
    source = sources.pop() if len(sources) == 1 else ""
    return source if source.startswith("https://") and " " not in source else ""


def _plots(made: Report, out: Path, workspace: Path) -> list[Image]:
    from reports.document import Image

    try:
        from reports.plots import write_plots

        results = [_displayed(one, made) for one in made.results]
        sheets = () if made.view.names else (*made.sheets, *made.languages)
        plots = write_plots(results, out / "plots", workspace, sheets)
    except MissingExtra as error:
        typer.echo(f"no plots: {error}", err=True)
        return []
    return [Image(plot.title, plot.png, plot.svg, plot.caption) for plot in plots]


def _displayed(one: Result, made: Report) -> Result:
    """Return a result with the display name of its reranker, for plots."""
    label = made.view.system(one.system.label)
    return replace(one, system=replace(one.system, label=label)) if one.system.reranker else one


def _adaptations(workspace: Path, out: Path) -> list[Part]:
    """Write the pages of the adaptations in the workspace, and return their chapter."""
    from reports.training.chapter import chapter, records, write_pages

    return list(chapter(write_pages(records(workspace), out, workspace)))


def _cards(results: Sequence[Result], named: bool) -> str:
    from reports.model_card import MOST_CARDS, cards

    rerankers = list(dict.fromkeys(one.system for one in results if one.system.reranker))
    return cards(results, rerankers) if named or len(rerankers) <= MOST_CARDS else ""


def _as_dict(made: Report) -> dict[str, object]:
    """Return every figure of every table. Values are fractions."""
    return {
        "format": 1,
        "left_out": made.left_out.as_dict(),
        "tables": [
            {
                "measure": sheet.grid.measure,
                "by": by,
                "rows": [
                    _figure(sheet, system, place)
                    for system in sheet.grid.systems
                    for place in range(len(sheet.columns))
                ],
            }
            for by, sheets in (("collection", made.sheets), ("language", made.languages))
            for sheet in sheets
        ],
    }


def _figure(sheet: Any, system: Any, place: int) -> dict[str, object]:
    from reports.columns import values
    from reports.tables.report import line

    figure, column = sheet.figure(system, place), sheet.columns[place]
    name = {"display_name": sheet.view.system(system.label)} if sheet.view.names else {}
    return {
        "system": system.label, **name, "first_stage": system.first_stage, "depth": system.depth,
        "column": column.title, "suite": column.heading or None, "average": column.average,
        **values(line(sheet, system, place)),
        "known_wrong": next((one.wrong for one in figure.results if one.wrong), None),
        "ids": [one.id for one in figure.results],
    }  # fmt: skip

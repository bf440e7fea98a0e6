"""One store, printed in every way that there is: the same values, intervals, differences, p-values and marks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

import harness
from harness.result.figure import Figure
from harness.result.gathered import gathered
from leaderboards.board import board
from leaderboards.pages.collection import page
from leaderboards.pages.table import page as page_of_table
from reports.story import rendered, report
from reports.tables.compare import COMPARED
from reports.tables.run import sheet_of
from reports.tidy import tidy, write_parquet
from reports.view import View
from tests.fixtures import Command
from tests.one_rule.figures import (
    KEYS,
    MACRO,
    MEASURES,
    SYSTEMS,
    Figures,
    Kept,
    assert_same,
    bracketed,
    compared,
    marked,
    of_comparison,
    of_report,
    printed_by_compare,
    signed,
    significant,
    unsigned,
)
from tests.one_rule.rendered import of_csv, of_html, of_latex, rows_of_html
from tests.one_rule.store import BASE, FORUMS, IMPORTED
from tests.tiny_collection import results_in


def test_the_store_has_marks_and_differences_without_one(run: Figures) -> None:
    """Else the tests below would promise little."""
    for measure in MEASURES:
        for macro in (True, False):
            own = [one for key, one in run.items() if key[0] == measure and (key[2] == MACRO) == macro]
            assert {significant(one) for one in own if one["delta"] is not None} == {True, False}


def test_a_report_has_the_figures_of_the_run(run: Figures, many: Kept, command: Command) -> None:
    found, _ = of_report(command, many.workspace)
    assert run.keys() <= found.keys()
    for key, one in run.items():
        assert_same(found[key], one, key)
    imported = [one for (_, system, _), one in found.items() if system == IMPORTED]
    assert any(one["value"] == 0.99 for one in imported), "it stands in the column of the measured collection"
    assert all(one["delta"] is None and one["interval"] is None for one in imported)


def test_a_comparison_with_all_systems_has_the_figures_of_the_run(run: Figures, many: Kept, command: Command) -> None:
    said = compared(command, many, *many.rerankers)
    own = of_comparison(said, "macro") | of_comparison(said, "collections")
    assert own.keys() == {key for key in run if key[1] != BASE}
    for key, one in own.items():
        assert_same(one, run[key], key)
    sheet = sheet_of(results_in(many.evaluations), "nDCG@10")
    (place,) = (at for at, one in enumerate(sheet.columns) if one.title.startswith(f"{FORUMS}, mean of"))
    groups = {one.label: sheet.figure(one, place).as_dict() for one in sheet.grid.systems}
    for (_, system, group), one in of_comparison(said, "groups").items():
        assert group == FORUMS
        assert_same(one, groups[system], (system, group))


def test_languages_have_one_set_of_figures(many: Kept, command: Command) -> None:
    said = of_comparison(compared(command, many, *many.rerankers), "languages")
    _, by_language = of_report(command, many.workspace)
    tables = [one for one in board(many.workspace).tables if one.languages]
    assert {language for *_, language in said} == {"de", "en"}
    for key, one in said.items():
        assert_same(one, by_language[key], key)
        assert one["family"] == 2
    for table in tables:
        for (system, language), figure in table.languages.items():
            key = (table.sheet.grid.measure, system.label, language)
            assert_same(figure.as_dict(), by_language[key], key, "interval")


def test_the_tables_of_a_comparison_print_its_figures(run: Figures, many: Kept) -> None:
    found = harness.compare(BASE, *many.rerankers, workspace=many.workspace)
    systems, *by_collection = found.tables(View(tuple(COMPARED.values())))
    for table in (systems, *(one for one in by_collection if " by collection" in one.title)):
        places = [table.columns.index(name) for name in ("difference", "95 % interval", "p", "adjusted p")]
        for row in table.rows:
            system = row[0].text if table is systems else table.title.split(": ")[1].split(" against ")[0]
            key = ("nDCG@10", system, MACRO if table is systems else row[1].text)
            if key in run and system != BASE:
                assert [row[place].shown for place in places] == list(printed_by_compare(run[key])), key
    assert f"step-down MaxT over {SYSTEMS} candidates" in " ".join(systems.notes)
    assert "step-down MaxT over 6 collections" in " ".join(by_collection[0].notes)


def test_a_board_has_the_figures_of_the_run_and_of_the_report(run: Figures, many: Kept, command: Command) -> None:
    made, (shown, _) = board(many.workspace), of_report(command, many.workspace)
    for table in made.tables:
        measure, on = table.sheet.grid.measure, table.sheet.suite
        alone = table.sheet.grid.collections[0].name if len(table.sheet.grid.collections) == 1 else on
        for row in table.rows:
            if row.value is not None:
                key = (measure, row.system.label, alone)
                assert_same(row.figure.as_dict(), shown[key], key)
    for collection, tables in made.collections.items():
        for one in tables:
            for row in one.rows:
                if row.system.label == IMPORTED:
                    assert row.figure == Figure(), "it has no rank, no interval and no test"
                else:
                    key = (one.grid.measure, row.system.label, collection.name)
                    assert_same(row.figure.as_dict(), run[key], key)


def test_the_page_of_a_board_counts_the_questions_of_a_parallel_set(many: Kept) -> None:
    made = board(many.workspace)
    (index,) = (at for at, one in enumerate(made.tables) if one.sheet.suite == "towns")
    assert "towns: 12 questions in 2 languages" in page_of_table(made, index)


def test_the_page_of_a_collection_shows_an_imported_mean_as_a_report_does(many: Kept) -> None:
    made = board(many.workspace)
    (scifact,) = (one for one in made.collections if one.name == "beir/scifact")
    (row,) = (row for row in rows_of_html(page(made, scifact)) if any(IMPORTED in field for field in row))
    assert "99.00" in row


def test_a_frame_and_a_parquet_file_have_the_figures_of_the_run(run: Figures, many: Kept, tmp_path: Path) -> None:
    frame = harness.results(workspace=many.workspace, intervals=True)
    write_parquet(tidy(gathered(many.workspace), intervals=True), tmp_path / "results.parquet")
    for rows in (frame.to_dict("records"), parquet.read_table(tmp_path / "results.parquet").to_pylist()):
        found = {(one["measure"], one["system"], one["collection"]): _of_row(one) for one in rows}
        assert {key for key in run if key[2] != MACRO} <= found.keys()
        for key, one in run.items():
            if key[2] != MACRO:
                # A frame has a difference where there is no test too, such as that of a first stage to itself.
                assert_same(found[key], one, key, *(["delta"] if one["family"] is None else []))


def _of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: None if isinstance(one, float) and math.isnan(one) else one for key, one in row.items()}
    pairs = {"interval": ("low", "high"), "delta_interval": ("delta_low", "delta_high")}
    found = {key: None if known[low] is None else [known[low], known[high]] for key, (low, high) in pairs.items()}
    return {**{key: known[key] for key in KEYS if key in known}, **found}


@pytest.mark.parametrize(("form", "read"), [("csv", of_csv), ("latex", of_latex), ("html", of_html)])
def test_every_form_of_a_table_prints_the_figures_of_the_run(
    form: str, read: Callable[[str], dict[str, list[str]]], run: Figures, many: Kept
) -> None:
    made = report(gathered(many.workspace), intervals=True)
    tables = made.tables
    for number, sheet in enumerate(made.sheets, 1):
        measure = sheet.grid.measure
        slug = f"{number:02d}-{measure.lower().replace('@', '-')}"
        overview, differences = tables[f"{slug}-systems"], tables[f"{slug}-differences"]
        rows = read(rendered(overview, form))
        places = [
            overview.columns.index(name) for name in (measure, "95 % interval", "vs first stage", "interval of it")
        ]
        for system in many.rerankers:
            one = run[measure, system, MACRO]
            (low, high), shown = one["interval"], signed if measure == "p-MRR" else unsigned
            expected = [
                shown(one["value"]), f"[{shown(low)}, {shown(high)}]", marked(one),
                bracketed(one["delta_interval"]),
            ]  # fmt: skip
            assert [rows[system][place] for place in places] == expected, system
        rows = read(rendered(differences, form))
        for place, column in enumerate(sheet.columns, 1):
            on = column.collections[0].name if len(column.collections) == 1 else MACRO
            if on == MACRO and len(column.collections) < len(sheet.grid.collections):
                continue
            for system in many.rerankers:
                assert rows[system][place] == marked(run[measure, system, on]), (system, on)

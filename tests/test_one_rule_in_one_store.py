"""One store, printed in every way that there is: the same values, intervals, differences, p-values and marks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

import harness
from harness.judging.compare.paired import joined, weights
from harness.judging.compare.side import stored_side
from harness.judging.gate.policy import Policy
from harness.judging.gate.rule import judge
from harness.judging.gate.verdict import Verdict
from harness.result.evaluation import Evaluation
from harness.result.export import as_dict
from harness.result.figure import Figure
from harness.result.gathered import gathered, grids
from harness.result.store import Results
from harness.result.summary import summarise
from harness.workspace import Workspace
from leaderboards.board import board
from reports.compared import compared_tables
from reports.comparison import comparison_tables
from reports.grid_tables import Sheet, sheets_of
from reports.story import rendered, report
from reports.tables import Table
from reports.tidy import tidy, write_parquet
from reports.wide import cut
from tests.fixtures import Command, _patience, command, place  # noqa: F401
from tests.one_store import BASE, FORUMS, IMPORTED, PAIRED_ON, evaluated, keep, of_csv, of_html, of_latex
from tests.tiny_collection import Place

SYSTEMS, FEW = 60, 7
MEASURES = ("nDCG@10", "p-MRR")
MACRO = ""
KEYS = ("value", "interval", "delta", "delta_interval", "p", "adjusted_p", "family")
Key = tuple[str, str, str]
"""Measure, system, and what it is on: a collection, a suite, a group, or `MACRO`."""
Figures = dict[Key, dict[str, Any]]


@dataclass(frozen=True)
class Kept:
    """A store, and the run that filled it."""

    workspace: Path
    evaluations: list[Evaluation]

    @property
    def rerankers(self) -> list[str]:
        """Without the imported one."""
        return [name for name in dict.fromkeys(one.system.label for one in self.evaluations) if name != BASE]


def _made(folder: Path, systems: int) -> Kept:
    (folder / "mine").mkdir()
    own = Place(folder / "mine", Workspace.open(folder / "workspace"))
    kept = Kept(own.workspace.path, evaluated(own, SYSTEMS)[: 6 * (systems + 1)])
    with Results(own.workspace.results):
        keep(own, kept.evaluations)
    return kept


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """60 systems."""
    return _made(tmp_path_factory.mktemp("many"), SYSTEMS)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The first of them: the store before the others were added."""
    return _made(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def run(many: Kept) -> Figures:
    """What `harness run` prints as JSON."""
    return of_run(many.evaluations)


def of_run(evaluations: list[Evaluation]) -> Figures:
    said: Any = json.loads(json.dumps(as_dict(evaluations), allow_nan=False))
    names = {one["fingerprint"]: one["name"] for one in said["collections"]}
    found: Figures = {}
    for one in said["evaluations"]:
        for measure, figure in {**one["measures"], **one.get("paired", {})}.items():
            found[measure, one["system"], names[one["collection"]]] = figure
    for macro in (said["macro"], said["macro_paired"]):
        found |= {(measure, name, MACRO): one for name, own in macro.items() for measure, one in own.items()}
    return found


def of_report(command: Command, workspace: Path) -> tuple[Figures, Figures]:
    """By collection and by language."""
    said = json.loads(command("report", "--intervals", "--json", "--workspace", workspace).out)
    found: dict[str, Figures] = {"collection": {}, "language": {}}
    for table in said["tables"]:
        for one in table["rows"]:
            within = one["suite"] or ""
            whole = f"{within}/{one['column']}".strip("/")
            on = MACRO if not within and one["average"] else within if one["average"] else whole
            found[table["by"]][table["measure"], one["system"], on] = one
    return found["collection"], found["language"]


def of_comparison(said: Any, kind: str) -> Figures:
    """One kind of rows of the JSON of `harness compare`, named as a run names them."""
    found: Figures = {}
    for measure, systems in said["measures"].items():
        for system, own in systems.items():
            for name, one in ({MACRO: own[kind]} if kind == "macro" else own[kind]).items():
                found[measure, system, name] = {
                    "value": one["candidate"], "delta": one["delta"], "delta_interval": one["interval"],
                    "p": one["p"], "adjusted_p": one["adjusted_p"], "family": one["family"],
                }  # fmt: skip
    return found


def compared(command: Command, kept: Kept, *systems: str) -> Any:
    said = [
        json.loads(command("compare", BASE, *systems, "--measure", one, "--json", "--workspace", kept.workspace).out)
        for one in MEASURES
    ]
    return {"measures": {name: one["measures"][name] for name, one in zip(MEASURES, said, strict=True)}}


def assert_same(ours: Mapping[str, Any], theirs: Mapping[str, Any], where: object, *leave_out: str) -> None:
    for key in KEYS:
        if key in leave_out or key not in ours or key not in theirs:
            continue
        expected = theirs[key]
        assert ours[key] == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12)), (where, key)


def significant(figure: Mapping[str, Any]) -> bool:
    return figure["adjusted_p"] is not None and figure["adjusted_p"] <= 0.05


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
    summary = summarise(many.evaluations, "nDCG@10")
    forums = [one for one in summary.collections if one.group == FORUMS]
    for (_, system, group), one in of_comparison(said, "groups").items():
        assert group == FORUMS
        assert_same(one, summary.of(system, forums).as_dict(), (system, group))


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
    found = harness.compared(BASE, *many.rerankers, workspace=many.workspace)
    systems, *by_collection = compared_tables(found)
    for table in (systems, *(one for one in by_collection if " by collection" in one.title)):
        places = [table.columns.index(name) for name in ("difference", "95 % interval", "p", "adjusted p")]
        for row in table.rows:
            system = row[0].text if table is systems else table.title.split(": ")[1].split(" against ")[0]
            key = ("nDCG@10", system, MACRO if table is systems else row[1].text)
            if key in run and system != BASE:
                assert [row[place].shown for place in places] == list(printed_by_compare(run[key])), key
    assert f"step-down MaxT over {SYSTEMS} candidates" in " ".join(systems.notes)
    assert "step-down MaxT over 6 collections" in " ".join(by_collection[0].notes)


def printed_by_compare(one: Mapping[str, Any]) -> Iterator[str]:
    yield signed(one["delta"]) + ("*" if significant(one) else "")
    yield bracketed(one["delta_interval"])
    yield f"{one['p']:.4f}"
    yield f"{one['adjusted_p']:.4f}"


def signed(value: float) -> str:
    return f"{100 * value:+z.2f}"


def bracketed(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"[{signed(interval[0])}, {signed(interval[1])}]"


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
                key = (one.grid.measure, row.system.label, collection.name)
                assert_same(row.figure.as_dict(), run.get(key, shown[key]), key)


def test_a_frame_and_a_parquet_file_have_the_figures_of_the_run(run: Figures, many: Kept, tmp_path: Path) -> None:
    frame = harness.results(workspace=many.workspace, intervals=True)
    write_parquet(tidy(gathered(many.workspace), intervals=True), tmp_path / "results.parquet")
    for rows in (frame.to_dict("records"), parquet.read_table(tmp_path / "results.parquet").to_pylist()):
        found = {(one["measure"], one["system"], one["collection"]): _of_row(one) for one in rows}
        assert {key for key in run if key[2] != MACRO} <= found.keys()
        for key, one in run.items():
            if key[2] != MACRO:
                # The difference of a first stage to itself is no difference; a frame has it as what it is, 0 or nothing.
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
        places = [overview.columns.index(name) for name in (measure, "95 % interval", "vs first stage", "interval of it")]
        for system in many.rerankers:
            one = run[measure, system, MACRO]
            low, high = one["interval"]
            expected = [
                f"{100 * one['value']:.2f}", f"[{100 * low:.2f}, {100 * high:.2f}]", marked(one),
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


def marked(one: Mapping[str, Any]) -> str:
    return signed(one["delta"]) + (("↑" if one["delta"] > 0 else "↓") if significant(one) else "")


def gate(kept: Kept, system: str, measure: str) -> Verdict:
    """What the gate judges of two stored systems, and keeps as the record of a look."""
    with Results(kept.workspace / "results.sqlite") as results:
        stored = [one for one in results.all() if measure in one.means and one.system in (BASE, system)]
        sides = {
            name: {one.collection["name"]: stored_side(results, one, measure) for one in stored if one.system == name}
            for name in (BASE, system)
        }
    pairs = [joined(sides[BASE][name], side) for name, side in sides[system].items()]
    return judge(pairs, weights(pairs), Policy(anchor=BASE))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_selection_of_one_is_corrected_over_one_and_says_so(
    measure: str, run: Figures, many: Kept, command: Command
) -> None:
    """A gate, or a comparison with one candidate, differs from the run in the size of its family alone."""
    for system in many.rerankers[::7]:
        whole = run[measure, system, MACRO]
        record = gate(many, system, measure).as_dict()["macro"]
        own = {**record, "value": record["candidate"], "delta_interval": record["interval"], "interval": None}
        alone = of_comparison(compared(command, many, system), "macro")[measure, system, MACRO]
        for found in (own, alone):
            assert_same(found, whole, system, "adjusted_p", "family", "interval")
            assert found["family"] == 1 and found["adjusted_p"] == found["p"] <= whole["adjusted_p"]
    found = harness.compared(BASE, many.rerankers[0], measures=[measure], workspace=many.workspace)
    assert "adjusted p: nothing to correct for" in " ".join(compared_tables(found)[0].notes)


def test_every_table_names_the_size_of_its_family(many: Kept, few: Kept) -> None:
    for kept, size in ((many, SYSTEMS), (few, FEW)):
        made = report(gathered(kept.workspace), intervals=True)
        tables = [table for name, table in made.tables.items() if "languages" not in name]
        for table in [*comparison_tables(kept.evaluations), *tables]:
            assert f"the average over {size} systems with one first stage" in notes(table), table.title
        local = [table for table in tables if "by collection" in table.title]
        assert [f"a collection over the {n} collections of its system" in notes(t) for n, t in zip((6, 6, 2, 2), local)]


def notes(table: Table) -> str:
    return " ".join(table.notes)


def test_a_system_more_changes_no_mark_of_a_collection(run: Figures, many: Kept, few: Kept, command: Command) -> None:
    ways = (
        (run, of_run(few.evaluations)),
        tuple(of_report(command, one.workspace)[0] for one in (many, few)),
        tuple(of_report(command, one.workspace)[1] for one in (many, few)),
        tuple(of_comparison(compared(command, one, *one.rerankers), "collections") for one in (many, few)),
    )
    for after, before in ways:
        families = {one["family"] for key, one in before.items() if key[2] in ("de", "en", *PAIRED_ON)}
        assert families - {None}, "there are local differences"
        for key, one in before.items():
            if one["family"] not in (FEW, None):
                assert_same(after[key], one, key)
            elif one["family"] == FEW:
                assert_same(after[key], one, key, "adjusted_p", "family")
                assert after[key]["family"] == SYSTEMS


def test_the_order_of_rows_and_columns_changes_no_figure(run: Figures, many: Kept) -> None:
    backwards = of_run(many.evaluations[::-1])
    for key, one in run.items():
        assert_same(backwards[key], one, key)
    (grid, *_) = grids(gathered(many.workspace))
    turned = replace(grid, systems=grid.systems[::-1], collections=grid.collections[::-1])
    ours, theirs = (_by_title(sheets_of(one, intervals=True)[0]) for one in (grid, turned))
    assert ours.keys() == theirs.keys()
    for where, figure in ours.items():
        assert_same(theirs[where].as_dict(), figure.as_dict(), where)


def _by_title(sheet: Sheet) -> dict[tuple[str, str, str], Figure]:
    titles = [(column.heading, column.title) for column in sheet.columns]
    return {(system.label, *titles[place]): one for (system, place), one in sheet.figures.items()}


def test_a_table_that_is_cut_has_the_marks_of_the_whole_one(many: Kept) -> None:
    for table in report(gathered(many.workspace), intervals=True).tables.values():
        parts = cut(table, 60)
        cells = [[cell for part in parts for cell in part.rows[place][part.left :]] for place in range(len(table.rows))]
        assert cells == [list(row[table.left :]) for row in table.rows]


def test_a_mark_has_an_interval_without_zero(run: Figures, many: Kept, command: Command) -> None:
    said = compared(command, many, *many.rerankers)
    kinds = [of_comparison(said, kind) for kind in ("macro", "collections", "groups", "languages")]
    marked = [one for own in (run, *of_report(command, many.workspace), *kinds) for one in own.values() if significant(one)]
    assert len(marked) > SYSTEMS
    for one in marked:
        low, high = one["delta_interval"]
        assert low > 0 or high < 0
        assert one["p"] <= one["adjusted_p"] and (low > 0) == (one["delta"] > 0)

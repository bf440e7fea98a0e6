"""Where a selection differs, its family differs and says so; what is local depends on nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import harness
from harness.judging.compare.paired import joined, weights
from harness.judging.compare.side import stored_side
from harness.judging.gate.policy import Policy
from harness.judging.gate.rule import judge
from harness.judging.gate.verdict import Verdict
from harness.result.figure import Figure
from harness.result.gathered import gathered, grids
from harness.result.store import Results
from reports.story import report
from reports.table import Table
from reports.tables.report import Sheet, sheets_of
from reports.tables.run import comparison_tables
from reports.tidy import tidy
from reports.wide import cut
from tests.fixtures import Command
from tests.one_rule.figures import (
    FEW,
    MACRO,
    MEASURES,
    SYSTEMS,
    Figures,
    Kept,
    Key,
    assert_same,
    compared,
    of_comparison,
    of_report,
    of_run,
    significant,
)
from tests.one_rule.store import BASE, PAIRED_ON, keep
from tests.tiny_collection import Place, results_in


def gate(kept: Kept, system: str, measure: str) -> Verdict:
    """What the gate judges of two stored systems, and keeps as the record of a look."""
    with Results(kept.workspace / "results.sqlite") as results:
        stored = [one for one in results.all() if measure in one.means]
        anchor, candidate = (
            {one.collection.name: stored_side(results, one, measure) for one in stored if one.reranker == name}
            for name in (None, system)
        )
    pairs = [joined(anchor[name], side) for name, side in candidate.items()]
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
    found = harness.compare(BASE, many.rerankers[0], measures=[measure], workspace=many.workspace)
    assert "adjusted p: nothing to correct for" in " ".join(found.tables()[0].notes)


def test_every_table_names_the_size_of_its_family(many: Kept, few: Kept) -> None:
    for kept, size in ((many, SYSTEMS), (few, FEW)):
        made = report(gathered(kept.workspace), intervals=True)
        tables = [table for name, table in made.tables.items() if "languages" not in name]
        for table in [*comparison_tables(results_in(kept.evaluations)), *tables]:
            assert f"an average, or the only collection, over the {size} systems with one first stage" in notes(
                table
            ), table.title
        local = [table for table in tables if "by collection" in table.title]
        for table, collections in zip(local, (6, 6, 2, 2), strict=True):
            assert f"a collection over the {collections} collections of its system" in notes(table), table.title


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


def test_a_system_on_one_more_collection_changes_no_mark_of_a_collection(many: Kept, place: Place) -> None:
    """The others then lack a collection, so they have no average; what they have on the others stays."""
    last = many.evaluations[5].collection.name
    before = [one for one in many.evaluations[: 6 * (FEW + 1)] if one.collection.name != last]
    keep(place, before)
    ours = _of_frame(place)
    keep(place, [many.evaluations[5], *many.evaluations[6 * (FEW + 1) : 6 * (FEW + 2)]])
    theirs = _of_frame(place)
    assert len(theirs) > len(ours)
    tested = {key: one for key, one in ours.items() if key[0] == "nDCG@10" and one["family"] is not None}
    assert {one["family"] for one in tested.values()} == {5}
    assert any(significant(one) for one in tested.values())
    for key, one in tested.items():
        assert theirs[key] == pytest.approx(one, rel=1e-9, abs=1e-12), key


def _of_frame(place: Place) -> dict[Key, dict[str, Any]]:
    rows = tidy(gathered(place.workspace.path), intervals=True).to_pylist()
    wanted = ("value", "low", "high", "delta", "delta_low", "delta_high", "p", "adjusted_p", "family")
    return {(one["measure"], one["system"], one["collection"]): {key: one[key] for key in wanted} for one in rows}


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
    marked = [
        one for own in (run, *of_report(command, many.workspace), *kinds) for one in own.values() if significant(one)
    ]
    assert len(marked) > SYSTEMS
    for one in marked:
        low, high = one["delta_interval"]
        assert low > 0 or high < 0
        assert one["p"] <= one["adjusted_p"] and (low > 0) == (one["delta"] > 0)

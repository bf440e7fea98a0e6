"""The table of robustness: in a run, in a report, on a board, in `show` and in JSON, from the same figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import harness
from harness.result.store import Results
from harness.workspace import Workspace
from reports.tables.robustness import ATTACKS, INVARIANCES, robustness_tables
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

GOOD = "tests.fake_rankers:Good"


@pytest.fixture
def outcome(place: Place) -> harness.Outcome:
    """A run with every perturbation."""
    return harness.run(
        place.beir(), first_stage=FIRST, rerankers=GOOD, depth=3, robustness="all", workspace=place.workspace.path
    )


def test_two_tables_have_a_row_for_every_perturbation_and_every_family(outcome: harness.Outcome) -> None:
    attacks, changes = outcome.tables()[-2:]
    first = ["unrelated", "stuffing-start", "stuffing-end", "stuffing-repeated", "stuffing (any)"]
    assert [row[1].text for row in attacks.rows][:5] == first
    last = ["typos", "lower", "upper", "full-width", "homoglyphs", "evidence-end"]
    assert [row[1].text for row in changes.rows] == last
    for table in (attacks, changes):
        assert {len(row) for row in table.rows} == {len(table.columns)}
    assert "difference" not in attacks.columns and "success" not in changes.columns


def test_what_was_not_measured_has_no_table(outcome: harness.Outcome) -> None:
    attacks = [replace(one, perturbed=tuple(row for row in one.perturbed if row.is_attack)) for one in outcome.results]
    assert list(robustness_tables(outcome.results)) == [ATTACKS, INVARIANCES]
    assert list(robustness_tables(attacks)) == [ATTACKS]


def test_a_run_without_it_has_no_table_and_no_key(place: Place) -> None:
    plain = harness.run(place.beir(), first_stage=FIRST, rerankers=GOOD, depth=3, workspace=place.workspace.path)
    assert not any(one.title.startswith(("attacks", "invariances")) for one in plain.tables())
    assert "robustness" not in plain.as_dict() and "perturbed" not in json.dumps(plain.as_dict())


def test_the_store_gives_the_table_of_the_run(outcome: harness.Outcome, place: Place) -> None:
    with Results(place.workspace.results) as results:
        assert robustness_tables(results.results()) == robustness_tables(outcome.results)


def test_json_has_the_figures_and_the_values_per_query(outcome: harness.Outcome) -> None:
    found = json.loads(json.dumps(outcome.as_dict(), allow_nan=False))
    attacks = found["robustness"][GOOD]["attacks"]
    assert attacks["stuffing-start"]["success"] == 1 and len(attacks["stuffing"]["interval"]) == 2
    rows = found["evaluations"][1]["perturbed"]
    assert {one["perturbation"] for one in rows} >= {"stuffing-start", "typos"}
    assert all(len(one["per_query"]) == attacks["stuffing-start"]["queries"] for one in rows)


def test_show_a_report_and_a_board_have_the_table(outcome: harness.Outcome, place: Place, command: Command) -> None:
    workspace = str(place.workspace.path)
    shown = command("show", outcome.results[-1].id, "--workspace", workspace)
    assert "stuffing (any)" in shown.out
    as_json = command("show", outcome.results[-1].id, "--workspace", workspace, "--json")
    assert "stuffing" in json.loads(as_json.out)["robustness"]["attacks"]
    for verb in ("report", "board"):
        out = place.path / verb
        assert command(verb, "--out", str(out), "--workspace", workspace).code == 0
    assert all((place.path / "report" / "tables" / f"{name}.csv").is_file() for name in (ATTACKS, INVARIANCES))
    assert "stuffing (any)" in (place.path / "report" / "report.md").read_text("utf-8")
    assert any("stuffing (any)" in page.read_text("utf-8") for page in Path(place.path, "board").rglob("*.html"))


def test_forgotten_evaluations_take_their_rows_with_them(outcome: harness.Outcome, place: Place) -> None:
    from harness.result.forgetting.rows import remove_rows

    remove_rows(place.workspace.results, [one.id for one in outcome.results])
    with Results(Workspace(place.workspace.path).results) as results:
        assert results.rows("select * from robustness") == []
        assert results.rows("select * from checksum where kind = 'robustness'") == []


@pytest.mark.parametrize(
    "change",
    [
        "update robustness set per_query = x'00'",
        "update robustness set changed = changed + 1",
        "update robustness set queries = '[]'",
        "delete from robustness where perturbation = 'typos'",
    ],
)
def test_a_changed_row_is_refused_with_the_name_of_the_evaluation(
    outcome: harness.Outcome, place: Place, change: str
) -> None:
    import sqlite3
    from contextlib import closing

    from adapters.errors import DataError

    with closing(sqlite3.connect(place.workspace.results)) as database, database:
        database.execute(change)
    with Results(place.workspace.results) as results, pytest.raises(DataError, match=outcome.results[-1].id):
        results.results()

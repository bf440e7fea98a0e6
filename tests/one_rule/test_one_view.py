"""All verbs show the same of a store in which samples and whole collections are mixed, and say what they leave out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow import parquet

import harness
from harness.api import LeftOutWarning
from harness.result.gathered import gathered, grids
from leaderboards.board import board
from reports.story import report
from tests.fixtures import Command
from tests.stored_board import MadeCollection, MadeSystem, store

WHOLE = [MadeCollection(f"mine/{name}", queries=40) for name in ("one", "two")]
PARTS = [MadeCollection(one.name, queries=15, sampled_from=40) for one in WHOLE]
FIRST, LATE = MadeSystem(None, 0.4), MadeSystem("late", 0.6)
STEPS = [MadeSystem(f"./step-{number}", 0.4 + number / 20) for number in range(1, 4)]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Three checkpoints on samples, one of them and a system of its own on a whole collection too."""
    store(tmp_path, [FIRST, *STEPS], PARTS)
    return store(tmp_path, [FIRST, STEPS[2], LATE], WHOLE[:1])


@pytest.fixture
def covered(tmp_path: Path) -> Path:
    """Everybody has the samples and the whole, and one checkpoint has an older revision."""
    store(tmp_path, [FIRST, *STEPS], [*PARTS, *WHOLE])
    return store(tmp_path, [MadeSystem("./step-1", 0.45, version=2)], WHOLE)


def _rows(file: Path) -> set[tuple[str, str]]:
    return {(row["system"], row["fingerprint"]) for row in csv.DictReader(file.read_text("utf-8").splitlines())}


def _export(command: Command, workspace: Path, *systems: str) -> set[tuple[str, str]]:
    file = workspace / "results.csv"
    assert command("export", *systems, "--csv", file, "--workspace", workspace).code == 0
    return _rows(file)


def _report(command: Command, workspace: Path, *systems: str) -> set[tuple[str, str]]:
    out = workspace / "report"
    assert command("report", *systems, "--out", out, "--json", "--workspace", workspace).code == 0
    found = json.loads(command("report", *systems, "--json", "--workspace", workspace).out)
    ids = {id for table in found["tables"] for row in table["rows"] for id in row["ids"]}
    frame = harness.results(workspace=workspace, systems=systems)
    return {(row.system, row.fingerprint) for row in frame.itertuples() if row.id in ids}


def _frame(_: Command, workspace: Path, *systems: str) -> set[tuple[str, str]]:
    return {(one.system, one.fingerprint) for one in harness.results(workspace=workspace, systems=systems).itertuples()}


def _board(_: Command, workspace: Path, *systems: str) -> set[tuple[str, str]]:
    return {(one.system.label, one.collection.fingerprint) for one in board(workspace, systems).results}


VIEWS = pytest.mark.parametrize("view", [_export, _report, _frame, _board])
View = Callable[..., set[tuple[str, str]]]


@VIEWS
def test_one_run_on_a_whole_collection_hides_nobody(mixed: Path, command: Command, view: View) -> None:
    everything = {
        *((one.name or "bm25 (first stage)", part.fingerprint) for one in (FIRST, *STEPS) for part in PARTS),
        *((one.name or "bm25 (first stage)", WHOLE[0].fingerprint) for one in (FIRST, STEPS[2], LATE)),
    }
    assert view(command, mixed) == everything
    assert view(command, mixed, "./step-1") == {
        (label, part.fingerprint) for label in ("./step-1", "bm25 (first stage)") for part in PARTS
    }


def test_a_board_ranks_everybody_who_has_the_samples(mixed: Path) -> None:
    (sampled,) = [table for table in board(mixed).tables if table.sheet.sampled]
    ranked = {row.system.label for row in sampled.rows if row.rank}
    assert ranked == {"bm25 (first stage)", *(one.name for one in STEPS)}


def test_a_board_ranks_on_each_sample_who_has_it(tmp_path: Path) -> None:
    """Samples of two sizes, as tiers of a gate are: neither takes the rank of the other's systems."""
    smaller = [MadeCollection(one.name, queries=9, sampled_from=40) for one in WHOLE]
    store(tmp_path, [FIRST, *STEPS], PARTS)
    store(tmp_path, [FIRST, LATE], smaller)
    tables = board(tmp_path).tables
    assert [table.sheet.title for table in tables] == ["mine · nDCG@10 · sampled", "mine · nDCG@10 · sampled 2"]
    ranked = [{row.system.label for row in table.rows if row.rank} for table in tables]
    assert ranked == [{"bm25 (first stage)", *(one.name for one in STEPS)}, {"bm25 (first stage)", "late"}]
    assert len({table.sheet.id for table in tables}) == 2


def averages(command: Command, workspace: Path) -> dict[str, float | None]:
    (table,) = json.loads(command("report", "--json", "--workspace", workspace).out)["tables"]
    return {row["system"]: row["value"] for row in table["rows"] if row["average"]}


def test_a_report_averages_the_editions_that_most_systems_have(mixed: Path, tmp_path: Path, command: Command) -> None:
    found = averages(command, mixed)
    assert {name for name, value in found.items() if value is None} == {"late"}
    frame = harness.results(workspace=mixed)
    sampled = frame[(frame.system == "./step-3") & frame.sampled_from.notna()]
    assert found["./step-3"] == pytest.approx(sampled.value.mean())
    other = store(tmp_path / "other", [FIRST, *STEPS], WHOLE)
    store(other, [FIRST, LATE], PARTS[:1])
    assert {name for name, value in averages(command, other).items() if value is None} == {"late"}
    said = command("report", "--workspace", other).out
    assert (
        "averages count a collection once, in the form that most systems have; left out: mine/one (15 queries)" in said
    )


def test_history_and_compare_say_the_same_of_a_mixture(mixed: Path, command: Command) -> None:
    where = ["--json", "--workspace", mixed]
    points = {one["system"]: one["value"] for one in json.loads(command("history", "./step-*", *where).out)}
    compared = json.loads(command("compare", "./step-1", "./step-2", "./step-3", *where).out)["measures"]["nDCG@10"]
    assert points["./step-1"] == pytest.approx(compared["./step-2"]["macro"]["baseline"])
    for name in ("./step-2", "./step-3"):
        assert points[name] == pytest.approx(compared[name]["macro"]["candidate"])


LINES = ("left out: 2 results that a newer one", "left out: 8 results on samples or tiers")


def _all_in(text: str) -> bool:
    return all(line in text for line in LINES)


def test_every_verb_says_how_much_it_leaves_out(covered: Path, command: Command, tmp_path: Path) -> None:
    where = ["--workspace", covered]
    csv_file, parquet_file = tmp_path / "x.csv", tmp_path / "x.parquet"
    assert _all_in(command("export", "--csv", csv_file, "--parquet", parquet_file, *where).err)
    kept = json.loads(parquet.read_schema(parquet_file).metadata[b"left_out"])
    assert (kept["older"], kept["parts"], len(kept["lines"])) == (2, 8, 2)
    said = command("report", "--out", tmp_path / "report", "--json", *where)
    assert _all_in(said.err) and json.loads(said.out)["left_out"] == kept
    assert _all_in((tmp_path / "report" / "report.md").read_text("utf-8"))
    assert _all_in((tmp_path / "report" / "report.html").read_text("utf-8"))
    said = command("board", "--out", tmp_path / "site", *where)
    assert _all_in(said.err) and _all_in((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert json.loads(command("board", "--out", tmp_path / "site", "--json", *where).out)["left_out"] == kept
    with pytest.warns(LeftOutWarning) as warned:
        assert harness.results(workspace=covered).attrs["left_out"] == kept
    assert _all_in("\n".join(str(one.message) for one in warned))


def test_a_history_keeps_revisions_and_says_which_samples_it_leaves_out(covered: Path, command: Command) -> None:
    said = command("history", "./step-*", "--workspace", covered)
    assert "left out: 8 results on samples or tiers" in said.out and said.err == ""
    machine = command("history", "./step-*", "--json", "--workspace", covered)
    assert len(json.loads(machine.out)) == 4, "two revisions of ./step-1"
    assert "left out: 8 results on samples or tiers" in machine.err


@pytest.mark.parametrize("verb", [["report"], ["export", "--csv", "x.csv"], ["board", "--out", "site"]])
def test_nothing_is_said_where_nothing_is_left_out(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch, verb: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    store(tmp_path, [FIRST, *STEPS], PARTS)
    said = command(*verb, "--workspace", tmp_path)
    assert (said.code, said.err) == (0, "")


def test_a_sample_of_another_system_changes_no_mark_of_the_only_collection(tmp_path: Path) -> None:
    """It would otherwise be corrected over nothing, as if there were several collections."""

    def differences() -> dict[str, tuple[float, int]]:
        frame = harness.results(workspace=tmp_path, systems=[str(one.name) for one in STEPS], intervals=True)
        rows = [row for row in frame.itertuples() if row.fingerprint == whole]
        return {row.system: (row.adjusted_p, row.family) for row in rows if row.family == row.family}

    store(tmp_path, [FIRST, *STEPS], WHOLE[:1])
    (grid,) = grids(gathered(tmp_path))
    whole = grid.collections[0].fingerprint
    before = differences()
    assert {family for _, family in before.values()} == {len(STEPS)}
    store(tmp_path, [LATE], PARTS[:1])
    (grid,) = grids(gathered(tmp_path))
    assert len(grid.collections) == 2
    (sheet,) = report(gathered(tmp_path)).sheets
    assert differences() == before
    shown = {system.label: one.difference for (system, _), one in sheet.figures.items() if one.difference is not None}
    assert {label: (one.adjusted_p, one.family) for label, one in shown.items()} == before

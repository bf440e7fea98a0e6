"""People who make their own tables need every number once, with everything that says what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

import harness
from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design
from harness.measuring.statistics.difference import difference
from harness.result.gathered import gathered
from reports.table import markdown
from reports.tidy import PER_QUERY, from_frame, names, tidy
from tests.fixtures import Command
from tests.made_results import collection, result, system
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters:Plain"


@pytest.fixture
def stored(place: Place) -> Place:
    place.evaluations(rerankers=[FAKE], measures=["nDCG@10", "RR@10"])
    return place


def test_a_row_per_system_collection_and_measure(stored: Place) -> None:
    found = gathered(stored.workspace.path)
    table = tidy(found)
    assert tuple(table.column_names) == names()
    assert table.num_rows == len(found) == 4
    for row, one in zip(table.to_pylist(), found, strict=True):
        assert (row["system"], row["measure"], row["value"], row["id"]) == (
            one.system.label, one.measure, one.value, one.id,
        )  # fmt: skip
        assert (row["queries"], row["chance"], row["ceiling"]) == (4, one.chance, one.ceiling)


def test_the_difference_is_to_the_first_stage_on_the_same_candidates() -> None:
    key = collection()
    base, new = result(system(None), key, [0.5]), result(system("new"), key, [0.75])
    other = result(system("other"), key, [0.75], candidates="others")
    rows = tidy([base, new, other]).to_pylist()
    assert [row["delta"] for row in rows] == [None, 0.25, None]


def test_an_interval_is_that_which_a_run_prints(stored: Place) -> None:
    found = gathered(stored.workspace.path)
    for row, one in zip(tidy(found, intervals=True).to_pylist(), found, strict=True):
        assert (row["low"], row["high"]) == pytest.approx(value_interval(Design((one.questions,)), [one.values]))


def test_a_frame_has_the_test_of_every_difference() -> None:
    key = collection("m/a", 8)
    base = result(system(None), key, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    rows = [base, *(result(system(f"s{place}"), key, base.values + 0.01 * (place + 1)) for place in range(2))]
    first, new, _ = tidy(rows, intervals=True).to_pylist()
    alone = difference(Design((base.questions,)), [rows[1].values - base.values])
    assert first["p"] is None and first["family"] is None
    assert (new["p"], new["family"]) == (alone.p, 2)
    assert (new["delta_low"], new["delta_high"]) == pytest.approx(alone.interval)
    assert new["adjusted_p"] >= new["p"]


def test_python_gives_a_frame_every_time_it_is_asked(stored: Place) -> None:
    pytest.importorskip("pandas")
    for _ in range(2):  # a module of the same name must not take the call's place
        frame = harness.results(workspace=stored.workspace.path, systems=[FAKE], measures=["RR@10"])
        assert list(frame.columns) == list(names())
        assert frame["measure"].tolist() == ["RR@10"] * 2
    queries = harness.results(workspace=stored.workspace.path, per_query=True)
    assert len(queries) == 4 * 4
    one = harness.results(workspace=stored.workspace.path, systems=FAKE, measures="RR@10")
    assert one.equals(frame)


def test_a_frame_of_ones_own_becomes_a_table() -> None:
    pandas = pytest.importorskip("pandas")
    table = from_frame(pandas.DataFrame({"system": ["a"], "gain": [1.234], "none": [float("nan")]}), "mine")
    assert "| a | 1.23 | - |" in markdown(table)


def test_parquet_holds_every_query_by_its_own_id(stored: Place, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "queries.parquet"
    said = command("export", "--workspace", stored.workspace.path, "--per-query", "--parquet", file)
    assert said.code == 0, said.err
    table = pyarrow.parquet.read_table(file)
    assert tuple(table.column_names) == PER_QUERY
    rows = [row for row in table.to_pylist() if row["system"] == FAKE and row["measure"] == "RR@10"]
    (one,) = [one for one in gathered(stored.workspace.path, [FAKE]) if one.measure == "RR@10" and one.system.reranker]
    assert [row["query"] for row in rows] == ["q1", "q2", "q3", "q4"]
    assert np.array_equal([row["value"] for row in rows], one.values)


def test_csv_and_parquet_hold_the_same(stored: Place, command: Command, tmp_path: Path) -> None:
    files = ["--parquet", tmp_path / "a.parquet", "--csv", tmp_path / "a.csv"]
    assert command("export", "--workspace", stored.workspace.path, "--intervals", *files).code == 0
    left, right = pyarrow.parquet.read_table(tmp_path / "a.parquet"), pyarrow.csv.read_csv(tmp_path / "a.csv")
    assert left["value"].to_pylist() == right["value"].to_pylist()
    assert left.column_names == right.column_names == list(names(intervals=True))


def test_an_export_without_a_file_says_what_to_name(stored: Place, command: Command) -> None:
    said = command("export", "--workspace", stored.workspace.path)
    assert said.code == 2 and "--parquet FILE" in said.err
    both = command("export", "--workspace", stored.workspace.path, "--per-query", "--intervals", "--csv", "x.csv")
    assert both.code == 2

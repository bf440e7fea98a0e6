"""A column is written in one place; a reader chooses columns by name, and no choice changes a figure."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import harness
from adapters.errors import UsageError
from harness.result.gathered import gathered
from reports.columns import COLUMNS, COUNT, Column, choose, register
from reports.story import rendered, report
from reports.tables.run import comparison_tables, sheet_of, systems_table
from reports.tidy import tidy
from reports.view import View
from tests.fixtures import Command
from tests.tiny_collection import Place, results_in

REVERSE = "control:reverse"


@pytest.fixture
def stored(place: Place) -> Place:
    place.evaluations(rerankers=[REVERSE], measures=["nDCG@10"])
    return place


@pytest.fixture
def column() -> Iterator[Column]:
    """A column that a plug-in adds."""
    yield register(
        Column(
            "pairs", "pairs", COUNT, lambda line: line.results[0].stored.audit.candidates, "pairs: of all queries", True
        )
    )
    del COLUMNS["pairs"]


@pytest.mark.usefixtures("column")
def test_a_column_that_is_registered_once_is_in_every_table_frame_and_document(place: Place, command: Command) -> None:
    evaluations = place.evaluations(rerankers=[REVERSE])
    pairs = [one.audit.candidates for one in evaluations]
    results = gathered(place.workspace.path)
    for table in (
        systems_table(sheet_of(results_in(evaluations), "nDCG@10")),
        report(results).tables["01-ndcg-10-systems"],
    ):
        assert [row[table.columns.index("pairs")].text for row in table.rows] == [f"{one:,}" for one in pairs]
        assert "pairs: of all queries" in table.notes
        assert "pairs" in rendered(table, "latex")
    assert tidy(results)["pairs"].to_pylist() == pairs
    said = json.loads(command("report", "--json", "--workspace", place.workspace.path).out)
    assert [row["pairs"] for row in said["tables"][0]["rows"]] == pairs
    frame = harness.results(workspace=place.workspace.path)
    assert frame["pairs"].tolist() == pairs


@pytest.mark.parametrize("key", ["value", "brand-new"])
def test_two_columns_never_share_a_name(key: str) -> None:
    with pytest.raises(ValueError, match="already"):
        register(Column(key, "ceiling", COUNT, lambda _: None))


def test_columns_are_named_by_key_or_heading_in_the_order_asked() -> None:
    found = choose("adjusted p, VALUE,vs first stage,pairs_per_second,value")
    assert found is not None and [one.key for one in found] == ["adjusted_p", "value", "delta", "pairs_per_second"]
    assert choose("all") == tuple(COLUMNS.values())
    assert choose(None) is None


@pytest.mark.parametrize(
    ("names", "hint"), [("valeu", "Did you mean value?"), ("", "Available: "), ("value,", "no column ''")]
)
def test_a_column_that_is_unknown_is_one_line_with_the_list(names: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        choose(names)
    said = str(refused.value)
    assert hint in said and "adjusted_p" in said and "all" in said and "\n" not in said


@pytest.mark.parametrize("verb", ["run", "report", "compare"])
def test_a_wrong_column_is_refused_before_the_work(verb: str, place: Place, command: Command) -> None:
    arguments = {"run": [place.beir()], "report": [], "compare": ["a", "b"]}[verb]
    said = command(verb, *arguments, "--columns", "headrom", "--workspace", place.workspace.path)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert ("headroom" if verb != "compare" else "adjusted_p") in said.err


def test_chosen_columns_leave_tests_and_corrections_as_they_are(stored: Place, command: Command) -> None:
    def printed(columns: str) -> dict[str, list[str]]:
        said = command("report", "--columns", columns, "--format", "csv", "--workspace", stored.workspace.path)
        head, *rows = (line.split(",") for line in said.out.splitlines())
        return {name: [row[place] for row in rows] for place, name in enumerate(head) if name != "marks"}

    few, many = printed("adjusted_p,delta"), printed("delta,adjusted_p,headroom,alarms")
    assert list(few) == ["system", "adjusted p", "vs first stage"]
    assert {name: many[name] for name in few} == few


def test_every_column_prints_what_is_known_and_a_dash_for_the_rest(stored: Place) -> None:
    evaluations = stored.evaluations(rerankers=[REVERSE])
    (table,) = comparison_tables(results_in(evaluations), View(choose("all")))
    assert table.columns == ("system", *(one.head("nDCG@10") for one in COLUMNS.values()))
    row = dict(zip(table.columns, (cell.text for cell in table.rows[1]), strict=True))
    assert row["truncated"] == "-" and row["queries"] == "4" and row["family"] == "1"
    first = dict(zip(table.columns, (cell.text for cell in table.rows[0]), strict=True))
    assert {first[one.header] for one in COLUMNS.values() if one.difference} == {""}


def test_measures_come_in_the_order_asked_else_the_main_one_first(place: Place) -> None:
    measures = ["RR@10", "P@5", "nDCG@10"]
    evaluations = place.evaluations(measures=measures)

    def order(asked: tuple[str, ...]) -> list[str]:
        run = [
            table.title.partition(",")[0] for table in comparison_tables(results_in(evaluations), View(measures=asked))
        ]
        stored = [
            sheet.grid.measure for sheet in report(gathered(place.workspace.path), view=View(measures=asked)).sheets
        ]
        assert run[: len(asked) or 1] == stored[: len(asked) or 1]
        return run

    assert order(("p@5", "RR@10", "nDCG@10")) == ["P@5", "RR@10", "nDCG@10"]
    assert order(())[0] == "nDCG@10"

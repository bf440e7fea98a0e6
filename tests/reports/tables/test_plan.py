"""The table of costs adds up, says what is not known, and hides nothing large."""

from __future__ import annotations

from harness.data.suites.targets import find
from harness.scoring.costs.plan import plan
from reports.table import Table, markdown
from reports.tables.plan import planning_table

RERANKING = "mteb-multilingual-v2-reranking"


def cells(table: Table, row: int) -> dict[str, str]:
    return {column: cell.text for column, cell in zip(table.columns, table.rows[row], strict=True)}


def test_every_collection_has_a_row_and_the_last_one_is_their_sum() -> None:
    table = planning_table(plan(find(RERANKING), 100))
    assert len(table.rows) == 27
    assert cells(table, 0)["collection"] == f"{RERANKING}/alloprof"
    assert cells(table, -1)["collection"] == "total"
    for column in ("queries", "documents", "pairs"):
        figures = [int(cells(table, row)[column].replace(",", "")) for row in range(27)]
        assert sum(figures[:-1]) == figures[-1]
    assert "26 collections, depth 100, 6.0 million pairs for each reranker" in table.title


def test_weblinx_is_called_out_first() -> None:
    assert planning_table(plan(find(RERANKING), 100)).notes[0].startswith("weblinx (WebLINXCandidatesReranking) alone")
    assert "weblinx" not in " ".join(planning_table(plan(find("miracl"), 100)).notes)


def test_hours_stand_only_where_a_speed_is_known() -> None:
    made = plan(find("miracl/sw"), 100, ["known", "unknown"], {"known": 100.0}, first_stage="e", search_rate=1000.0)
    table = planning_table(made)
    assert table.columns[-2:] == ("hours, e (first stage)", "hours, known")
    assert cells(table, 0)["hours, known"] == f"{made.hours('known'):,.2f}"
    assert cells(table, -1)["hours, e (first stage)"] == f"{made.search_hours():,.2f}"
    assert "the speed of unknown is unknown" in table.notes
    without = planning_table(plan(find("miracl/sw"), 100))
    assert not any("hours" in text for text in (*without.columns, *without.notes))


def test_where_nothing_is_searched_no_hours_and_no_vectors_are_named() -> None:
    table = planning_table(plan(find(RERANKING), 100, first_stage="given", search_rate=10.0))
    assert not any("hours" in column for column in table.columns)
    assert {cells(table, row)["vectors GB"] for row in range(27)} == {"-"}
    assert cells(planning_table(plan(find("miracl/yo"), 100)), 0)["vectors GB"] == "0.20"


def test_a_small_share_is_not_shown_as_nothing() -> None:
    made = plan(find("beir/nfcorpus"), 1, ["m"], {"m": 1e9})
    assert cells(planning_table(made), 0)["hours, m"] == "< 0.01"
    assert cells(planning_table(made), 0)["texts GB"] == "0.01"


def test_the_table_is_rendered_as_every_other() -> None:
    assert "| beir/scifact | en | 300 | 5,183 | 30,000 |" in markdown(planning_table(plan(find("beir/scifact"), 100)))

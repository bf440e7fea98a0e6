"""One selection has one set of figures: a reader would lose trust if a run, a report, a board and a frame disagreed."""

from __future__ import annotations

import pytest

from harness.result.figure import Figure
from harness.result.gathered import gathered
from leaderboards.board import board
from reports.plots.paired import paired
from reports.story import report
from reports.table import Table
from reports.tables.report import overview_table
from reports.tables.run import collections_table, sheet_of, systems_table
from reports.tidy import tidy
from tests.tiny_collection import Place, results_in

NDCG = "nDCG@10"
RERANKERS = ["control:anti-oracle", "tests.fake_adapters:Plain"]
WORDS = ("ferry", "bread", "tide", "mill", "harbour", "island", "boat", "baker", "storm")


def evaluated(place: Place) -> dict[tuple[str, str], Figure]:
    """The figures of a run by system and collection, "" for all."""
    collections = []
    for name, size in (("one", 9), ("two", 8)):
        queries = {f"q{number}": WORDS[number] for number in range(size)}
        qrels = [(query, f"d{1 + number % 8}", 1) for number, query in enumerate(queries)]
        collections.append(place.load(place.beir(name, queries=queries, qrels=qrels)))
    sheet = sheet_of(results_in(place.evaluations(*collections, rerankers=RERANKERS, depth=8)), NDCG)
    titles = {"macro average": ""}
    return {
        (system.label, titles.get(title, title)): sheet.figure(system, place)
        for place, title in enumerate(one.title for one in sheet.columns)
        for system in sheet.grid.systems
    }


def same(one: Figure, other: Figure) -> None:
    """The same value, intervals, test and mark."""
    ours, theirs = one.as_dict(), other.as_dict()
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        assert value == (pytest.approx(theirs[key]) if theirs[key] is not None else None), key
    assert one.significant == other.significant


def test_a_report_shows_what_the_run_showed(place: Place) -> None:
    run = evaluated(place)
    (sheet,) = report(gathered(place.workspace.path), intervals=True).sheets
    titles = {"macro average": ""}
    for (system, at), figure in sheet.figures.items():
        title = sheet.columns[at].title
        same(figure, run[system.label, titles.get(title, title)])
    assert any(figure.significant for figure in run.values())


def test_a_board_shows_what_the_run_showed(place: Place) -> None:
    run = evaluated(place)
    made = board(place.workspace.path)
    for row in made.tables[0].rows:
        same(row.figure, run[row.system.label, ""])
    for collection, (table,) in made.collections.items():
        for row in table.rows:
            same(row.figure, run[row.system.label, collection.name])


def test_frames_and_plots_show_what_the_run_showed(place: Place) -> None:
    run = evaluated(place)
    results = gathered(place.workspace.path)
    for row in tidy(results, intervals=True).to_pylist():
        own = run[row["system"], row["collection"]]
        assert (row["low"], row["high"]) == pytest.approx(own.interval)
        assert (row["adjusted_p"], row["family"]) == (
            (None, None) if own.difference is None else (own.difference.adjusted_p, own.difference.family)
        )
    (sheet,) = report(results).sheets
    for (system, collection), pair in paired(sheet.grid).of.items():
        own = run[system.label, collection.name]
        assert own.difference is not None
        assert pair.difference.interval == pytest.approx(own.difference.interval)
        assert pair.difference.significant == own.significant


def notes(table: Table) -> str:
    return " ".join(table.notes)


def test_the_notes_say_the_test_the_unit_and_what_was_corrected(place: Place) -> None:
    collections = [place.load(place.beir("one")), place.load(place.beir("two", qrels=[("q1", "d4", 1)]))]
    evaluations = place.evaluations(*collections, rerankers=RERANKERS, depth=8)
    systems, by_collection = (
        systems_table(sheet_of(results_in(evaluations), "nDCG@10")),
        collections_table(sheet_of(results_in(evaluations), "nDCG@10")),
    )
    (sheet,) = report(gathered(place.workspace.path)).sheets
    for table in (systems, by_collection, overview_table(sheet)):
        assert "two-sided randomisation test over questions, 10,000 sign flips" in notes(table)
        assert "an average, or the only collection, over the 2 systems with one first stage" in notes(table)
        assert "in a parallel set the same query in all languages is one question" in notes(table)
    assert "a collection over the 2 collections of its system" in notes(by_collection)
    assert "a collection" not in notes(systems).split("p-values corrected")[1].split(";")[0]

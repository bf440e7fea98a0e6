"""The parallel set of a collection is in the store, the JSON and the notes; results of before are not guessed at."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

import harness
from harness.data.known_parallel import known_by_name
from harness.result.recall import recall
from harness.result.store import Results
from reports.tables.run import comparison_tables
from reports.tables.run_values import as_dict
from tests.tiny_collection import FIRST, Place, results_in

SAMPLE = "demo is a sample made for this project to show what the harness prints; it is not a benchmark"


def kept(place: Place, **said: Any) -> tuple[object, object]:
    """What the store has after an evaluation of a collection of which this is known."""
    place.evaluations(replace(place.load(), **said))
    with Results(place.workspace.results) as results:
        (stored,) = results.all()
    return stored.collection.parallel, stored.collection.parallel_by


def test_a_later_value_replaces_the_earlier_and_nothing_known_replaces_nothing(place: Place) -> None:
    assert kept(place) == (None, None)
    assert kept(place, parallel="towns", parallel_by="detected") == ("towns", "detected")
    assert kept(place) == ("towns", "detected")
    assert kept(place, parallel="villages", parallel_by="option") == ("villages", "option")
    assert kept(place, parallel=None, parallel_by="declared") == (None, "declared")


def test_the_id_of_an_evaluation_does_not_know_of_sets(place: Place) -> None:
    plain = place.load()
    ids = [place.evaluations(one)[0].id for one in (plain, replace(plain, parallel="towns", parallel_by="option"))]
    assert ids[0] == ids[1]


def test_a_store_of_before_has_no_sets(place: Place) -> None:
    kept(place, parallel="towns", parallel_by="detected")
    with closing(sqlite3.connect(place.workspace.results)) as database:
        database.execute("drop table parallel")
        database.execute("drop table checksum")
    with Results(place.workspace.results) as results:
        (stored,) = results.all()
    assert (stored.collection.parallel, stored.collection.parallel_by) == (None, None)


def test_a_recalled_collection_has_its_set(place: Place) -> None:
    (done,) = place.evaluations(replace(place.load(), parallel="towns", parallel_by="declared"))
    collection = recall(place.workspace, done.id).collection
    assert (collection.parallel, collection.parallel_by) == ("towns", "declared")


def test_the_sample_of_before_is_known_by_its_name_and_note_and_a_folder_of_that_name_is_not() -> None:
    assert known_by_name("demo/de", SAMPLE) == ("demo", "declared")
    assert known_by_name("demo/de", None) == (None, None)
    assert known_by_name("demo", SAMPLE) == (None, None)


def test_suites_of_before_are_known_by_what_they_declare() -> None:
    assert known_by_name("miracl/sw", None) == (None, "declared")
    assert known_by_name("mteb-multilingual-v2-reranking/wikipedia-de", None) == (None, None)
    for name in ("xquad/de", "miracl", "miracl/xx", "nothing", ""):
        assert known_by_name(name, None) == (None, None)


@pytest.mark.parametrize("parallel", [None, True, False])
def test_a_run_says_which_sets_are_parallel_in_its_tables_and_its_json(place: Place, parallel: bool | None) -> None:
    for language in ("de", "en"):
        place.beir(f"towns/{language}", {f"d{n}": f"{language} text {n}" for n in range(1, 9)})
    outcome = harness.run(
        str(place.path / "towns"), first_stage=FIRST, depth=5, parallel=parallel, workspace=place.workspace.path
    )
    line = {
        None: "towns: 4 questions in 2 languages (detected: they share query ids and judged documents)",
        True: "towns: 4 questions in 2 languages (as --parallel says)",
    }.get(parallel)
    document: Any = as_dict(results_in(outcome.evaluations))
    for shown in (
        *(table.notes for table in comparison_tables(results_in(outcome.evaluations))),
        document.get("notes", []),
    ):
        assert [note for note in shown if "question" in note and note.startswith("towns")] == ([line] if line else [])
    said = {(one["parallel"], one["parallel_by"]) for one in document["collections"]}
    assert said == {{None: ("towns", "detected"), True: ("towns", "option"), False: (None, "option")}[parallel]}

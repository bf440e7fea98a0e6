"""What a run measured is one value: the store gives back exactly what was written, whatever kind of result it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from harness.data.collection import Collection, sample_queries
from harness.data.suites.targets import find
from harness.measuring.paired_measures import PMRR
from harness.result.evaluation import Evaluation
from harness.result.facts import Environment, Made
from harness.result.means import Means
from harness.result.origin import ImportOrigin, marked
from harness.result.result import Result, results_of, results_of_means
from harness.result.store import Results
from tests.tiny_collection import CORPUS, QRELS, QUERIES, Place

FAKE = "tests.fake_adapters"
MADE = Made("2026-01-02T03:04:05+00:00", "harness run ~/x", Environment("3.11.7", "m", {"numpy": "2", "torch": None}))
LATER = replace(MADE, at="2026-02-01T00:00:00+00:00", command="harness run ~/y")
SCIFACT = find("beir/scifact")[0]


def written(evaluation: Evaluation, made: Made = MADE) -> tuple[Result, ...]:
    return results_of(replace(evaluation, made=made, timing=None), corpus="c0ffee")


def kept(path: Path, *results: Result) -> list[Result]:
    """What a new store gives back after these were written."""
    with Results(path) as store:
        store.write(results)
    with Results(path) as store:
        return store.results()


def assert_same(found: Sequence[Result], expected: Sequence[Result]) -> None:
    """Every field of every result is equal; a store orders the measures of an evaluation by their names."""
    ordered = sorted(expected, key=lambda one: one.measure)
    assert [one.measure for one in sorted(found, key=lambda one: one.measure)] == [one.measure for one in ordered]
    for ours, theirs in zip(sorted(found, key=lambda one: one.measure), ordered, strict=True):
        assert ours.values.dtype == np.float64
        np.testing.assert_array_equal(ours.values, theirs.values)
        for one in fields(Result):
            if one.name != "values":
                assert getattr(ours, one.name) == getattr(theirs, one.name), one.name


def first_stage(place: Place) -> Evaluation:
    return place.evaluations()[0]


def reranker(place: Place) -> Evaluation:
    return place.evaluations(rerankers=[f"{FAKE}:Streaming"], measures=["nDCG@10", "RR@10"])[1]


def with_alarms(place: Place) -> Evaluation:
    found = place.evaluations(rerankers=[f"{FAKE}:Constant"], depth=8)[1]
    assert found.alarms
    return found


def on(place: Place, collection: Collection) -> Evaluation:
    return place.evaluations(collection)[0]


def sampled(place: Place) -> Evaluation:
    return on(place, sample_queries(place.load(), 2))


def of_a_parallel_set(place: Place) -> Evaluation:
    return on(place, replace(place.load(), language="de", group="g", parallel="towns", parallel_by="detected"))


def of_no_language(place: Place) -> Evaluation:
    return on(place, replace(place.load(), language=None, language_sought=False, detected_language=None))


def of_a_detected_language(place: Place) -> Evaluation:
    return on(place, replace(place.load(), language=None, language_sought=True, detected_language="en"))


def with_foreign_ids(place: Place) -> Evaluation:
    names = {name: f"Frage-{name}-質問-\U0001f600\"'" for name in QUERIES}
    queries = {names[name]: text for name, text in QUERIES.items()}
    folder = place.beir("größe", CORPUS, queries, [(names[q], d, grade) for q, d, grade in QRELS])
    return on(place, place.load(folder))


def with_p_mrr(place: Place) -> Evaluation:
    return replace(reranker(place), paired=PMRR(("1", "zwei", "三"), np.array([0.0, -0.5, 1 / 3]), ("4",)))


def with_p_mrr_of_no_question(place: Place) -> Evaluation:
    return replace(first_stage(place), paired=PMRR((), np.empty(0), ("1", "2")))


@pytest.mark.parametrize(
    "made",
    [
        first_stage, reranker, with_alarms, sampled, of_a_parallel_set, of_no_language, of_a_detected_language,
        with_foreign_ids, with_p_mrr, with_p_mrr_of_no_question,
    ],
)  # fmt: skip
def test_what_is_read_is_what_was_written(place: Place, tmp_path: Path, made: Callable[[Place], Evaluation]) -> None:
    expected = written(made(place))
    found = kept(tmp_path / "a.sqlite", *expected)
    assert_same(found, expected)
    assert_same(kept(tmp_path / "b.sqlite", *found), expected)


def test_a_run_is_made_from_the_values_that_the_store_keeps(place: Place) -> None:
    done = place.evaluations(rerankers=[f"{FAKE}:Streaming"], measures=["nDCG@10", "RR@10"])
    with Results(place.workspace.results) as store:
        expected = store.results()
    for one in done:
        own = [result for result in expected if result.id == one.id]
        assert_same(results_of(one, own[0].stored.collection.corpus), own)


def test_an_imported_mean_is_read_as_it_was_written(tmp_path: Path) -> None:
    origin = ImportOrigin("mean", "mteb-results", "SciFact.json", "00" * 16, "mteb 2", {"model": "a/b"})
    means = Means(
        SCIFACT, "bm25", marked("theirs"), 100, origin, {"nDCG@10": 0.5, "R@100": 0.25}, SCIFACT.mteb.revision
    )
    expected = results_of_means(means, MADE)
    assert_same(kept(tmp_path / "a.sqlite", *expected), expected)
    assert all(one.is_mean_only and one.ids == () for one in expected)


def test_a_second_writing_adds_its_measures_to_the_first(place: Place, tmp_path: Path) -> None:
    collection = place.load()
    constant = {"rerankers": [f"{FAKE}:Constant"], "depth": 8}
    before = written(place.evaluations(collection, measures=["nDCG@10", "P@5"], **constant)[1])
    again = written(place.evaluations(collection, measures=["RR@10", "P@5"], **constant)[1], LATER)
    kept(tmp_path / "a.sqlite", *before)
    found = kept(tmp_path / "a.sqlite", *again)
    whole = again[0].stored.after(before[0].stored)
    assert (whole.created, whole.command, whole.updated) == (MADE.at, MADE.command, LATER.at)
    assert whole.means.keys() == whole.audit.ties.keys() == {"nDCG@10", "P@5", "RR@10"}
    assert {alarm.measure for alarm in whole.audit.alarms} >= {"nDCG@10", "RR@10"}
    expected = {one.measure: one for one in (*before, *again)}.values()
    timing = replace(before[0].timing, pairs=before[0].timing.pairs + again[0].timing.pairs,
                     seconds=before[0].timing.seconds + again[0].timing.seconds)  # fmt: skip
    assert_same(found, [replace(one, stored=whole, timing=timing) for one in expected])


def test_results_of_an_evaluation_depend_on_nothing_else(place: Place) -> None:
    evaluation = with_p_mrr(place)
    assert_same(written(evaluation), written(evaluation))
    assert {one.stored.updated for one in written(evaluation)} == {MADE.at}


def as_of_version_1(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for table in ("noise", "look", "latency", "mark", "corpus", "detected", "parallel", "checksum"):
            old.execute(f"drop table {table}")
        for table, column in (("collection", "part_of"), ("collection", "grouped"), ("value", "questions")):
            old.execute(f"alter table {table} drop column {column}")
        old.execute("""update evaluation set audit = json_set(audit, '$."p-MRR per question"', json('{"7": 0.5}'))""")
        old.execute("pragma user_version = 1")


def as_of_version_2(path: Path) -> None:
    """Before the tables that an older program does not know, with the alarms and counts of the first releases."""
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for table in ("mark", "corpus", "detected", "parallel", "checksum"):
            old.execute(f"drop table {table}")
        old.execute("update evaluation set audit = json_set(audit, '$.alarms', json('[\"a message\"]'))")
        old.execute("update collection set counts = json_remove(counts, '$.missing_judgments', '$.shares')")


@pytest.mark.parametrize("aged", [as_of_version_1, as_of_version_2])
def test_an_old_store_is_read_and_written_again_without_a_loss(
    place: Place, tmp_path: Path, aged: Callable[[Path], None]
) -> None:
    path, before = tmp_path / "old.sqlite", written(reranker(place))
    kept(path, *before)
    aged(path)
    with Results(path) as store:
        found = store.results()
    by_measure = {one.measure: one for one in found}
    for one in before:
        assert (by_measure[one.measure].id, by_measure[one.measure].value) == (one.id, one.value)
        np.testing.assert_array_equal(by_measure[one.measure].values, one.values)
    assert by_measure.keys() - {one.measure for one in before} == ({"p-MRR"} if aged is as_of_version_1 else set())
    assert_same(kept(tmp_path / "new.sqlite", *found), found)


def test_p_mrr_alone_is_not_written(place: Place, tmp_path: Path) -> None:
    """Nothing in it says which queries the collection has."""
    (paired,) = (one for one in written(with_p_mrr(place)) if one.measure == "p-MRR")
    with Results(tmp_path / "a.sqlite") as store:
        with pytest.raises(ValueError, match="has only p-MRR"):
            store.write([paired])
        assert store.results() == []


def test_an_imported_run_without_a_question_has_no_p_mrr(place: Place, tmp_path: Path) -> None:
    stored = written(with_p_mrr_of_no_question(place))[0].stored
    imported = replace(stored, identity={**stored.identity, "imported": {"kind": "run"}})
    expected = [replace(one, stored=imported) for one in written(with_p_mrr_of_no_question(place))]
    assert_same(kept(tmp_path / "a.sqlite", *expected), expected)

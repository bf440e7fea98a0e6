"""Whatever was measured can be looked up: whole, with what made it, and never half."""

from __future__ import annotations

import json
import shlex
import shutil
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import DataError, HarnessError, UsageError
from harness.data.collection import sample_queries
from harness.result.schema import SCHEMA
from harness.result.store import Results
from harness.result.stored import Stored
from tests.tiny_collection import QUERIES, Place

FAKE = "tests.fake_adapters"


def stored(place: Place) -> list[Stored]:
    with Results(place.workspace.results) as results:
        return list(results.all())


def refusal(path: Path, error: type[HarnessError] = DataError) -> str:
    with pytest.raises(error) as caught:
        Results(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_stored_is_what_was_computed(place: Place) -> None:
    done = place.evaluations(rerankers=[f"{FAKE}:Streaming"], measures=["nDCG@10", "RR@10"])[1]
    with Results(place.workspace.results) as results:
        found = results.find(done.id)
        for measure, values in zip(done.measures, done.values, strict=True):
            kept = results.result(done.id, str(measure))
            assert kept.ids == tuple(QUERIES)
            assert np.array_equal(kept.values, values)
            assert found.means[str(measure)] == float(np.mean(values))
    assert (found.system, found.first_stage, found.depth) == (f"{FAKE}:Streaming", f"{FAKE}:Overlap", 5)
    assert found.collection.name == "coll"
    assert found.collection.fingerprint == done.collection.fingerprint
    assert found.identity == json.loads(json.dumps(done.made_of.content))
    assert json.loads(json.dumps(found.audit.as_dict())) == json.loads(json.dumps(done.audit.as_dict()))
    assert found.controls.means == done.ground.means()
    assert found.candidates == done.run.candidates
    assert str(found.environment.python) in sys.version


def test_the_command_can_be_pasted_into_a_shell(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = ["harness", "run", "my folder", "--reranker", "x?a=1&b=2"]
    monkeypatch.setattr(sys, "argv", typed)
    place.evaluations()
    assert shlex.split(stored(place)[0].command) == typed


def test_a_second_measurement_adds_its_measures_and_makes_no_second_row(place: Place) -> None:
    place.evaluations(measures=["nDCG@10"], depth=8)
    place.evaluations(measures=["RR@10"], depth=8)
    (one,) = stored(place)
    assert set(one.means) == {"nDCG@10", "RR@10"}
    assert one.controls.means["oracle"] == {"nDCG@10": 1.0, "RR@10": 1.0}
    assert one.audit.ties.keys() == {"nDCG@10", "RR@10"}
    assert one.audit.tokens is None


def test_the_same_content_under_another_name_is_the_same_result(place: Place) -> None:
    place.evaluations(place.load(place.beir("one")))
    place.evaluations(place.load(place.beir("two")))
    (found,) = stored(place)
    assert found.collection.name == "two"


def test_an_evaluation_is_found_by_its_whole_id(place: Place) -> None:
    done = place.evaluations(rerankers=["control:oracle"])
    with Results(place.workspace.results) as results:
        assert results.find(done[0].id).id == done[0].id
        for other in ("xyz", "", done[0].id[:8]):
            with pytest.raises(UsageError, match=f"no evaluation has the id '{other}'"):
                results.find(other)
        with pytest.raises(UsageError, match="has no stored values of AP"):
            results.result(done[0].id, "AP")


def test_values_of_a_sample_are_aligned_with_the_queries_of_the_sample(place: Place) -> None:
    (done,) = place.evaluations(sample_queries(place.load(), 2))
    with Results(place.workspace.results) as results:
        found = results.result(done.id, "nDCG@10")
        assert results.find(done.id).collection.sampled_from == 4
    assert found.ids == tuple(done.collection.queries.ids())
    assert len(found.values) == 2


@pytest.mark.parametrize("step", ["_keep_evaluation", "_keep_values"])
def test_a_kill_between_two_steps_leaves_whole_evaluations(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first, model = place.evaluations(rerankers=["control:oracle"])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    path = place.path / "fresh.sqlite"
    with Results(path) as results:
        results.keep(first)
        with monkeypatch.context() as patched:
            patched.setattr(Results, step, killed)
            with pytest.raises(KeyboardInterrupt):
                results.keep(model)
        assert [one.id for one in results.all()] == [first.id]
        results.keep(model)
        assert {one.id for one in results.all()} == {first.id, model.id}


def test_the_files_of_a_killed_writer_hold_whole_evaluations(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first, model = place.evaluations(rerankers=["control:oracle"])
    mine, killed = place.path / "mine", place.path / "killed"
    mine.mkdir()
    with Results(mine / "results.sqlite") as results:
        results.keep(first)
        monkeypatch.setattr(Results, "_keep_values", lambda *_: shutil.copytree(mine, killed))
        results.keep(model)
    with Results(killed / "results.sqlite") as results:
        assert [one.id for one in results.all()] == [first.id]


def test_a_store_of_a_newer_version_is_refused(place: Place) -> None:
    place.evaluations()
    with closing(sqlite3.connect(place.workspace.results)) as database:
        database.execute(f"pragma user_version = {SCHEMA + 1}")
    assert "written by a newer rerank-harness" in refusal(place.workspace.results)


def test_a_file_that_is_no_store_is_refused_and_left_alone(place: Place) -> None:
    path = place.path / "results.sqlite"
    path.write_text("my notes, which are long enough to be no empty database\n" * 30)
    assert "not a results store" in refusal(path)
    assert path.read_text().startswith("my notes")


def test_a_database_of_another_program_is_refused_and_left_alone(place: Place) -> None:
    path = place.path / "results.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table mine(x)")
    assert "not a results store" in refusal(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("select name from sqlite_master").fetchall() == [("mine",)]


def test_a_store_that_is_damaged_inside_is_one_line(place: Place) -> None:
    place.evaluations()
    path = place.workspace.results
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma wal_checkpoint(truncate)")
        database.execute("pragma journal_mode = delete")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(DataError, match="SQLite says") as caught, Results(path) as results:
        list(results.all())
    assert "\n" not in str(caught.value)


def test_several_runs_may_open_a_new_store_at_once(place: Place) -> None:
    path = place.path / "fresh.sqlite"
    barrier, failed = threading.Barrier(6), []

    def go() -> None:
        barrier.wait()
        try:
            Results(path).__exit__(None, None, None)
        except HarnessError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_speed_is_over_all_times_on_this_machine(place: Place) -> None:
    done = place.evaluations(rerankers=[f"{FAKE}:Plain"])[1]
    assert done.timing is not None and done.timing.pairs_per_second == pytest.approx(done.fresh / done.seconds)
    with closing(sqlite3.connect(place.workspace.results)) as database, database:
        database.execute("insert into timing values (?, 'another machine', 1000000, 1, '')", (done.id,))
    with Results(place.workspace.results) as results:
        assert results.timing_of(done.id) == done.timing


def test_a_store_of_the_first_version_is_brought_up_and_loses_nothing(place: Place, tmp_path: Path) -> None:
    done = place.evaluations(rerankers=["control:oracle"])
    path = tmp_path / "old.sqlite"
    with Results(path) as results:
        for one in done:
            results.keep(one)
        before = list(results.all())
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for table in ("noise", "look", "latency", "checksum"):
            old.execute(f"drop table {table}")
        for table, column in (("collection", "part_of"), ("collection", "grouped"), ("value", "questions")):
            old.execute(f"alter table {table} drop column {column}")
        old.execute("""update evaluation set audit = json_set(audit, '$."p-MRR per question"', json('{"7": 0.5}'))""")
        old.execute("pragma user_version = 1")
    with Results(path) as results:
        after = list(results.all())
        moved = results.result(done[0].id, "p-MRR")
        assert (moved.ids, moved.values.tolist()) == (("7",), [0.5])
        assert results.result(done[0].id, "nDCG@10").ids == tuple(QUERIES)
    assert [one.audit for one in after] == [one.audit for one in before]
    assert [{**one.means, "p-MRR": 0.5} for one in before] == [one.means for one in after]
    with Results(path) as results:
        assert len(list(results.all())) == 2


def test_noise_is_stored_as_an_absolute_value_and_is_none_if_not_measured(place: Place) -> None:
    (done,) = place.evaluations()
    with Results(place.workspace.results) as results:
        assert results.noise(done.id, "nDCG@10") is None
        results.keep_noise(done.id, "nDCG@10", -0.25)
        assert results.noise(done.id, "nDCG@10") == 0.25
        results.keep_noise(done.id, "nDCG@10", 0.0)
        assert results.noise(done.id, "nDCG@10") == 0.0
        assert results.noise(done.id, "RR@10") is None

"""A results store that was damaged is never read as if it were not: every command names the evaluation, in one line."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import DataError
from harness.measuring.paired_measures import PMRR
from harness.result.gathered import gathered
from harness.result.store import Results
from harness.sqlite_file import advice
from tests.earlier_store import without_sums
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

FAKE = "tests.fake_adapters:Streaming"
DAMAGE = {
    "a value of too few bytes": ("update value set per_query = substr(per_query, 1, 24)", "24 bytes"),
    "a value of half a number": ("update value set per_query = substr(per_query, 1, 27)", "27 bytes"),
    "values as a text": ("update value set per_query = '0.5, 0.5'", "the values of nDCG@10 are '0.5, 0.5'"),
    "no values": ("update value set per_query = null", "nDCG@10 has no values"),
    "another mean": ("update value set mean = mean + 0.001", "the mean of its values is"),
    "a mean that is no number": ("update value set mean = 'high'", "the mean of nDCG@10 is 'high', not a number"),
    "no mean": ("update value set mean = null", "nDCG@10 is stored as None"),
    "other values": ("update value set per_query = zeroblob(32)", "the mean of its values is 0.0"),
    "not a number": (f"update value set per_query = x'{'000000000000f87f' * 4}'", "its values is nan"),
    "no row of values": ("delete from value", "there are no values of any measure"),
    "a measure without a name": ("update value set measure = x'00'", "measure is b'\\x00', not a text"),
    "queries that are no JSON": ("update collection set queries = '[\"q1\", '", "the list of queries is not JSON"),
    "queries that are no list": ("update collection set queries = '{}'", "the list of queries is not a list of texts"),
    "a query too many": (
        "update collection set queries = json_insert(queries, '$[#]', 'q9')",
        "its collection is not what was stored",
    ),
    "no name": ("update collection set name = null", "collection.name is null, not a text"),
    "no split": ("update collection set split = null", "collection.split is null, not a text"),
    "counts that are no JSON": ("update collection set counts = 'many'", "counts is not JSON"),
    "a count that is no number": (
        "update collection set counts = json_set(counts, '$.queries', 'four')",
        "collection.counts.queries is 'four', not a whole number",
    ),
    "no count": ("update collection set counts = '{}'", "collection.counts.queries is missing"),
    "no rules": ("update collection set rules = null", "rules is null, not JSON"),
    "no main measure": ("update collection set rules = '{}'", "rules.main_measure is missing"),
    "no collection": ("delete from collection", "its collection"),
    "no evaluation": ("delete from evaluation", "there are values without an evaluation"),
    "a depth that is no number": ("update evaluation set depth = 'deep'", "depth is 'deep', not a whole number"),
    "no first stage": ("update evaluation set first_stage = null", "first_stage is null, not a text"),
    "no day": ("update evaluation set updated = null", "updated is null, not a text"),
    "no candidates": ("update evaluation set candidates = null", "candidates is null, not a text"),
    "an identity that is cut": ("update evaluation set identity = substr(identity, 1, 9)", "identity is not JSON"),
    "an identity that is a list": ("update evaluation set identity = '[]'", "identity is not an object"),
    "no audit": ("update evaluation set audit = null", "audit is null, not JSON"),
    "an audit that is a text": ("update evaluation set audit = '\"\"'", "audit is not an object"),
    "a count of the audit that is a text": (
        "update evaluation set audit = json_set(audit, '$.candidates', '20')",
        "audit.candidates is '20', not a whole number",
    ),
    "ties of one number": (
        "update evaluation set audit = json_set(audit, '$.ties.\"nDCG@10\"', json('[0.5]'))",
        "audit.ties.nDCG@10 is [0.5], not a list of 2",
    ),
    "an alarm without a message": (
        "update evaluation set audit = json_set(audit, '$.alarms', json('[{\"name\": \"tied-order\"}]'))",
        "audit.alarms.message is missing",
    ),
    "a control that is a text": (
        "update evaluation set controls = json_set(controls, '$.oracle.\"nDCG@10\"', 'best')",
        "controls.means.oracle.nDCG@10 is 'best', not a number",
    ),
    "values above one": (
        f"update value set mean = 2.0, per_query = x'{'0000000000000040' * 4}'",
        "nDCG@10 has the value 2, which is not between 0 and 1",
    ),
    "a value below zero": (
        f"update value set mean = 0.0, per_query = x'{('000000000000f0bf' + '000000000000f03f') * 2}'",
        "nDCG@10 has the value -1, which is not between 0 and 1",
    ),
    "an unknown measure": ("update value set measure = 'nDGC@10'", "the measure 'nDGC@10' is unknown"),
    "a query twice": (
        "update collection set queries = json_set(queries, '$[1]', json_extract(queries, '$[0]'))",
        "the list of queries has 'q1' twice",
    ),
    "a negative depth": ("update evaluation set depth = -3", "depth is -3, which is negative"),
    "a negative count": (
        "update collection set counts = json_set(counts, '$.documents', -1)",
        "collection.counts.documents is -1, which is negative",
    ),
    "a negative count of the audit": (
        "update evaluation set audit = json_set(audit, '$.candidates', -20)",
        "audit.candidates is -20, which is negative",
    ),
    "an environment that is no JSON": ("update evaluation set environment = '{'", "environment is not JSON"),
}

NOT_MENDED = {"a measure without a name", "an unknown measure", "no evaluation"}
"""Damage after which the rows are of nothing that can be run again."""


@pytest.fixture
def path(place: Place) -> Path:
    """Of a store with one evaluation of one measure."""
    place.evaluations(measures=["nDCG@10"])
    return place.workspace.results


def damage(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(statement).rowcount == 1


def forget_sums(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        without_sums(database)


def refused(path: Path) -> str:
    """The one message of everything that reads evaluations."""
    messages = set()
    for read in (Results.all, Results.results):
        with pytest.raises(DataError) as caught, Results(path) as results:
            list(read(results))
        messages.add(str(caught.value))
    (message,) = messages
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_refused_by_the_evaluation_and_the_place(path: Path, name: str) -> None:
    with Results(path) as results:
        (stored,) = results.all()
    statement, expected = DAMAGE[name]
    damage(path, statement)
    if name == "no evaluation":
        with pytest.raises(DataError, match=expected), Results(path) as results:
            list(results.all())
        return
    message = refused(path)
    assert message.startswith(f"{path}: evaluation {stored.id}: ")
    assert expected in message
    assert message.endswith(f"; run it again, or {advice(path)}")


@pytest.mark.parametrize(
    "verb", [["list"], ["list", "systems"], ["list", "collections"], ["report"], ["board"], ["export"]]
)
def test_every_command_that_reads_says_it_in_one_line(
    path: Path, command: Command, tmp_path: Path, verb: list[str]
) -> None:
    damage(path, DAMAGE["another mean"][0])
    out = ["--out", tmp_path / "out"] if verb[0] in {"report", "board"} else []
    out = ["--parquet", tmp_path / "out.parquet"] if verb[0] == "export" else out
    said = command(*verb, "--workspace", path.parent, *out)
    assert said.code == 5
    assert "Traceback" not in said.err
    assert "the mean of its values is" in said.err.splitlines()[-1]


@pytest.mark.parametrize("name", [name for name in DAMAGE if name not in NOT_MENDED])
def test_running_it_again_mends_it(place: Place, path: Path, name: str) -> None:
    with Results(path) as results:
        before = results.results()
    damage(path, DAMAGE[name][0])
    place.evaluations(measures=["nDCG@10"])
    with Results(path) as results:
        (after,) = results.results()
    assert (after.id, after.value, after.ids) == (before[0].id, before[0].value, before[0].ids)


def test_a_sound_evaluation_is_found_while_another_is_damaged(place: Place) -> None:
    first, second = place.evaluations(rerankers=[FAKE], measures=["nDCG@10"])
    damage(place.workspace.results, f"update value set mean = 2 where evaluation = '{second.id}'")
    with Results(place.workspace.results) as results:
        assert results.find(first.id).means == {"nDCG@10": float(np.mean(first.values))}
        with pytest.raises(DataError, match=second.id):
            results.find(second.id)
        with pytest.raises(DataError, match=second.id):
            results.result(second.id, "nDCG@10")


def test_questions_that_do_not_fit_their_values_are_refused(place: Place) -> None:
    (done,) = place.evaluations()
    path = place.path / "paired.sqlite"
    with Results(path) as results:
        results.keep(replace(done, paired=PMRR(("1", "2", "3"), np.array([0.0, 0.5, 1.0]), ())))
    damage(path, "update value set questions = '[\"1\", \"2\"]' where measure = 'p-MRR'")
    assert "the values of p-MRR are 24 bytes, which are not 2 numbers" in refused(path)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update timing set seconds = null", "timing is null, not a number"),
        ("update timing set pairs = 'many'", "timing is 'many', not a whole number"),
        ("update latency set p50 = null", "latency is null, not a number"),
        ("update latency set megabytes = 'much'", "latency is 'much', not a number"),
    ],
)
def test_a_time_that_is_no_number_is_refused(place: Place, statement: str, message: str) -> None:
    done, path = place.evaluations(rerankers=[FAKE])[1], place.workspace.results
    with Results(path) as results:
        results.keep_latency(done.id, 0.1, 0.2, megabytes=None, queries=4)
        assert results.timing_of(done.id).latency == (0.1, 0.2, None)
    damage(path, statement)
    for read in (Results.results, lambda store: store.timing_of(done.id)):
        with pytest.raises(DataError, match=f"evaluation {done.id}: {message}; run it again"), Results(path) as results:
            read(results)


def test_a_noise_that_is_no_number_is_refused(path: Path) -> None:
    with Results(path) as results:
        (stored,) = results.all()
        results.keep_noise(stored.id, "nDCG@10", 0.1)
        damage(path, "update noise set difference = null")
        with pytest.raises(DataError, match=f"evaluation {stored.id}: the noise of nDCG@10 is null, not a number"):
            results.noise(stored.id, "nDCG@10")


def test_what_a_newer_version_stores_besides_is_kept(path: Path) -> None:
    forget_sums(path)
    damage(path, "update evaluation set audit = json_set(audit, '$.calibration', json('{\"slope\": 1.5}'))")
    damage(path, "update collection set counts = json_set(counts, '$.new', 1)")
    with Results(path) as results:
        (stored,) = results.all()
        assert stored.audit.details == {"calibration": {"slope": 1.5}}
        results.write(results.results())
        assert [one.audit for one in results.all()] == [stored.audit]


def test_a_mark_of_a_newer_version_is_an_alarm(path: Path) -> None:
    with Results(path) as results:
        (stored,) = results.all()
        results.mark({stored.id: ("of a newer version", None)})
        assert [alarm.name for alarm in results.find(stored.id).audit.alarms][-1] == "of a newer version"
        assert results.find(stored.id).audit.alarms[-1].hard


def test_a_store_is_read_while_another_process_writes(place: Place, path: Path) -> None:
    """What appears between two queries of a reader is in none of them."""
    with Results(path) as reader:
        read = iter(reader.all())
        first = next(read)
        place.evaluations(rerankers=[FAKE])
        assert [first.system, *(one.system for one in read)] == [FIRST]
        assert len(list(reader.all())) == 2


def test_reading_asks_few_questions_however_much_there_is(place: Place) -> None:
    place.evaluations(rerankers=[f"control:random?seed={seed}" for seed in range(12)], measures=["nDCG@10", "RR@10"])
    asked: list[str] = []
    with Results(place.workspace.results) as results:
        results._database.set_trace_callback(asked.append)
        assert len(results.results()) == 26
    assert len([one for one in asked if "select" in one]) <= 9
    asked.clear()
    with Results(place.workspace.results) as results:
        results._database.set_trace_callback(asked.append)
        assert len(list(results.all())) == 13
    assert len([one for one in asked if "select" in one]) <= 6


def test_values_come_with_a_gathering_and_are_those_that_were_computed(place: Place) -> None:
    done = place.evaluations(rerankers=[FAKE], measures=["nDCG@10"])
    found = {one.id: one for one in gathered(place.workspace.path)}
    for one in done:
        np.testing.assert_array_equal(found[one.id].values, one.values[0])
        assert json.loads(json.dumps(one.made_of.content)) == found[one.id].stored.identity


def test_results_of_some_evaluations_are_those_of_all(place: Place) -> None:
    done = place.evaluations(rerankers=[FAKE, "control:oracle"])
    wanted = {done[0].id, done[2].id}
    with Results(place.workspace.results) as results:
        expected = [(one.id, one.measure, one.value) for one in results.results() if one.id in wanted]
        assert [(one.id, one.measure, one.value) for one in results.results(wanted)] == expected
        assert results.results([]) == []

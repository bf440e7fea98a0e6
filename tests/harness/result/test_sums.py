"""A stored figure that is changed behind the store's back is never shown as if it were measured."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import DataError
from harness.checks.doctor import examine
from harness.result import sums
from harness.result.store import Results
from tests.earlier_store import without_sums
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters:Streaming"
CHANGES = {
    "values in another order": "update value set per_query = reversed(per_query)",
    "values of another evaluation": (
        "update value set (mean, per_query) = "
        "(select mean, per_query from value v where v.evaluation != value.evaluation)"
    ),
    "another name": "update evaluation set reranker = 'another'",
    "another depth": "update evaluation set depth = depth + 1",
    "another day": "update evaluation set updated = '2001-01-01T00:00:00+00:00'",
    "ids in another order": 'update collection set queries = \'["q2", "q1", "q3", "q4"]\'',
    "another split": "update collection set split = 'train'",
    "another corpus": "update corpus set fingerprint = 'another'",
    "another parallel set": "insert into parallel select fingerprint, 'a set', 'option' from collection",
    "a measure that is gone": "delete from value where measure = 'RR@10'",
    "a measure that was added": (
        "insert into value select evaluation, 'AP@10', mean, per_query, null from value where measure = 'RR@10'"
    ),
    "an evaluation that is gone": "delete from evaluation",
    "everything of an evaluation gone": "delete from evaluation; delete from value",
    "other times": "update timing set seconds = seconds * 2",
    "times that are gone": "delete from timing",
}


@pytest.fixture
def path(place: Place) -> Path:
    place.evaluations(rerankers=[FAKE], measures=["nDCG@10", "RR@10"])
    return place.workspace.results


def change(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.create_function("reversed", 1, lambda blob: np.frombuffer(blob, "<f8")[::-1].tobytes())
        for statement in script.split(";"):
            database.execute(statement)


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught, Results(path) as results:
        results.results()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_leaves_every_row_consistent_is_refused(path: Path, name: str) -> None:
    change(path, CHANGES[name])
    assert refusal(path).startswith(f"{path}: evaluation ")


@pytest.mark.parametrize("name", ["values in another order", "another name", "ids in another order", "another corpus"])
def test_measuring_again_mends_it(place: Place, path: Path, name: str) -> None:
    change(path, CHANGES[name])
    place.evaluations(rerankers=[FAKE], measures=["nDCG@10", "RR@10"])
    with Results(path) as results:
        assert len(results.results()) == 4


def test_what_an_earlier_version_stored_is_accepted_and_gets_checksums_from_doctor(place: Place, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        without_sums(database)
        database.execute("pragma user_version = 2")
    with Results(path) as results:
        before = [(one.id, one.value) for one in results.results()]
    (found,) = [one for one in examine(place.workspace) if one.subject == "results"]
    assert (found.state, "got checksums" in found.detail) == ("ok", True)
    with Results(path) as results:
        assert [(one.id, one.value) for one in results.results()] == before
        assert results.complete_sums() == 0
    change(path, CHANGES["values in another order"])
    assert "are not what was stored" in refusal(path)


def test_doctor_gives_no_checksums_to_what_is_damaged(place: Place, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        without_sums(database)
        database.execute("update value set mean = mean / 2 where measure = 'RR@10'")
    (found,) = [one for one in examine(place.workspace) if one.subject == "results"]
    assert found.state == "broken"
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("select count(*) from checksum").fetchone() == (0,)


def test_a_row_gets_its_checksum_when_it_is_written_again(place: Place, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        without_sums(database)
    place.evaluations(rerankers=[FAKE], measures=["nDCG@10"])
    with closing(sqlite3.connect(path)) as database:
        known = set(database.execute("select distinct kind from checksum"))
        assert {("evaluation",), ("value",), ("collection",)} <= known


def test_noise_and_marks_that_were_changed_are_refused(path: Path) -> None:
    with Results(path) as results:
        one = next(iter(results.all()))
        results.keep_noise(one.id, "nDCG@10", 0.1)
        results.mark({one.id: ("former-scoring", None)})
        change(path, "update noise set difference = 0")
        with pytest.raises(DataError, match="the noise of nDCG@10 is not what was stored"):
            results.noise(one.id, "nDCG@10")
    change(path, "update mark set kind = 'former-identity'")
    assert "its mark is not what was stored" in refusal(path)


def test_list_and_report_show_the_mean_of_the_values(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        without_sums(database)
        database.execute("update value set mean = mean + 1e-10")
    with Results(path) as results:
        assert all(one.stored.means[one.measure] == one.value == np.mean(one.values) for one in results.results())


def test_a_checksum_depends_on_every_value_and_its_type() -> None:
    row = ("a", 1, 0.5, None, "é")
    changed = [("b", 1, 0.5, None, "é"), ("a", "1", 0.5, None, "é"), ("a", 1, 0.5, "None", "é"), ("a1", 0.5, None, "é")]
    assert len({sums.of_row(one) for one in [row, *changed]}) == 5
    assert sums.of_value("a", "m", 0.5, b"x", None) != sums.of_value("a", "m", 0.5, b"y", None)
    assert sums.of_row(["\u0085"]) == 0x3FB20B46  # the same in every version of Python

"""A store that may only be read is read whole, and never written: an artefact of a CI job, or another's folder."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.errors import DataError, EnvironmentFailure
from harness.judging.gate.looks import LookLog
from harness.result.gathered import gathered
from harness.result.store import Results
from tests.read_only import read_only
from tests.stored_board import MadeCollection, MadeSystem, store

MADE = ([MadeSystem(None, 0.4), MadeSystem("a", 0.5)], [MadeCollection("mine/one")])


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return store(tmp_path / "workspace", *MADE)


def test_a_store_in_a_read_only_folder_is_read_and_its_folder_stays_as_it_is(workspace: Path) -> None:
    with read_only(workspace) as (made,):
        with pytest.raises(OSError, match="Permission denied"):
            (made / "file").touch()
        found = [(one.id, one.value) for one in gathered(made)]
        assert LookLog(made / "results.sqlite").all() == []
        assert [file.name for file in made.iterdir()] == ["results.sqlite"]
    assert found == [(one.id, one.value) for one in gathered(workspace)]


def test_what_is_only_in_the_write_ahead_log_is_read_too(workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "results.sqlite")) as database:
        database.execute("update evaluation set command = 'lately'")
        database.commit()
        assert (workspace / "results.sqlite-wal").stat().st_size
        with read_only(workspace) as (made,), Results(made / "results.sqlite") as results:
            assert {one.command for one in results.all()} == {"lately"}  # as a job that was killed leaves it


def test_a_read_only_store_of_an_earlier_release_is_read(workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "results.sqlite")) as database, database:
        for table in ("corpus", "mark", "detected", "parallel"):  # tables that a later release added
            database.execute(f"drop table {table}")
    with read_only(workspace) as (made,):
        assert len(gathered(made)) == 2


def test_nothing_is_written_to_a_copy_that_would_be_lost(workspace: Path) -> None:
    with (
        read_only(workspace) as (made,),
        pytest.raises(EnvironmentFailure, match="attempt to write a readonly database"),
        Results(made / "results.sqlite") as results,
    ):
        results.keep_noise("id", "nDCG@10", 0.1)


def test_a_read_only_file_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "results.sqlite").write_text("this is no database, but long enough to be read as one" * 20)
    with read_only(tmp_path) as (made,), pytest.raises(DataError, match="not a results store"):
        Results(made / "results.sqlite")

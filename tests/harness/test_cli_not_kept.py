"""What was measured is printed, also where it cannot be written down."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.api import ResultsNotKept
from harness.result.store import Results
from harness.running import keeping
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

PLAIN = "tests.fake_adapters:Plain"


def _read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = Results._prepare

    def prepared(self: Results) -> None:
        prepare(self)
        self._database.execute("pragma query_only = 1")

    monkeypatch.setattr(Results, "_prepare", prepared)


def _full(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = Results._prepare

    def prepared(self: Results) -> None:
        prepare(self)
        pages = self._database.execute("pragma page_count").fetchone()[0]
        self._database.execute(f"pragma max_page_count = {pages}")

    monkeypatch.setattr(Results, "_prepare", prepared)
    kept = Results._keep_collection

    def large(self: Results, *collection: Any) -> Any:
        known = kept(self, *collection)
        self._database.execute("create table filler (content)")
        self._database.execute("insert into filler values (zeroblob(10000000))")
        return known

    monkeypatch.setattr(Results, "_keep_collection", large)


def _scores_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping, "keep_scores", refused)


def _full_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("harness.scoring.ledger.store.insert_parts", refused)


FAILURES = pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (_read_only, "attempt to write a readonly database"),
        (_full, "database or disk is full"),
        (_scores_refused, "No space left on device"),
        (_full_ledger, "ledger.sqlite: the disk is full"),
    ],
)


def _flags(place: Place) -> list[object]:
    return ["--first-stage", FIRST, "--depth", 5, "--reranker", PLAIN, "--workspace", place.workspace.path]


@FAILURES
def test_the_table_is_printed_and_the_error_comes_after_it(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch, broken: Callable[..., None], reason: str
) -> None:
    folder = place.beir()
    broken(monkeypatch)
    said = command("run", folder, *_flags(place))
    assert said.code == 6
    assert PLAIN in said.out
    assert "vs first stage" in said.out
    last = said.err.splitlines()[-1]
    assert last.startswith("harness: these results are not stored in the workspace")
    assert reason in last
    assert "move" not in last and ("free some space" in last or "readonly" in last)
    assert last.endswith("(exit 6)")
    assert "Traceback" not in said.err


@FAILURES
def test_json_and_the_report_folder_are_whole_too(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch, broken: Callable[..., None], reason: str
) -> None:
    folder, out = place.beir(), place.path / "out"
    broken(monkeypatch)
    said = command("run", folder, *_flags(place), "--json", "--out", out)
    assert said.code == 6
    assert len(json.loads(said.out)["evaluations"]) == 2
    assert (out / "report.md").is_file()
    assert reason in said.err


def test_python_gets_the_results_with_the_error(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    folder: Path = place.beir()
    _read_only(monkeypatch)
    with pytest.raises(ResultsNotKept) as caught:
        harness.run(str(folder), first_stage=FIRST, rerankers=[PLAIN], depth=5, workspace=place.workspace.path)
    assert len(caught.value.outcome.evaluations) == 2


def test_a_disk_that_fails_once_costs_one_result(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, calls = Results.keep, []

    def once(self: Results, evaluation: Any) -> None:
        calls.append(evaluation)
        if len(calls) == 1:
            raise sqlite3.OperationalError("disk I/O error")
        keep(self, evaluation)

    monkeypatch.setattr(Results, "keep", once)
    with pytest.raises(ResultsNotKept):
        harness.run(str(place.beir()), first_stage=FIRST, rerankers=[PLAIN], depth=5, workspace=place.workspace.path)
    with Results(place.workspace.results) as results:
        assert [one.system for one in results.all()] == [PLAIN]


def test_the_table_is_printed_where_an_earlier_time_cannot_be_read(place: Place, command: Command) -> None:
    folder = place.beir()
    assert command("run", folder, *_flags(place)).code == 0
    with closing(sqlite3.connect(place.workspace.results)) as database, database:
        database.execute("update timing set seconds = null")
    said = command("run", folder, *_flags(place))
    assert said.code == 5
    assert PLAIN in said.out
    assert "timing is null, not a number" in said.err.splitlines()[-1]

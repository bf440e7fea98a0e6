"""A stored number can be computed again from what it was made of, or the reader is shown what changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import UsageError
from harness.data.runs import Run
from harness.data.sources import load
from harness.judging.reproduce import reproduce
from harness.result.store import Results
from harness.scoring.ledger.store import Ledger
from reports.tables.reproduce import reproduced_dict, reproduced_table
from tests.earlier_store import without_sums
from tests.fake_adapters import Plain
from tests.fixtures import Command
from tests.sample_texts import undeclared
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters:Streaming"


def test_an_untouched_number_is_reproduced_without_the_ledger(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "asked.log"
    spec = f"tests.fake_adapters:Plain?log={log}"
    done = place.evaluations(rerankers=[spec], measures=["nDCG@10", "RR@10"])[1]
    asked = len(log.read_text("utf-8").splitlines())
    found = reproduce(place.workspace, done.id[:9])
    assert (found.state, found.again, found.changed) == ("OK", done.id, ())
    assert [one.largest for one in found.deviations] == [0.0, 0.0]
    assert len(log.read_text("utf-8").splitlines()) == asked + done.fresh, "every pair again"
    assert not list(place.workspace.path.glob("reproduce-*")), "nothing is left behind"


def test_a_poisoned_ledger_shows(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Ledger.known

    def poisoned(self: Ledger, *arguments: object) -> object:
        known, entries = honest(self, *arguments)  # type: ignore[arg-type]
        entries.score[:] = -entries.score
        return known, entries

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "known", poisoned)
        done = place.evaluations(rerankers=[FAKE])[1]
    found = reproduce(place.workspace, done.id)
    assert found.state == "differs"
    assert found.deviations[0].stored == pytest.approx(done.values[0].mean())
    assert found.deviations[0].queries > 0
    assert found.changed == (), "the model is the same; its stored scores were not"


def test_a_plugin_that_changed_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    done = place.evaluations(rerankers=[FAKE])[1]
    before = Plain.__init__

    def retrained(self: Plain, **options: object) -> None:
        before(self, **options)  # type: ignore[arg-type]
        self.identity = {**self.identity, "version": 9}

    monkeypatch.setattr(Plain, "__init__", retrained)
    found = reproduce(place.workspace, done.id)
    assert found.changed == ("reranker.version",)
    assert found.state == "close", "the same values, but of something that says it is another"


def test_the_candidates_can_be_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    done = place.evaluations(rerankers=[FAKE])[1]

    def never(*_: object, **__: object) -> Run:
        raise AssertionError("searched again")

    monkeypatch.setattr("harness.scoring.retrieve._fresh", never)
    assert reproduce(place.workspace, done.id, keep_candidates=True).state == "OK"


def test_an_unknown_id_is_one_line(place: Place) -> None:
    place.evaluations()
    with pytest.raises(UsageError, match="no results of a system 'zz'"):
        reproduce(place.workspace, "zz")


def test_the_exit_code_says_whether_the_number_is_the_same(place: Place, command: Command) -> None:
    done = place.evaluations(rerankers=[FAKE])[1]
    workspace = ["--workspace", str(place.workspace.path)]
    said = command("reproduce", done.id, "--json", *workspace)
    assert said.code == 0 and json.loads(said.out)["state"] == "OK"
    with Results(place.workspace.results) as results:
        wrong = np.zeros(len(done.values[0])).astype("<f8").tobytes()
        without_sums(results._database)
        results._database.execute("update value set per_query = ?, mean = 0 where evaluation = ?", (wrong, done.id))
    said = command("reproduce", done.id, *workspace)
    assert said.code == 1 and "differs" in said.out
    assert command("reproduce", "zz", *workspace).code == 2


def test_a_bm25_that_had_another_language_is_run_with_that(place: Place) -> None:
    (collection,) = load(str(undeclared(place.path, "de")), place.workspace)
    old = place.evaluations(collection, first="bm25?language=none", rerankers=["bm25?language=none"])
    now = place.evaluations(collection, first="bm25", rerankers=["bm25"])
    with Results(place.workspace.results) as results:  # as they were called when that was what bm25 did
        without_sums(results._database)
        for one in old:
            row = ("bm25", "bm25" if one.system.reranker else None, one.id)
            results._database.execute("update evaluation set first_stage = ?, reranker = ? where id = ?", row)
    assert {one.id for one in old}.isdisjoint(one.id for one in now)
    first, reranked = (reproduce(place.workspace, one.id) for one in old)
    assert [(one.state, one.again) for one in (first, reranked)] == [("OK", one.id) for one in old]
    assert first.respelled == ("bm25?language=none",)
    assert reproduced_table(first).notes[-1] == "run as 'bm25?language=none', the settings with which it was stored"
    assert reproduced_dict(reranked)["respelled"] == ["bm25?language=none"] * 2
    assert reproduce(place.workspace, now[0].id).respelled == ()

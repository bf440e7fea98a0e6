"""A stored number can be computed again from what it was made of, or the reader is shown what changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from adapters.sums import DamageWarning
from harness.data.runs import Run
from harness.data.sources import load
from harness.data.texts import Block
from harness.judging.reproduce import reproduce
from harness.result.store import Results
from harness.scoring.ledger.store import Ledger
from harness.scoring.retrieve import load_candidates, save_candidates
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


def poison(place: Place) -> None:
    """Exchange what the workspace holds of the collection, with sound checksums: a wrong text, wrong candidates."""
    (file,) = place.workspace.runs.iterdir()
    run = load_candidates(file)
    save_candidates(file, run.rescored(-run.scores))


def test_nothing_is_taken_from_the_workspace_but_the_request(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = place.load()
    monkeypatch.setattr(Block, "texts", lambda *_: ["the mill"] * len(_[1]))
    wrong = place.evaluations(honest, first="bm25", rerankers=[FAKE, "bm25"])
    monkeypatch.undo()
    assert [reproduce(place.workspace, one.id).state for one in wrong] == ["differs"] * 3, "terms and texts were wrong"


def test_poisoned_candidates_show(place: Place) -> None:
    place.evaluations()
    poison(place)
    done = place.evaluations(measures=["RR@10"])[0]
    assert reproduce(place.workspace, done.id).state == "differs"
    assert reproduce(place.workspace, done.id, keep_candidates=True).state == "OK", "that is what was measured"


def test_a_source_that_is_gone_is_one_line_and_the_stored_texts_can_be_used(place: Place, command: Command) -> None:
    done = place.evaluations(rerankers=[FAKE])[1]
    shutil.rmtree(place.path / "coll")
    with pytest.raises(
        DataError, match=r"coll: its source cannot be read again \(.*\); restore it, or add --stored-texts"
    ):
        reproduce(place.workspace, done.id)
    assert reproduce(place.workspace, done.id, stored_texts=True).state == "OK"
    assert command("reproduce", done.id, "--stored-texts", "--workspace", str(place.workspace.path)).code == 0


def test_a_source_that_changed_is_not_taken_for_the_same(place: Place) -> None:
    done = place.evaluations()[0]
    file = place.path / "coll" / "corpus.jsonl"
    file.write_text(file.read_text("utf-8").replace("noon", "nine"), "utf-8")
    with pytest.raises(DataError, match="coll: not the texts and judgments that"):
        reproduce(place.workspace, done.id)


def test_a_collection_that_was_made_again_is_still_reproduced(place: Place) -> None:
    collection = place.load()
    file = place.workspace.collections / collection.fingerprint / "corpus.arrow"
    file.write_bytes(file.read_bytes().replace(b"low tide", b"low side"))
    with pytest.warns(DamageWarning, match="its source is read again"):
        done = place.evaluations(collection)[0]
    assert reproduce(place.workspace, done.id).state == "OK"


def test_damaged_stored_texts_are_not_used(place: Place) -> None:
    done = place.evaluations(rerankers=[FAKE])[1]
    file = place.workspace.collections / done.collection.fingerprint / "corpus.arrow"
    file.write_bytes(file.read_bytes().replace(b"low tide", b"low side"))
    with pytest.raises(DataError, match=r"corpus\.arrow: the text of .* run again, which reads the source again"):
        reproduce(place.workspace, done.id, stored_texts=True)
    assert reproduce(place.workspace, done.id).state == "OK"


def test_a_workspace_that_does_not_know_the_source_says_so(place: Place) -> None:
    done = place.evaluations()[0]
    (place.workspace.collections / "requests" / f"{done.collection.fingerprint}.json").unlink()
    with pytest.raises(DataError, match=r"does not say where coll was read from; run again: .* --stored-texts"):
        reproduce(place.workspace, done.id)


def test_a_target_of_a_set_and_of_a_split_is_found_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.path / "set"
    for name in ("de", "en"):
        place.beir(f"set/{name}", rules=f'language = "{name}"')
    monkeypatch.chdir(place.path)
    collections = load(["./set", "demo/en"], place.workspace, languages=["en"])
    monkeypatch.chdir(folder)
    done = place.evaluations(*collections)
    assert [reproduce(place.workspace, one.id).state for one in done] == ["OK", "OK"]


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

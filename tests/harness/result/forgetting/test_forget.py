"""A workspace can be made smaller without breaking what stays. A user would lose results that a decision rests on, or a
store that can no longer be read."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from adapters.errors import DataError, UsageError
from harness.judging.gate.looks import Look, LookLog, SystemRecord
from harness.result.forgetting import removal
from harness.result.forgetting.plan import ForgetRequest, Removal, planned
from harness.result.forgetting.removal import carried_out
from harness.result.recall import recall
from harness.result.sizes import bytes_by_kind
from harness.result.store import Results
from harness.result.stored import Stored
from harness.scoring.ledger.store import Ledger, inspect
from tests.fixtures import Command
from tests.tiny_collection import CORPUS, FIRST, Place

PLAIN, REVERSE = "tests.fake_adapters:Plain", "control:reverse"


@pytest.fixture
def filled(place: Place) -> Place:
    """Two collections with other texts, a first stage and two rerankers."""
    place.beir()
    place.beir("other", corpus={key: f"{text} today" for key, text in CORPUS.items()})
    collections = [place.load(place.path / name) for name in ("coll", "other")]
    place.evaluations(*collections, rerankers=[PLAIN, REVERSE])
    return place


def stored(place: Place) -> list[Stored]:
    with Results(place.workspace.results) as results:
        results.results()  # every value can be read
        return list(results.all())


def labels(place: Place) -> list[tuple[str, str]]:
    return sorted((one.key.label, one.collection.name) for one in stored(place))


def forget(place: Place, *systems: str, **options: Any) -> Removal:
    plan = planned(place.workspace, ForgetRequest(systems, **options))
    carried_out(place.workspace, plan)
    return plan


def pairs(place: Place) -> int:
    with Ledger(place.workspace.ledger) as ledger:
        return sum(one.pairs for one in ledger.scorers())


def look(place: Place, *, accepted: bool) -> Look:
    ids = [one.id for one in stored(place) if one.reranker == PLAIN]
    sides = (SystemRecord("anchor", ("unknown",), 0.4), SystemRecord("mine", tuple(ids), 0.5))
    return LookLog(place.workspace.results).keep(
        Look("r", "gate", "s", ("c",), "nDCG@10", *sides, "p", "pass", 0.05, {"costs": []}, accepted)
    )


def test_a_system_goes_with_its_scores_and_its_pairs(filled: Place) -> None:
    before, known = bytes_by_kind(filled.workspace), pairs(filled)
    plan = forget(filled, PLAIN)
    assert known > 0 and pairs(filled) == 0
    assert labels(filled) == sorted(
        (one, name) for one in (f"{FIRST} (first stage)", REVERSE) for name in ("coll", "other")
    )
    assert not any((filled.workspace.scored / f"{one.id}.npz").exists() for one in plan.results)
    assert bytes_by_kind(filled.workspace)["scores of results"] < before["scores of results"]
    assert inspect(filled.workspace.ledger).ok
    for one in stored(filled):
        recall(filled.workspace, one.id)


def test_the_pairs_stay_while_the_system_has_another_result(filled: Place) -> None:
    known = pairs(filled)
    forget(filled, PLAIN, collections=["coll"])
    assert pairs(filled) == known
    assert (PLAIN, "other") in labels(filled) and (PLAIN, "coll") not in labels(filled)
    forget(filled, PLAIN)
    assert pairs(filled) == 0


def test_a_collection_goes_with_its_texts_and_candidates_and_no_other_does(filled: Place) -> None:
    plan = forget(filled, collections=["coll"])
    assert plan.names == ("coll",)
    assert {name for _, name in labels(filled)} == {"other"}
    assert len(list(filled.workspace.runs.iterdir())) == 1
    left, folder = stored(filled)[0].collection.fingerprint, filled.workspace.collections
    assert {one.name for one in folder.iterdir()} - {"seen"} == {left, "requests"}
    assert [one.stem for one in (folder / "requests").iterdir()] == [left]
    with closing(sqlite3.connect(filled.workspace.results)) as database:
        assert database.execute("select count(*) from collection").fetchone() == (1,)


def test_what_was_forgotten_is_measured_again_with_the_same_ids(filled: Place) -> None:
    before = {one.id for one in stored(filled)}
    forget(filled, collections=["coll", "other"])
    assert stored(filled) == []
    filled.evaluations(*[filled.load(filled.path / name) for name in ("coll", "other")], rerankers=[PLAIN, REVERSE])
    assert {one.id for one in stored(filled)} == before


def test_texts_without_a_result_are_named_too(place: Place) -> None:
    fingerprint = place.load().fingerprint
    with Results(place.workspace.results):
        pass
    assert forget(place, collections=[fingerprint[:8]]).names == ("coll",)
    assert not (place.workspace.collections / fingerprint).exists()


def test_vectors_and_terms_go_alone(place: Place) -> None:
    pytest.importorskip("Stemmer", reason="BM25 needs the extra 'bm25'")
    place.evaluations(first="bm25?language=en")
    assert list(place.workspace.cache.glob("terms-*"))
    (place.workspace.cache / "embeddings" / "a").mkdir(parents=True)
    (place.workspace.cache / "embeddings" / "a" / "x.npy").write_bytes(b"0" * 100)
    assert forget(place, vectors=True).freed["vectors and terms"] > 100
    assert list(place.workspace.cache.iterdir()) == []
    assert len(stored(place)) == 1


def test_the_terms_of_a_collection_go_with_it(place: Place) -> None:
    pytest.importorskip("Stemmer", reason="BM25 needs the extra 'bm25'")
    place.evaluations(first="bm25?language=en")
    forget(place, collections=["coll"])
    assert list(place.workspace.cache.glob("terms-*")) == []


def test_looks_stay_and_an_accepted_system_is_kept_until_it_is_asked_for(filled: Place) -> None:
    taken = look(filled, accepted=True)
    plan = forget(filled, PLAIN)
    assert plan.results == () and {why for _, why in plan.kept} == {f"accepted by {taken.id}, or its anchor"}
    assert (PLAIN, "coll") in labels(filled)
    assert len(forget(filled, PLAIN, cited=True).results) == 2
    assert [one.id for one in LookLog(filled.workspace.results).all()] == [taken.id]


def test_a_look_that_accepted_nothing_keeps_nothing_and_still_counts(filled: Place) -> None:
    taken = look(filled, accepted=False)
    assert len(forget(filled, PLAIN).results) == 2
    assert [one.id for one in LookLog(filled.workspace.results).all()] == [taken.id]


def test_the_texts_of_a_kept_result_stay(filled: Place) -> None:
    look(filled, accepted=True)
    plan = forget(filled, collections=["coll"])
    assert plan.names == () and {one.reranker for one in plan.results} == {None, REVERSE}
    (kept,) = [one for one in stored(filled) if one.collection.name == "coll"]
    recall(filled.workspace, kept.id)


def test_the_anchor_of_a_policy_is_kept(filled: Place) -> None:
    plan = forget(filled, "*", anchors=[PLAIN, "never measured"])
    assert {why for _, why in plan.kept} == {f"the policy has the anchor '{PLAIN}'"}
    assert {label for label, _ in labels(filled)} == {PLAIN}


def test_what_the_record_of_an_adaptation_cites_is_kept(filled: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.result.forgetting import cited

    filled.workspace.adaptations.mkdir()
    (filled.workspace.adaptations / "adapt-1.json").write_text("{}")
    with pytest.raises(DataError, match=r"adapt-1\.json"):
        forget(filled, PLAIN)
    (one, _) = [one for one in stored(filled) if one.reranker == PLAIN]
    score = type("Score", (), {"evaluation": one.id})
    monkeypatch.setattr(cited, "read_record", lambda _: type("Record", (), {"scores": (score,)}))
    assert [(kept.id, why) for kept, why in forget(filled, PLAIN).kept] == [
        (one.id, "the record adapt-1.json cites it")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "name what to forget"),
        ({"systems": ["nobody"]}, "no results of a system 'nobody'"),
        ({"collections": ["nowhere"]}, "no results of a collection 'nowhere'"),
    ],
)
def test_a_name_that_matches_nothing_is_refused(filled: Place, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        planned(filled.workspace, ForgetRequest(**options))


@pytest.mark.parametrize("dies", ["shutil.rmtree", "Ledger.forget", "Ledger.shrink", "remove_rows"])
def test_a_kill_in_the_middle_leaves_a_readable_store_and_the_same_command_goes_on(
    filled: Place, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    request = ForgetRequest([PLAIN]) if dies.startswith("Ledger") else ForgetRequest(collections=["coll"])
    with monkeypatch.context() as patch:
        patch.setattr(f"{removal.__name__}.{dies}", killed)
        with pytest.raises(KeyboardInterrupt):
            carried_out(filled.workspace, planned(filled.workspace, request))
    assert len(stored(filled)) == 6
    assert filled.load(filled.path / "coll").counts.documents == len(CORPUS)
    plan = planned(filled.workspace, request)
    carried_out(filled.workspace, plan)
    assert len(stored(filled)) == 6 - len(plan.results)
    assert not planned(filled.workspace, replace(request, systems=[], collections=[], vectors=True)).results


def files(place: Place) -> set[str]:
    return {str(file) for file in place.workspace.path.rglob("*") if not file.name.endswith(("-wal", "-shm", ".lock"))}


def test_without_yes_nothing_is_removed_and_the_size_is_said(filled: Place, command: Command) -> None:
    before = files(filled)
    said = command("forget", PLAIN, "--workspace", filled.workspace.path)
    assert said.code == 0
    assert said.out.splitlines()[-1].startswith("nothing is removed yet; --yes removes this and frees about ")
    assert files(filled) == before and len(stored(filled)) == 6


def test_with_yes_it_says_what_was_freed(filled: Place, command: Command) -> None:
    said = command("forget", "--collection", "coll", "--yes", "--json", "--workspace", filled.workspace.path)
    found = json.loads(said.out)
    assert found["removed"] and found["freed"] > 0 and found["collections"] == ["coll"]
    assert len(found["results"]) == 3 and len(stored(filled)) == 3


def test_the_policy_of_the_working_folder_counts(
    filled: Place, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(filled.path)
    (filled.path / "gate.toml").write_text(f'anchor = "{PLAIN}"\n')
    said = command("forget", "*", "--yes", "--workspace", filled.workspace.path)
    assert f"kept: {PLAIN} on coll" in said.out and "--cited removes what is kept" in said.out
    assert {label for label, _ in labels(filled)} == {PLAIN}


def test_a_workspace_without_results_is_one_line(tmp_path: Path, command: Command) -> None:
    said = command("forget", "x", "--workspace", tmp_path / "none")
    assert (said.code, said.err.count("\n")) == (2, 1)


def test_a_store_that_another_process_writes_is_no_bad_data(
    filled: Place, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    monkeypatch.setattr(removal, "remove_rows", Mock(side_effect=error))
    said = command("forget", PLAIN, "--yes", "--workspace", filled.workspace.path)
    assert (said.code, said.err.count("\n")) == (6, 1)

"""The check of a reranker: what a user would lose is a number that changes with the size of a batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import ModelError, UsageError
from adapters.identity import text_digests
from adapters.spec import identity_of, open_reranker
from harness.checks.check import Checked, check
from harness.checks.shift import same_input, shift
from harness.data.collection import sample_queries
from harness.result.store import Results
from harness.scoring.ledger.records import Entries
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

FAKE = "tests.fake_rankers"


def checked(place: Place, spec: str, *folders: Path, **options: object) -> Checked:
    folder = place.path / "coll"
    named = folders or (folder if folder.exists() else place.beir(),)
    collections = [place.load(one) for one in named]
    with place.session() as session:
        return check(spec, collections, session, **{"first_stage": FIRST, "depth": 8, **options})  # type: ignore[arg-type]


def verdicts(found: Checked) -> dict[str, str]:
    return {one.trial: one.verdict for one in found.findings}


def names(found: Checked) -> list[str]:
    return [alarm.name for alarm in found.alarms]


def test_a_score_that_follows_from_the_pair_alone_is_ok(place: Place) -> None:
    found = checked(place, f"{FAKE}:Good")
    assert found.verdict == "OK"
    assert names(found) == []
    same = ("shuffled", "alone", "long neighbours")
    assert {verdicts(found)[trial] for trial in same} == {"OK"}
    assert all(one.shift.largest == 0 for one in found.findings if one.trial in same and one.shift)


def test_scores_that_a_call_normalises_are_broken(place: Place) -> None:
    found = checked(place, f"{FAKE}:Normalised")
    assert found.verdict == "broken"
    assert verdicts(found)["alone"] == "broken"
    assert set(names(found)) == {"batch-dependent"}


def test_a_little_noise_of_the_batch_is_suspicious_and_not_broken(place: Place) -> None:
    found = checked(place, f"{FAKE}:Jittering")
    assert found.verdict == "suspicious"
    assert "batch-dependent" in names(found)


def test_a_window_that_cuts_what_decides_is_suspicious(place: Place) -> None:
    found = checked(place, f"{FAKE}:Window")
    assert verdicts(found)["4 tokens"] == "suspicious"
    assert names(found) == ["truncation"]
    assert verdicts(found)["1 tokens"] == "OK", "a shorter window is reported and not judged"
    assert verdicts(checked(place, f"{FAKE}:Window?max_length=50"))["100 tokens"] == "OK"


def test_half_precision_that_overflows_is_reported(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.checks import invariance

    monkeypatch.setattr(invariance, "_PRECISIONS", ("float32", "float16"))
    monkeypatch.setattr(invariance, "pick_device", lambda _: "cuda")
    found = checked(place, f"{FAKE}:Overflowing")
    assert verdicts(found)["float32 to float16"] == "suspicious"
    assert names(found) == ["half-precision"]
    assert "not finite" in found.alarms[0].message


def test_a_reranker_without_options_says_what_could_not_be_tried(place: Place) -> None:
    found = checked(place, "tests.fake_adapters:Plain")
    assert (
        verdicts(found)["small batches"] == verdicts(found)["precision"] == verdicts(found)["length"] == "not possible"
    )
    assert found.verdict == "OK"


def test_a_poisoned_ledger_is_broken(place: Place) -> None:
    spec = f"{FAKE}:Good"
    place.evaluations(place.load(place.beir()), rerankers=[spec], depth=8)
    sound = checked(place, spec)
    assert verdicts(sound)["the ledger"] == "OK"
    assert next(one.shift.pairs for one in sound.findings if one.trial == "the ledger" and one.shift) == 32 + 16
    other = Place(place.path, place.workspace)
    poison(other, spec)
    found = checked(place, spec)
    assert verdicts(found)["the ledger"] == "broken"
    assert names(found) == ["poisoned-cache"]
    assert f"remove them with `harness forget {spec} --yes`, and run again" in found.alarms[0].message


def poison(place: Place, spec: str) -> None:
    """A ledger in which one score of the reranker is not what it says."""
    place.workspace.ledger.unlink()
    collection = place.load(place.path / "coll")
    with place.session() as session:
        scorer = session.ledger.scorer(dict(identity_of(open_reranker(spec))))
        digests = (
            text_digests(collection.queries.take(np.array([0]))),
            text_digests(collection.corpus.take(np.array([0]))),
        )
        entries = Entries.unknown(1)
        entries.score[:] = 7.5
        session.ledger.record(scorer, *digests, np.zeros((1, 2), np.int64), entries)


def test_a_check_asks_the_model_and_never_the_ledger(place: Place) -> None:
    place.beir()
    poison_first = f"{FAKE}:Good"
    place.evaluations(place.load(place.path / "coll"), rerankers=[poison_first], depth=8)
    before = place.workspace.ledger.stat().st_size
    found = checked(place, poison_first)
    assert found.findings[0].shift is not None
    with place.session() as session:
        assert sum(scorer.pairs for scorer in session.ledger.scorers()) == 28 + 16
    assert before


def test_scoring_again_is_kept_as_the_noise_of_stored_evaluations(place: Place) -> None:
    spec = f"{FAKE}:Good"
    done = place.evaluations(place.load(place.beir()), rerankers=[spec, f"{FAKE}:ByLength"], depth=8)
    found = checked(place, spec)
    assert [(one.evaluation, one.measure, one.difference) for one in found.noise] == [(done[1].id, "nDCG@10", 0.0)]
    with Results(place.workspace.results) as results:
        assert results.noise(done[1].id, "nDCG@10") == 0
        assert results.noise(done[2].id, "nDCG@10") is None


def test_a_sample_of_a_collection_tells_the_noise_of_the_whole(place: Place) -> None:
    done = place.evaluations(place.load(place.beir()), rerankers=[f"{FAKE}:Good"], depth=8)
    found = checked(place, f"{FAKE}:Good", pairs=16)
    assert (found.queries, found.pairs) == (2, 16)
    assert {one.evaluation for one in found.noise} == {done[1].id}


def test_a_stored_sample_gets_the_noise_of_another_sample_of_the_same_collection(place: Place) -> None:
    done = place.evaluations(sample_queries(place.load(place.beir()), 1), rerankers=[f"{FAKE}:Good"], depth=8)
    assert {one.evaluation for one in checked(place, f"{FAKE}:Good").noise} == {done[1].id}


@pytest.mark.parametrize("spec", ["control:oracle", "run:scores.trec"])
def test_what_runs_no_model_cannot_be_checked(place: Place, spec: str) -> None:
    (place.path / "scores.trec").touch()
    named = spec.replace("scores.trec", str(place.path / "scores.trec"))
    with pytest.raises(UsageError, match="runs no model"):
        checked(place, named)


def test_a_reranker_that_cannot_score_at_all_is_an_error_and_no_verdict(place: Place) -> None:
    with pytest.raises(ModelError, match="scores are not finite"):
        checked(place, "tests.fake_adapters:Overflowing")


def test_candidates_that_were_tied_do_not_turn(place: Place) -> None:
    found = place.evaluations(depth=8)[0]
    first = found.run.scores * 0
    moved = shift([found.ground], [first], [found.run.scores * np.float32(1e-6)])
    assert (moved.turned, moved.tops) == (0, 0)
    assert same_input(moved) == "OK"
    turned = shift([found.ground], [found.run.scores], [-found.run.scores])
    assert turned.turned > 0.3
    assert same_input(turned) == "broken"


def test_a_listwise_reranker_is_checked_by_permutation(place: Place) -> None:
    steady, given = checked(place, f"{FAKE}:Lists"), checked(place, f"{FAKE}:AsGiven")
    assert set(verdicts(steady).values()) == {"OK"}
    assert verdicts(given) == {"again": "OK", "shuffled lists": "broken", "outputs": "OK"}
    assert names(given) == ["order-dependent"]
    spoiled = checked(place, f"{FAKE}:Lists?fault=short&every=3")
    assert verdicts(spoiled)["outputs"] == "suspicious"
    assert "malformed-output" in names(spoiled)


def test_real_models_move_by_rounding_only(place: Place) -> None:
    pytest.importorskip("transformers")
    folder = tiny.cross_encoder(place.path / "model", seed=1)
    found = checked(place, str(folder))
    trials = verdicts(found)
    assert [trials[name] for name in ("shuffled", "alone", "small batches", "long neighbours")] == ["OK"] * 4
    assert trials["float32 to bfloat16"] in ("OK", "suspicious")
    assert trials["64 tokens"] == "OK"


def said_verdicts(out: str) -> Sequence[str]:
    return [trial["verdict"] for trial in json.loads(out)["trials"]]


def test_the_exit_code_is_3_for_broken_and_0_for_suspicious(place: Place, command: Command) -> None:
    place.beir()
    common = [place.path / "coll", "--first-stage", FIRST, "--depth", 8, "--workspace", place.workspace.path]
    broken = command("check", f"{FAKE}:Normalised", *common)
    assert broken.code == 3
    assert "[batch-dependent]" in broken.out
    suspicious = command("check", f"{FAKE}:Window", *common, "--json")
    assert suspicious.code == 0
    assert "suspicious" in said_verdicts(suspicious.out)
    assert json.loads(suspicious.out)["alarms"][0]["name"] == "truncation"

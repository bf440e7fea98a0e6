"""What was scored can be looked at later without any model: nobody has to keep a checkpoint to see what it did."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from adapters.sums import DamageWarning
from harness.data.collection import sample_queries
from harness.result.recall import recall
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters"


def test_an_evaluation_comes_back_as_it_was(place: Place) -> None:
    first, reranked = place.evaluations(rerankers=[f"{FAKE}:Streaming"])
    for done in (first, reranked):
        found = recall(place.workspace, done.id)
        assert found.run.digest == done.run.digest
        assert found.candidates.digest == done.ground.candidates.digest
        assert found.collection.fingerprint == done.collection.fingerprint
        assert found.collection.queries.ids() == done.collection.queries.ids()
        assert list(found.collection.corpus) == list(done.collection.corpus)
    assert found.tokens is not None and found.kept is not None
    assert len(found.tokens) == len(found.run)
    assert recall(place.workspace, first.id).tokens is None


def test_a_sample_comes_back_with_its_queries(place: Place) -> None:
    (done,) = place.evaluations(sample_queries(place.load(), 2))
    found = recall(place.workspace, done.id)
    assert found.collection.queries.ids() == done.collection.queries.ids()
    assert found.collection.fingerprint == done.collection.fingerprint
    assert np.array_equal(found.run.offsets, done.run.offsets)


def test_what_is_gone_is_named_with_the_command_that_brings_it_back(place: Place) -> None:
    (done,) = place.evaluations()
    scores = place.workspace.scored / f"{done.id}.npz"
    scores.write_bytes(scores.read_bytes()[:-20])
    with pytest.raises(DataError, match=rf"{scores.name}: it cannot be read .*; run again: "):
        recall(place.workspace, done.id)
    scores.unlink()
    with pytest.raises(DataError, match=r"the file of scores of \w+ is no longer in .*; run again: "):
        recall(place.workspace, done.id)
    for file in place.workspace.runs.iterdir():
        file.unlink()
    with pytest.raises(DataError, match="the candidate file of"):
        recall(place.workspace, done.id)
    shutil.rmtree(place.workspace.collections)
    with pytest.raises(DataError, match="the texts of coll are no longer"):
        recall(place.workspace, done.id)
    with pytest.raises(UsageError, match="no evaluation has the id 'zzz'"):
        recall(place.workspace, "zzz")


def without_checksums(file: Path, **changed: np.ndarray) -> None:
    """Write a file of arrays again as earlier versions did."""
    arrays = {**np.load(file), **changed}
    np.savez(file, **{name: array for name, array in arrays.items() if name != "sums"})


def test_candidates_and_scores_of_an_earlier_version_are_proven_by_the_evaluation(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = place.evaluations(rerankers=[f"{FAKE}:Streaming"])[1]
    (candidates,) = place.workspace.runs.iterdir()
    scores = place.workspace.scored / f"{done.id}.npz"
    without_checksums(candidates)
    without_checksums(scores)
    monkeypatch.setattr("harness.scoring.retrieve._fresh", None)
    found = recall(place.workspace, done.id)
    assert (found.run.digest, found.tokens) == (done.run.digest, None), "nothing proves the counts of tokens"
    without_checksums(candidates)
    place.evaluations(rerankers=[f"{FAKE}:Streaming"])
    assert "sums" in np.load(candidates).files, "the next run gives them checksums, and does not search again"


def test_other_candidates_and_scores_without_checksums_are_refused(place: Place) -> None:
    done = place.evaluations(rerankers=[f"{FAKE}:Streaming"])[1]
    (candidates,) = place.workspace.runs.iterdir()
    scores = place.workspace.scored / f"{done.id}.npz"
    without_checksums(scores, scores=-np.load(scores)["scores"])
    with pytest.raises(DataError, match="the scores do not have the stored values"):
        recall(place.workspace, done.id)
    without_checksums(candidates, documents=np.load(candidates)["documents"][::-1])
    with pytest.raises(DataError, match="its candidates are not those of the evaluation; run again"):
        recall(place.workspace, done.id)
    with pytest.warns(DamageWarning, match="searched again"):
        place.evaluations(rerankers=[f"{FAKE}:Streaming"])
    assert recall(place.workspace, done.id).run.digest == done.run.digest

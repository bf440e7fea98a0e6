"""What was scored can be looked at later without any model: nobody has to keep a checkpoint to see what it did."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
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
    with pytest.raises(DataError, match=r"damaged .*; delete it and run again"):
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

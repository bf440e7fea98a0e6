"""The way of the data, whole: what goes in, what comes out, and what is in the store by then."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.errors import DataError
from harness.measuring.judged import Judged
from harness.result.evaluation import Evaluation
from harness.result.store import Results
from harness.running.experiment import experiment
from harness.scoring.system import systems
from tests.tiny_collection import FIRST, Place, results_in

FAKE = "tests.fake_adapters"


def test_every_system_is_measured_on_every_collection_first_stage_first(place: Place) -> None:
    collections = [place.load(place.beir("one")), place.load(place.beir("two", qrels=[("q1", "d1", 1)]))]
    found = place.evaluations(*collections, rerankers=["control:oracle", f"{FAKE}:Plain"])
    assert [(done.collection.name, done.system.label) for done in found] == [
        (name, label)
        for name in ("one", "two")
        for label in (f"{FIRST} (first stage)", "control:oracle", f"{FAKE}:Plain")
    ]
    assert len({done.run.candidates for done in found[:3]}) == 1, "one collection, one list of candidates"


def test_values_are_those_of_a_ranking_done_by_hand(place: Place) -> None:
    lines = ["q1 Q0 d6 1 0.9 t", "q1 Q0 d4 2 0.8 t", "q1 Q0 d1 3 0.7 t", "q2 Q0 d7 1 0.5 t", "q2 Q0 d3 2 0.5 t"]
    (done,) = place.evaluations(first=f"run:{place.run_file(lines)}", measures=["nDCG@10", "RR@10", "R@2"])
    ideal = 2 + 1 / np.log2(3)
    assert done.values[0].tolist() == pytest.approx([(1 / np.log2(3) + 2 / 2) / ideal, 1 / np.log2(3), 0, 0])
    assert done.values[1].tolist() == pytest.approx([1 / 2, 1 / 2, 0, 0])
    assert done.values[2].tolist() == pytest.approx([1 / 2, 1, 0, 0])


def test_each_result_is_in_the_store_before_the_next_is_begun(place: Place) -> None:
    rerankers = [f"{FAKE}:Plain", f"{FAKE}:Streaming?lives=0"]
    with place.session() as session:
        evaluated = systems(FIRST, rerankers, 5, place.workspace)
        running = experiment([place.load()], evaluated, [], session)
        done = [next(running).id, next(running).id]
        with Results(place.workspace.results) as results:
            assert {stored.id for stored in results.all()} == set(done)


def test_a_failing_system_costs_none_of_those_before_it(place: Place) -> None:
    with pytest.raises(Exception, match="not finite"):
        place.evaluations(rerankers=[f"{FAKE}:Plain", f"{FAKE}:Overflowing"])
    with Results(place.workspace.results) as results:
        assert [stored.system for stored in results.all()].count(f"{FAKE}:Plain") == 1


def test_a_value_that_trec_eval_does_not_confirm_never_reaches_the_store(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = Judged.values
    monkeypatch.setattr(Judged, "values", lambda self, *rest: true(self, *rest) * 0.999)
    with pytest.raises(DataError, match="in trec_eval"):
        place.evaluations()
    with Results(place.workspace.results) as results:
        assert list(results.all()) == []


def speed(evaluation: Evaluation) -> float | None:
    return results_in([evaluation])[0].pairs_per_second


def test_speed_counts_only_pairs_that_a_model_scored(place: Place) -> None:
    first, model, control = place.evaluations(rerankers=[f"{FAKE}:Plain", "control:oracle"])
    assert [speed(one) for one in (first, control)] == [None, None]
    assert speed(model) is not None
    assert model.fresh == 18
    again = place.evaluations(place.load(place.path / "coll"), rerankers=[f"{FAKE}:Plain"])[1]
    assert (again.fresh, again.seconds) == (0, 0)
    assert speed(again) == pytest.approx(speed(model)), "known from the time when it was scored"


def test_alarms_of_the_candidates_and_of_the_system_stand_together(place: Place) -> None:
    done = place.evaluations(rerankers=[f"{FAKE}:Constant"], depth=8)[1]
    assert done.alarms == (*done.ground.alarms, *done.audit.alarms)
    assert done.audit.alarms

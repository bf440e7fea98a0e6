"""What is known of the candidates before any model is asked: their ceiling, their floor, and whether ids tell tales."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from harness.data.sources import load
from harness.measuring.controls import control_scores
from harness.scoring import ground as module
from harness.scoring.ground import CandidatePool, prepare
from harness.scoring.retrieve import first_stage
from tests.tiny_collection import FIRST, Place

MEASURES = ["nDCG@10", "nDCG@3", "AP", "RR@10", "P@5", "R@3", "Success@1"]


def grounded(place: Place, first: str = FIRST, depth: int = 5, measures: list[str] = MEASURES) -> CandidatePool:
    with place.session() as session:
        return prepare(place.load(), first_stage(first, place.workspace), depth, measures, session)


def labelled(place: Place, name_of: dict[int, str]) -> CandidatePool:
    """60 queries with 6 candidates each, all with the same score; `name_of` names relevant and other documents."""
    corpus, qrels, lines = {}, [], []
    for query in range(60):
        for number in range(6):
            grade = int(number == query % 6)
            name = f"{name_of[grade]}{random.Random(query * 6 + number).randrange(10**9):09}"
            corpus[name] = f"text {query} {number}"
            lines.append(f"q{query} Q0 {name} 1 1.0 t")
            qrels.append((f"q{query}", name, grade))
    queries = {f"q{query}": f"text {query}" for query in range(60)}
    collection = place.load(place.beir("labelled", corpus, queries, qrels))
    with place.session() as session:
        file = first_stage(f"run:{place.run_file(lines)}", place.workspace)
        return prepare(collection, file, 10, ["nDCG@10", "RR@10"], session)


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_the_identity_order_is_the_first_stage_to_the_last_bit(place: Place, depth: int) -> None:
    ground = grounded(place, depth=depth)
    assert np.array_equal(ground.controls["identity"], ground.first_stage)
    assert ground.first_stage.shape == (len(MEASURES), 4)


def test_a_first_stage_that_its_identity_does_not_reproduce_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "control_scores", lambda name, judged: control_scores("reverse" if name == "identity" else name, judged)
    )
    with pytest.raises(DataError, match="coll: the identity order does not reproduce the first stage"):
        grounded(place)


def test_no_order_of_the_candidates_beats_the_oracle_or_loses_to_the_anti_oracle(place: Place) -> None:
    ground = grounded(place, depth=8)
    best, worst = ground.controls["oracle"], ground.controls["anti-oracle"]
    generator = np.random.default_rng(0)
    for _ in range(50):
        values = ground.judged.values(ground.measures, generator.integers(0, 5, len(ground.candidates)))
        assert (worst - 1e-12 <= values).all()
        assert (values <= best + 1e-12).all()
    for name in ("identity", "reverse", "constant", "random", "chance"):
        assert (worst - 1e-12 <= ground.controls[name]).all()
        assert (ground.controls[name] <= best + 1e-12).all()


def test_the_ceiling_counts_what_the_first_stage_did_not_find(place: Place) -> None:
    lines = ["q1 Q0 d4 1 0.5 t", "q2 Q0 d1 1 0.5 t"]
    ground = grounded(place, f"run:{place.run_file(lines)}", measures=["R@100"])
    assert ground.controls["oracle"].tolist() == [[0.5, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize("names", [{0: "a", 1: "z"}, {0: "negative_", 1: "apositive_"}])
def test_ids_that_carry_the_label_raise_the_alarm_whichever_way_they_sort(place: Place, names: dict[int, str]) -> None:
    alarms = labelled(place, names).alarms
    assert len(alarms) == 2
    assert str(alarms[0]).startswith("the order of the document ids alone moves nDCG@10 by ")
    assert str(alarms[0]).endswith("points: ids carry the label")


def test_ids_that_follow_the_order_of_a_text_are_no_label(place: Place, shared_data: Path) -> None:
    pytest.importorskip("Stemmer", reason="PyStemmer is not installed")
    (collection,) = load(str(shared_data / "xquad" / "vi"), place.workspace)
    with place.session() as session:
        ground = prepare(collection, first_stage("bm25", place.workspace), 10, [], session)
    lean = (ground.controls["constant"] - ground.controls["chance"]).mean()
    assert abs(lean) > 0.02  # so that the case is one
    assert ground.alarms == ()


def test_a_handful_of_queries_accuses_no_ids(place: Place) -> None:
    assert grounded(place).alarms == ()


def test_ids_that_say_nothing_raise_no_alarm(place: Place) -> None:
    assert labelled(place, {0: "d", 1: "d"}).alarms == ()


def test_a_measure_that_is_named_twice_is_one_and_none_means_the_main_one(place: Place) -> None:
    with place.session() as session:
        stage = first_stage(FIRST, place.workspace)
        named = prepare(place.load(), stage, 5, ["ndcg@10", "nDCG@10", "rr@10"], session)
        assert list(map(str, named.measures)) == ["nDCG@10", "RR@10"]
        ruled = place.load(place.beir("ruled", rules='main_measure = "AP@1000"'))
        assert list(map(str, prepare(ruled, stage, 5, [], session).measures)) == ["AP@1000"]
        with pytest.raises(UsageError, match="unknown measure 'nCDG@10'"):
            prepare(ruled, stage, 5, ["nCDG@10"], session)


def test_means_name_every_control_and_measure(place: Place) -> None:
    ground = grounded(place, measures=["nDCG@10"])
    means = ground.means()
    assert list(means) == ["identity", "reverse", "constant", "random", "oracle", "anti-oracle", "chance"]
    assert means["identity"] == {"nDCG@10": pytest.approx(ground.first_stage.mean())}

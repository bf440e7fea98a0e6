"""Hazards that cannot happen here: each is planted, and changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.measuring.controls import expected_random
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from tests.planted_candidates import QUERIES, WIDTH, alarms_of, planted, sane
from tests.tiny_collection import QRELS, Place

MEASURES = ["nDCG@10", "RR@10", "AP", "R@5"]


def test_the_order_of_the_candidates_in_memory_changes_no_value_of_a_constant_scorer(place: Place) -> None:
    """The field's MRR of 100 for a constant scorer (mteb issue 5092) came from ties in the order of the input."""
    ground = planted(place)
    run, constant = ground.candidates, np.ones(QUERIES * WIDTH, np.float32)
    expected = ground.judged.values(ground.measures, constant)
    first = np.lexsort((-ground.judged.grades, run.queries))  # relevant ones first
    for order in (first, np.lexsort((np.random.default_rng(0).random(len(run)), run.queries))):
        shuffled = Run(run.offsets, run.documents[order], run.scores[order], run.tiebreaks[order])
        other = Judged(shuffled, ground.judged.qrels, QUERIES)
        assert np.array_equal(other.values(ground.measures, constant), expected)


def test_what_a_reranking_row_lists_first_gains_nothing(place: Place) -> None:
    values = []
    for first, second in (("positive", "negative"), ("negative", "positive")):
        rows = [
            {"query": f"query {n}", first: [f"{first} {n}"], second: [f"{second} {n} {i}" for i in range(3)]}
            for n in range(12)
        ]
        file = place.path / f"{first}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        (given, constant) = place.evaluations(
            place.load(file), first="given", rerankers=["control:constant"], measures=["RR@10"]
        )
        assert np.array_equal(given.values, constant.values), "given lists are one tie"
        assert given.ground.alarms == ()
        values.append(float(constant.values.mean() - constant.ground.controls["chance"].mean()))
    assert max(map(abs, values)) < 0.25, "a quarter of the way at most, by luck; the field's old rule gives all of it"


def test_scores_that_differ_behind_float32_are_a_tie_for_everybody() -> None:
    """trec_eval keeps float32: two evaluators would disagree about these two."""
    run = Run(np.array([0, 2]), np.array([0, 1], np.int32), np.zeros(2, np.float32), np.array([0, 1], np.int32))
    judged = Judged(run, Qrels(*np.array([[0], [0], [1]], np.int32)), 1)
    (low,), (high,) = judged.bounds([parse("RR@10")], np.array([0.9999999999, 0.9999999998]))
    assert (low, high) == (0.5, 1.0)


def test_positives_that_a_run_file_adds_gain_nothing(place: Place) -> None:
    collection = place.load()
    first, *_ = place.evaluations(collection, depth=1)
    missed = [f"{q} Q0 {d} 1 99 t" for q, d, grade in QRELS if grade]
    ids = collection.corpus.ids(first.run.documents)
    own = {(collection.queries.ids()[q], d) for q, d in zip(first.run.queries, ids, strict=True)}
    lines = [f"{q} Q0 {d} 1 {i}.5 t" for i, (q, d) in enumerate(sorted(own))]
    added = [line for line in missed if (line.split()[0], line.split()[2]) not in own]
    assert added, "the first stage missed some, so there is something to add"
    measures = ["R@100", "nDCG@10"]
    plain, injected = (
        place.evaluations(collection, depth=1, rerankers=[f"run:{place.run_file(given, name)}"], measures=measures)[1]
        for name, given in (("plain.trec", lines), ("injected.trec", lines + added))
    )
    assert np.array_equal(plain.values, injected.values)
    assert np.array_equal(injected.values[0], first.ground.judged.values([parse("R@100")])[0])
    assert injected.audit.membership_kept


def test_half_of_the_queries_are_not_the_mean_of_the_split(place: Place) -> None:
    collection = place.load()
    (whole,) = place.evaluations(collection, measures=["R@100"])
    half = place.run_file(["q1 Q0 d1 1 2 t", "q1 Q0 d4 1 1 t", "q2 Q0 d3 1 1 t"])
    (found,) = place.evaluations(collection, first=f"run:{half}", measures=["R@100"])
    assert found.values.tolist() == [[1.0, 1.0, 0.0, 0.0]]
    assert len(found.values[0]) == len(whole.values[0]) == 4
    assert [alarm.name for alarm in found.alarms] == ["missing-queries"]


def test_relevant_documents_that_were_not_found_stay_in_the_ideal(place: Place) -> None:
    (found,) = place.evaluations(first=f"run:{place.run_file(['q1 Q0 d4 1 1 t'])}", measures=["nDCG@10"])
    assert found.ground.controls["oracle"][0, 0] == pytest.approx(1 / (2 + 1 / np.log2(3)))


def test_two_checkpoints_of_one_name_share_no_score(place: Place) -> None:
    names = [f"tests.fake_adapters:Plain?version={version}" for version in (1, 2)]
    _, one, two = place.evaluations(place.load(), rerankers=names)
    assert (one.fresh, two.fresh) == (18, 18)
    assert one.id != two.id


@pytest.mark.parametrize(
    ("size", "reciprocal", "gain"), [(9, 0.3143, 0.4727), (26, 0.1127, 0.1748), (100, 0.0293, 0.0454)]
)
def test_chance_is_the_closed_form_of_one_relevant_document(size: int, reciprocal: float, gain: float) -> None:
    documents = np.arange(size, dtype=np.int32)
    run = Run(np.array([0, size]), documents, np.zeros(size, np.float32), documents)
    judged = Judged(run, Qrels(*np.array([[0], [3], [1]], np.int32)), 1)
    found = expected_random(judged, [parse("RR@10"), parse("nDCG@10")])[:, 0]
    assert found == pytest.approx([reciprocal, gain], abs=5e-5)


def test_the_oracle_loses_with_every_wrong_label_down_to_chance(place: Place) -> None:
    ground = planted(place)
    names = [f"control:oracle?noise={noise}" for noise in ("0", "0.25", "0.5", "1")]
    collection = ground.collection
    first = f"run:{place.path / 'run.trec'}"
    made = place.evaluations(collection, first=first, rerankers=names, measures=MEASURES, depth=WIDTH)
    values = [float(one.values[0].mean()) for one in made[1:]]
    assert values == sorted(values, reverse=True)
    assert values[0] == float(ground.controls["oracle"][0].mean())
    assert values[-1] == pytest.approx(float(ground.controls["chance"][0].mean()), abs=0.1)


def test_length_alone_can_be_asked_for(place: Place) -> None:
    ground = planted(place, text=lambda query, rank: "word " * (30 if rank == query % 5 else 3 + rank) + f"{query}")
    first = f"run:{place.path / 'run.trec'}"
    _, longest = place.evaluations(ground.collection, first=first, rerankers=["control:length"], measures=["RR@10"])
    assert longest.values.mean() == 1.0


def test_a_sane_order_is_above_chance_and_raises_nothing(place: Place) -> None:
    assert alarms_of(planted(place), sane()) == {}


def test_a_first_stage_that_is_one_tie_has_no_order_to_give_back(place: Place) -> None:
    ground = planted(place)
    tie = replace(ground, candidates=ground.candidates.rescored(np.zeros(QUERIES * WIDTH, np.float32)))
    assert set(alarms_of(tie, np.ones((QUERIES, WIDTH), np.float32))) == {"constant-scores", "tied-order"}

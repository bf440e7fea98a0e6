"""Robustness of rerankers: which queries and documents are taken, what is scored, and what is kept."""

from __future__ import annotations

import numpy as np
import pytest

from harness.checks.robustness import battery_of
from harness.checks.unrelated import chosen_queries
from harness.measuring.robustness.perturbations import ATTACKS, PERTURBATIONS
from harness.measuring.robustness.perturbed import ANY, RELEVANT, Perturbed
from harness.result.evaluation import Evaluation
from harness.result.store import Results
from harness.running.experiment import experiment
from harness.scoring.system import systems
from tests import fake_rankers
from tests.fake_rankers import shared
from tests.tiny_collection import FIRST, Place, results_in

GOOD = "tests.fake_rankers:Good"


def run(place: Place, *names: str, reranker: str = GOOD, queries: int = 300, depth: int = 3) -> Evaluation:
    with place.session() as session:
        evaluated = systems(FIRST, [reranker], depth, place.workspace)
        found = experiment([place.load()], evaluated, [], session, battery=battery_of(names, queries))
        return list(found)[-1]


def rows(evaluation: Evaluation) -> dict[tuple[str, str], Perturbed]:
    return {(one.name, one.measure): one for one in evaluation.perturbed}


def test_the_unrelated_document_is_neither_a_candidate_nor_judged_nor_a_copy(place: Place) -> None:
    done = run(place)
    chosen, run_, collection = chosen_queries(done.collection, done.ground.judged, 300), done.run, done.collection
    assert len(chosen.rows)
    for query, document in zip(chosen.rows.tolist(), chosen.unrelated.tolist(), strict=True):
        own = run_.documents[run_.offsets[query] : run_.offsets[query + 1]].tolist()
        judged = collection.qrels.documents[collection.qrels.queries == query].tolist()
        assert collection.corpus[document] not in {collection.corpus[one] for one in (*own, *judged)}
        others = collection.qrels.documents[(collection.qrels.queries != query) & (collection.qrels.grades > 0)]
        assert document in others


def test_the_sample_is_the_same_for_every_system_and_a_larger_one_contains_it(place: Place) -> None:
    done, other = run(place), run(place, reranker="tests.fake_rankers:ByLength")
    small, large = (chosen_queries(done.collection, done.ground.judged, size) for size in (2, 3))
    again = chosen_queries(other.collection, other.ground.judged, 2)
    assert small.rows.tolist() == again.rows.tolist() and small.unrelated.tolist() == again.unrelated.tolist()
    assert set(small.rows.tolist()) < set(large.rows.tolist())
    assert small.eligible == large.eligible


def test_margins_are_those_of_scores_done_by_hand(place: Place) -> None:
    done = run(place, "attacks")
    chosen = chosen_queries(done.collection, done.ground.judged, 300)
    grades = done.ground.judged.grades
    for place_, (query, document) in enumerate(zip(chosen.rows.tolist(), chosen.unrelated.tolist(), strict=True)):
        text, unrelated = done.collection.queries[query], done.collection.corpus[document]
        candidates = range(done.run.offsets[query], done.run.offsets[query + 1])
        best = max(float(done.run.scores[row]) for row in candidates if grades[row] >= 1)
        over = max(float(done.run.scores[row]) for row in candidates)
        for attack in ATTACKS:
            score = float(np.float32(shared(text, attack.document(text, unrelated))))
            assert rows(done)[attack.name, RELEVANT].values[place_] == score - best
            assert rows(done)[attack.name, ANY].values[place_] == score - over


def test_a_model_that_counts_words_is_deceived_and_one_that_does_not_read_the_query_is_not_by_words(
    place: Place,
) -> None:
    values = rows(run(place, "stuffing", "nothing"))
    assert (values["stuffing-start", RELEVANT].values >= 0).all()
    assert (values["unrelated", RELEVANT].values < 0).all() and (values["empty", RELEVANT].values < 0).all()


def test_unchanged_queries_have_the_values_of_the_run(place: Place) -> None:
    place.beir(queries={"q1": "when does the FERRY leave the harbour", "q3": "when is low tide"}, qrels=[
        ("q1", "d1", 2), ("q3", "d5", 1),
    ])  # fmt: skip
    done = run(place, "lower")
    (lower,) = done.perturbed
    own = dict(zip(done.collection.queries.ids(), done.values[0].tolist(), strict=True))
    values = dict(zip(lower.ids, lower.values.tolist(), strict=True))
    assert values["q3"] == own["q3"] and lower.changed == 1


def test_values_on_changed_queries_are_those_of_a_collection_with_these_queries(place: Place) -> None:
    done = run(place, "typos")
    (typos,) = done.perturbed
    change = PERTURBATIONS["typos"].query  # type: ignore[union-attr]
    texts = {id: change(text) for id, text in zip(done.collection.queries.ids(), done.collection.queries, strict=True)}
    fake, values = fake_rankers.Good(), dict(zip(typos.ids, typos.values.tolist(), strict=True))
    for query, id in enumerate(done.collection.queries.ids()):
        if id in values:
            scores = done.run.scores.copy()
            for row in range(done.run.offsets[query], done.run.offsets[query + 1]):
                scores[row] = fake.value(texts[id], done.collection.corpus[int(done.run.documents[row])])
            assert done.ground.judged.values(done.measures, scores)[0, query] == values[id]


def test_every_pair_is_scored_once_and_a_second_run_scores_none(place: Place) -> None:
    log = place.log()
    first = run(place, "all", reranker=f"{GOOD}?log={log}")
    asked = log.read_text("utf-8").splitlines()
    assert len(asked) == len(set(asked))
    again = run(place, "all", reranker=f"{GOOD}?log={log}")
    assert log.read_text("utf-8").splitlines() == asked
    for one, other in zip(first.perturbed, again.perturbed, strict=True):
        assert (one.values == other.values).all()


def test_a_killed_battery_continues_where_it_was(place: Place) -> None:
    fake, killed, whole = "tests.fake_adapters:Streaming", place.log("killed"), place.log("whole")
    run(place, reranker=fake)
    with pytest.raises(RuntimeError, match="the card fell off"):
        run(place, "attacks", reranker=f"{fake}?lives=3&log={killed}")
    done = run(place, "attacks", reranker=f"{fake}?log={whole}")
    first, rest = (log.read_text("utf-8").splitlines() for log in (killed, whole))
    assert len(first) == 6 and not set(first) & set(rest), "what was scored before the kill is not scored again"
    assert {one.name for one in done.perturbed} == {one.name for one in ATTACKS}


def test_the_store_gives_back_what_was_measured(place: Place) -> None:
    done = run(place, "all")
    with Results(place.workspace.results) as results:
        stored = {(one.name, one.measure): one for one in results.results([done.id])[0].perturbed}
    assert stored.keys() == rows(done).keys()
    for key, one in rows(done).items():
        assert (stored[key].values == one.values).all()
        assert (stored[key].ids, stored[key].changed, stored[key].eligible) == (one.ids, one.changed, one.eligible)


def test_other_perturbations_are_added_to_those_that_are_stored(place: Place) -> None:
    done = run(place, "stuffing")
    run(place, "typos")
    with Results(place.workspace.results) as results:
        names = {one.name for one in results.results([done.id])[0].perturbed}
    assert names == {"unrelated", "stuffing-start", "stuffing-end", "stuffing-repeated", "typos"}


def test_a_first_stage_a_control_and_a_run_without_names_have_none(place: Place) -> None:
    assert run(place).perturbed == ()
    assert run(place, "all", reranker="control:oracle").perturbed == ()
    assert all(not one.perturbed for one in results_in([run(place, "all", reranker="control:random")]))

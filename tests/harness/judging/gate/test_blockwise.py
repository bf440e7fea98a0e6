"""Scoring block after block: what a user would lose is the pairs that a certain verdict need not cost, and numbers that
are the same as if the queries had been run by themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adapters.errors import UsageError
from harness.data.collection import changes_of, with_queries
from harness.judging.gate import blockwise
from harness.judging.gate.blockwise import Stopped, run_blocks
from harness.judging.gate.sequential import SequentialRule
from harness.measuring.statistics.design import Questions
from harness.running.experiment import evaluate
from harness.scoring import ground as grounds
from harness.scoring.ground import CandidatePool, part_of, prepare
from harness.scoring.system import systems
from tests.fake_adapters import asked
from tests.tiny_collection import FIRST, Place

FAKE = "tests.fake_adapters"
RULE = SequentialRule()
NOBODY = replace(RULE, early=1e-12, local_alpha=1e-12)
"""A rule that nothing is certain enough for."""
QUERIES = {"many": 120, "few": 40}


def ground(place: Place, name: str, size: int) -> CandidatePool:
    """Every query has one relevant document, among five that share its first word."""
    corpus = {f"d{doc:03}": f"w{doc // 5} x{doc}" for doc in range(50)}
    queries = {f"q{row:03}": f"w{row % 10} please {name} {row}" for row in range(size)}
    qrels = [(f"q{row:03}", f"d{5 * (row % 10) + row % 5:03}", 1) for row in range(size)]
    folder = place.beir(name, corpus, queries, qrels)
    with place.session() as session:
        return prepare(place.load(folder), systems(FIRST, [], 5, place.workspace)[0].first_stage, 5, [], session)


@pytest.fixture
def both(place: Place) -> list[CandidatePool]:
    return [ground(place, name, size) for name, size in QUERIES.items()]


def gate(
    place: Place, both: list[CandidatePool], anchor: str, candidate: str, rule: SequentialRule = RULE, *, seed: int = 0
) -> Stopped:
    _, old, new = systems(FIRST, [anchor, candidate], 5, place.workspace)
    with place.session() as session:
        return run_blocks(both, old, new, rule, session, seed=seed)


def test_pairs_of_queries_that_are_not_needed_are_never_scored(place: Place, both: list[CandidatePool]) -> None:
    log = place.log()
    found = gate(place, both, "control:oracle", f"{FAKE}:Plain?log={log}")
    assert found.decision.verdict == "refused"
    used = sum(found.decision.used)
    assert used < sum(QUERIES.values()) / 2
    assert len(asked(log)) == len(set(asked(log))) == 5 * used
    pairs = found.candidate_pairs
    assert (pairs.planned, pairs.used, pairs.fresh, pairs.saved) == (800, 5 * used, 5 * used, 800 - 5 * used)
    assert found.anchor_pairs.fresh == 0, "a control scores no pair"
    assert sum(one.fresh for one in found.candidate) == 5 * used


def test_blocks_never_search_the_corpus_again(
    place: Place, both: list[CandidatePool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounds, "retrieve", lambda *_: pytest.fail("searched again"))
    assert gate(place, both, "control:oracle", "control:anti-oracle").decision.blocks > 0


def test_the_same_gate_again_scores_nothing_and_says_the_same(place: Place, both: list[CandidatePool]) -> None:
    first, again = (gate(place, both, f"{FAKE}:Streaming", f"{FAKE}:Plain") for _ in range(2))
    assert again.candidate_pairs.fresh == again.anchor_pairs.fresh == 0
    assert again.decision == first.decision
    assert [one.id for one in again.candidate] == [one.id for one in first.candidate]


def test_the_order_of_the_queries_is_a_lot_that_the_seed_draws(place: Place, both: list[CandidatePool]) -> None:
    taken = [
        [
            one.collection.queries.ids()
            for one in gate(place, both, "control:oracle", "control:anti-oracle", seed=seed).anchor
        ]
        for seed in (0, 0, 1)
    ]
    assert taken[0] == taken[1] != taken[2]
    assert taken[0][0] != sorted(QUERIES)[: len(taken[0][0])]


def test_the_decision_rests_on_the_queries_of_the_evaluations_that_come_with_it(
    place: Place, both: list[CandidatePool]
) -> None:
    found = gate(place, both, f"{FAKE}:Plain", "control:anti-oracle")
    assert [one.values.shape[1] for one in found.anchor] == list(found.decision.used)
    means = [(new.values[0] - old.values[0]).mean() for old, new in zip(found.anchor, found.candidate, strict=True)]
    assert found.decision.delta == pytest.approx(np.mean(means))


def test_with_every_query_used_the_evaluations_are_those_of_a_whole_run(
    place: Place, both: list[CandidatePool]
) -> None:
    found = gate(place, both, f"{FAKE}:Plain", "control:random", NOBODY)
    assert found.decision.verdict is None
    assert found.candidate_pairs.saved == 0
    _, system = systems(FIRST, [f"{FAKE}:Plain"], 5, place.workspace)
    with place.session() as session:
        whole = [evaluate(one, system, session) for one in both]
    assert [one.id for one in found.anchor] == [one.id for one in whole]
    assert np.array_equal(found.anchor[0].values, whole[0].values)


def test_a_cut_ground_is_that_of_the_queries_searched_by_themselves(place: Place, both: list[CandidatePool]) -> None:
    rows = np.array([7, 3, 100, 31])
    cut = part_of(both[0], rows)
    with place.session() as session:
        alone = prepare(
            with_queries(both[0].collection, rows),
            systems(FIRST, [], 5, place.workspace)[0].first_stage,
            5,
            [],
            session,
        )
    assert cut.collection.fingerprint == alone.collection.fingerprint
    assert cut.candidates.digest == alone.candidates.digest
    assert np.array_equal(cut.first_stage, alone.first_stage)
    assert np.array_equal(cut.first_stage, both[0].first_stage[:, np.sort(rows)])


def test_a_query_without_candidates_is_cut_too(place: Place) -> None:
    lines = ["q1 Q0 d1 1 0.9 t", "q3 Q0 d5 1 0.8 t", "q3 Q0 d2 2 0.8 t"]
    stage = systems(f"run:{place.run_file(lines)}", [], 5, place.workspace)[0].first_stage
    with place.session() as session:
        whole = prepare(place.load(), stage, 5, [], session)
    cut = part_of(whole, np.array([1, 2]))
    assert cut.candidates.offsets.tolist() == [0, 0, 2]
    assert np.array_equal(cut.first_stage, whole.first_stage[:, [1, 2]])


def test_a_question_is_scored_in_all_its_languages_at_once(
    place: Place, both: list[CandidatePool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blockwise, "questions_of", lambda collection: Questions("set", tuple(collection.queries.ids())))
    found = gate(place, both, "control:oracle", "control:anti-oracle", replace(RULE, early=0.01))
    many, few = (one.collection for one in found.anchor)
    asked_in_both = set(many.queries.ids()) & {f"q{row:03}" for row in range(QUERIES["few"])}
    assert set(few.queries.ids()) == asked_in_both != set()
    assert len(many.queries) < QUERIES["many"]


def test_questions_that_are_asked_twice_are_refused_in_one_line(place: Place, both: list[CandidatePool]) -> None:
    twice = replace(both[0], collection=replace(both[0].collection, changes=changes_of({"q1": [0]})))
    with pytest.raises(UsageError, match="many has pairs of queries; run the gate without --sequential"):
        gate(place, [twice, both[1]], "control:oracle", "control:random")


def test_headroom_is_known_once_every_pair_of_the_anchor_is(place: Place, both: list[CandidatePool]) -> None:
    """It is the best value of the candidates minus the anchor's, and nothing is scored to find it."""
    log = place.log()
    _, model, control = systems(FIRST, [f"{FAKE}:Plain?log={log}", "control:random"], 5, place.workspace)
    with place.session() as session:
        assert blockwise.headroom(both, model, session) is None
        whole = [evaluate(one, model, session) for one in both]
        count = len(asked(log))
        known = blockwise.headroom(both, model, session)
        assert known is not None and len(asked(log)) == count
        for one, own, room in zip(both, whole, known, strict=True):
            assert room == pytest.approx(one.controls["oracle"][0] - own.values[0])
        assert blockwise.headroom(both, control, session) is None, "its values depend on the block"


def test_a_gate_with_a_known_anchor_stops_no_later(place: Place, both: list[CandidatePool]) -> None:
    anchor, candidate = "tests.harness.judging.gate.fakes:Reader", "control:anti-oracle"
    unknown = gate(place, both[:1], anchor, candidate)
    _, system = systems(FIRST, [anchor], 5, place.workspace)
    with place.session() as session:
        evaluate(both[0], system, session)
    known = gate(place, both[:1], anchor, candidate)
    assert known.headroom and not unknown.headroom
    assert known.decision.verdict == unknown.decision.verdict == "refused"
    assert known.decision.used <= unknown.decision.used


def test_languages_that_list_their_queries_in_another_order_are_paired_by_question(place: Place) -> None:
    """A collection lists its queries in its own order; the values of a block have to follow the order of the draws."""
    pool = ground(place, "listed", 60)
    rows = np.array([41, 3, 17, 59])
    _, system = systems(FIRST, [f"{FAKE}:Plain"], 5, place.workspace)
    with place.session() as session:
        whole = evaluate(pool, system, session).values[0]
        (values,) = blockwise._Side(system, session).values([pool], [rows])
    assert np.array_equal(values, whole[rows])
    assert len(set(values.tolist())) > 1

"""Whatever a number should not be trusted for is counted: ties, truncation, doubles and holes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.scoring.audit import Audit, audit
from harness.scoring.ground import prepare
from harness.scoring.retrieve import first_stage
from harness.scoring.system import Scores
from tests.tiny_collection import FIRST, Place

FAKE = "tests.fake_adapters"


def audited(place: Place, reranker: str, depth: int = 8) -> Audit:
    """The audit of one fake reranker on the tiny collection."""
    return place.evaluations(rerankers=[f"{FAKE}:{reranker}"], depth=depth)[1].audit


def alarms(found: Audit) -> str:
    return "\n".join(map(str, found.alarms))


def test_a_sound_reranker_raises_no_alarm(place: Place) -> None:
    found = audited(place, "Streaming")
    assert found.tokens is not None
    assert (found.tokens.truncated, found.tokens.truncated_away, found.tokens.identical_inputs) == (0, 0, None)
    assert (found.constant_queries, found.membership_kept, found.candidates) == (0, True, 32)


def test_a_constant_scorer_is_flagged_with_what_its_ties_are_worth(place: Place) -> None:
    found = audited(place, "Constant")
    assert found.constant_queries == 4
    assert found.tie_span["nDCG@10"] > 0.3
    assert "every candidate got the same score for 4 of 4 queries" in alarms(found)
    assert "the order of equal scores moves nDCG@10 by " in alarms(found)


def test_one_candidate_is_not_a_constant_query(place: Place) -> None:
    assert audited(place, "Constant", depth=1).constant_queries == 0


def test_given_lists_are_tied_by_design_so_their_span_is_reported_without_an_alarm(place: Place) -> None:
    (given,) = place.evaluations(place.load(place.reranking_rows()), first="given")
    assert given.audit.constant_queries == 2
    assert given.audit.tie_span["nDCG@10"] > 0.3
    assert given.audit.alarms == ()


def test_documents_that_never_reached_the_model_are_flagged(place: Place) -> None:
    found = audited(place, "Short?words=0")
    assert found.tokens is not None
    assert (found.tokens.truncated, found.tokens.truncated_half, found.tokens.truncated_away) == (32, 32, 32)
    assert "32 documents were truncated away whole" in alarms(found)


def test_truncation_is_counted_by_how_much_was_lost(place: Place) -> None:
    found = audited(place, "Short?words=4")
    assert found.tokens is not None
    lengths = np.array([7, 6, 5, 5, 8, 7, 5, 6])
    assert found.tokens.truncated == 4 * (lengths > 4).sum()
    assert found.tokens.truncated_half == 4 * ((lengths - 4) * 2 >= lengths).sum() == 4
    assert found.tokens.truncated_away == 0


def test_different_texts_that_became_one_input_are_flagged_and_equal_texts_are_not(place: Place) -> None:
    found = audited(place, "Short?words=2")
    assert found.tokens is not None
    assert found.tokens.identical_inputs == 4 * 2, "'the ferry ...' twice; the bread of d3 and d7 is the same text"
    assert "8 candidates with different texts became the same input" in alarms(found)
    whole = audited(place, "Short?words=99")
    assert whole.tokens is not None
    assert whole.tokens.identical_inputs == 0
    assert whole.duplicate_texts == 4 * 2


def test_a_model_without_tokens_has_no_token_counts(place: Place) -> None:
    assert audited(place, "Plain").tokens is None


def test_an_empty_document_is_not_truncated(place: Place) -> None:
    corpus = {"d1": "", "d2": "the ferry"}
    collection = place.load(place.beir("empty", corpus, {"q1": "ferry"}, [("q1", "d2", 1)]))
    (_, done) = place.evaluations(collection, rerankers=[f"{FAKE}:Short?words=1"])
    assert done.audit.tokens is not None
    assert (done.audit.tokens.truncated, done.audit.tokens.truncated_away) == (1, 0)


def test_queries_without_candidates_are_counted(place: Place) -> None:
    (first,) = place.evaluations(first=f"run:{place.run_file(['q2 Q0 d3 1 0.5 t'])}")
    assert (first.audit.queries, first.audit.queries_without_candidates, first.audit.candidates) == (4, 3, 1)
    assert first.values.tolist() == [[0.0, 1.0, 0.0, 0.0]]


def test_the_judged_share_of_the_top_is_the_mean_over_queries(place: Place) -> None:
    lines = [f"q1 Q0 d{number} 1 0.{number} t" for number in (1, 2, 4, 6)] + ["q2 Q0 d3 1 1 t"]
    (first,) = place.evaluations(first=f"run:{place.run_file(lines)}")
    assert first.audit.judged_at_10 == pytest.approx((3 / 4 + 1 + 0 + 0) / 4)


def test_a_run_of_other_documents_is_an_alarm(place: Place) -> None:
    with place.session() as session:
        ground = prepare(place.load(), first_stage(FIRST, place.workspace), 3, [], session)
    run = ground.candidates
    other = replace(run, documents=((run.documents + 1) % 8).astype(np.int32))
    assert audit(ground, Scores(run, {})).membership_kept
    found = audit(ground, Scores(other, {}))
    assert not found.membership_kept
    assert "changed which documents are candidates" in alarms(found)

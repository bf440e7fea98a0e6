"""The plan of a gate: it must cost nothing, and what it promises must be what a gate takes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.data.collection import Collection
from harness.judging.gate.gate import gate
from harness.judging.gate.looks import LookLog
from harness.judging.gate.planning import GatePlan, fewest_draws, planned_gate
from harness.judging.gate.policy import LookBudget, Policy
from harness.judging.gate.stage import staged
from reports.tables.gate_plan import lines
from tests.harness.judging.gate.fakes import FAKE, readable
from tests.tiny_collection import FIRST, Place

READER = f"{FAKE}:Reader"
POLICY = Policy(anchor=READER, depth=5, margin=0.3, looks=LookBudget("2.1", 5))


def plan(
    place: Place, collections: Sequence[Collection], candidate: str | None = None, policy: Policy = POLICY
) -> GatePlan:  # fmt: skip
    with place.session() as session:
        stage = staged(collections, policy, FIRST, session)
        return planned_gate(stage, candidate, [LookLog(place.workspace.results)])


def test_nothing_is_scored_and_no_look_is_taken(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    made = readable(place)
    monkeypatch.setattr(f"{FAKE}.Reader.score", _no_scores)
    monkeypatch.setattr("harness.judging.gate.planning.calibrate", lambda *_: 1000.0)
    found = plan(place, [made])
    assert (found.taken, found.queries, found.questions) == (0, 60, 60)
    assert LookLog(place.workspace.results).all() == []
    assert (
        lines(found)[0]
        == f"PLAN: a candidate against {READER}, nDCG@10, tier gate; nothing was scored, 0 looks taken of 5"
    )


def test_the_pairs_are_those_that_the_gate_scores_at_most(place: Place) -> None:
    made, candidate = readable(place), f"{READER}?wrong=0.1"
    found = plan(place, [made])
    with place.session() as session:
        looked = gate([made], POLICY, candidate, FIRST, session)
    assert found.work[0].pairs == 300
    assert found.claims == looked.verdict.claims
    after = plan(place, [made], candidate)
    assert after.taken == 1
    assert [one.name for one in after.work] == [candidate, READER]
    assert after.work[0].seconds is not None and after.work[0].seconds > 0, "the speed of the last gate"


def test_a_stored_anchor_has_nothing_to_score(place: Place) -> None:
    made = readable(place)
    with place.session() as session:
        gate([made], POLICY, f"{READER}?wrong=0.02", FIRST, session, accept=True)
    found = plan(place, [made], policy=Policy(anchor="best-accepted", depth=5, margin=0.3))
    assert (found.anchor, found.work[0].stored, found.work[0].pairs) == (READER, True, 0)


def test_a_pass_needs_1141_draws_at_half_a_point_even_if_nothing_differs() -> None:
    assert fewest_draws(0.005, 0.01) == 1141
    assert fewest_draws(0.03, 0.01) < fewest_draws(0.03, 0.002) < fewest_draws(0.005, 0.002)


def test_a_gate_that_has_too_few_questions_for_an_early_pass_is_told_so(place: Place) -> None:
    found = plan(place, [readable(place)], policy=Policy(anchor=READER, depth=5))
    assert found.sequential is not None and found.sequential.pass_pairs == 300
    assert any("needs 1,141 draws even if nothing differs" in one and "a pass reads every pair" in one
               for one in lines(found))  # fmt: skip


def test_a_wide_margin_lets_a_sequential_gate_stop_early(place: Place) -> None:
    found = plan(place, [readable(place, 1000, "large")], policy=Policy(anchor=READER, depth=5, margin=0.1))
    assert found.sequential is not None
    assert found.sequential.draws < 600
    assert found.sequential.pass_pairs < 3000
    assert any(f"a pass reads {found.sequential.pass_pairs:,} pairs of each system" in one for one in lines(found))


def test_a_plan_is_plain_json_values(place: Place) -> None:
    document = plan(place, [readable(place)]).as_dict()
    assert (document["alpha"], document["margin"], document["questions"]) == (0.01, 0.3, 60)
    assert document["claims"][0]["name"] == "coll"


def _no_scores(*_: object) -> None:
    raise AssertionError("nothing is scored")

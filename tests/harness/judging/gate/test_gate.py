"""The gate from end to end: a verdict in CI rests on the right queries, the right anchor, and a counted look."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from adapters.errors import HarnessError, UsageError
from harness.data.collection import Collection
from harness.data.label_versions import Labels, keep, versioned, with_labels
from harness.judging.gate.gate import Gated, costs_of, gate
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import CostLimits, Policy, Splits
from harness.judging.gate.policy import LookBudget as Declared
from harness.progress import Silent
from harness.result.facts import Timing
from harness.result.store import Results
from harness.scoring.session import opened
from tests.earlier_store import without_sums
from tests.harness.judging.gate.fakes import FAKE, readable
from tests.tiny_collection import FIRST, Place, results_in

READER = f"{FAKE}:Reader"
SLIGHTLY, BADLY = f"{READER}?wrong=0.02", f"{READER}?wrong=0.5"
WIDE = Policy(anchor=READER, depth=5, margin=0.15)


@pytest.fixture
def held(place: Place) -> Iterator[Any]:
    """A gate over one readable collection."""
    made = readable(place)

    def run(candidate: str, policy: Policy = WIDE, *collections: Collection, **more: Any) -> Gated:
        with place.session() as session:
            return gate(collections or [made], policy, candidate, FIRST, session, **more)

    yield run


def test_a_good_candidate_passes_and_a_bad_one_is_refused(held: Any) -> None:
    assert held(SLIGHTLY).state == "pass"
    refused = held(BADLY)
    assert refused.state == "refused"
    assert "collection coll lost" in refused.verdict.reasons[0]


def test_only_the_queries_of_the_tier_are_looked_at(held: Any, place: Place) -> None:
    found = held(SLIGHTLY)
    assert found.verdict.macro.queries == 60
    assert held(SLIGHTLY, tier="dev").verdict.macro.queries == 20
    with Results(place.workspace.results) as results:
        asked = {one.id: set(results.queries(one.id)) for one in results.all()}
    gate_part, dev_part = (next(q for q in asked.values() if len(q) == n) for n in (60, 20))
    assert not gate_part & dev_part


def test_a_sample_is_taken_of_the_tier_and_never_crosses_it(held: Any, place: Place) -> None:
    held(SLIGHTLY, tier="dev")
    found = held(SLIGHTLY, sample=40)
    assert found.verdict.macro.queries == 40
    with Results(place.workspace.results) as results:
        asked = [set(results.queries(one.id)) for one in results.all()]
    assert not next(q for q in asked if len(q) == 40) & next(q for q in asked if len(q) == 20)


def test_every_figure_of_a_look_leads_to_stored_evaluations(held: Any, place: Place) -> None:
    found = held(SLIGHTLY)
    with Results(place.workspace.results) as results:
        (ours,), (theirs,) = found.look.candidate.evaluations, found.look.anchor.evaluations
        assert results.find(ours).means["nDCG@10"] == pytest.approx(found.look.candidate.macro)
        assert results.find(theirs).means["nDCG@10"] == pytest.approx(1)


def test_the_tier_dev_gives_figures_and_neither_a_verdict_nor_a_look(held: Any, place: Place) -> None:
    found = held(BADLY, tier="dev")
    assert found.state is None
    assert found.verdict.macro is not None
    assert LookLog(place.workspace.results).all() == []


def test_the_same_candidate_again_spends_no_second_look(held: Any) -> None:
    assert held(SLIGHTLY).taken == 1
    assert held(SLIGHTLY).taken == 1
    assert held(f"{READER}?wrong=0.02&seed=1").taken == 2


def test_a_spent_split_is_said_before_anything_is_scored(held: Any, place: Place) -> None:
    policy = replace(WIDE, looks=Declared("2.1", 2))
    held(SLIGHTLY, policy)
    held(BADLY, policy)
    found = held(f"{FAKE}:Nothing", policy)  # scoring it would be an error
    assert found.state == "invalid"
    assert found.verdict.reasons[0].startswith("the gate split of release 2.1 is spent (2 of 2 looks)")
    assert held(BADLY, policy).state == "refused"  # an old look may be taken again
    assert len(LookLog(place.workspace.results).all()) == 2


def test_label_versions_of_the_same_queries_share_their_budget(held: Any, place: Place) -> None:
    policy, published = replace(WIDE, looks=Declared("2.1", 1)), place.load(str(place.path / "coll"))
    one, other = (
        keep(place.workspace, versioned(published.fingerprint, name, [Labels(by, (("q1", document, 0),))]), published)
        for name, by, document in (("mine", "people", "d5"), ("jm", "judge:m", "d6"))
    )
    mine, judged = (with_labels(published, version, place.workspace) for version in (one, other))
    assert held(SLIGHTLY, policy, mine).state == "pass"
    for collection in (published, judged, mine):
        found = held(f"{FAKE}:Nothing", policy, collection)  # scoring it would be an error
        assert found.verdict.reasons[0].startswith("the gate split of release 2.1 is spent (1 of 1 looks)")


def test_an_old_name_with_new_weights_does_not_slip_through_a_spent_split(held: Any, place: Place) -> None:
    policy = replace(WIDE, looks=Declared("2.1", 1))
    held(SLIGHTLY, policy)
    looks = LookLog(place.workspace.results)
    (old,) = looks.all()
    looks.keep(replace(old, candidate=replace(old.candidate, name=BADLY, evaluations=("old",))))
    found = held(BADLY, policy)
    assert found.state == "invalid"
    assert "spent" in found.verdict.reasons[0]
    assert found.verdict.macro is None


def test_the_final_tier_needs_a_release_and_has_one_look(held: Any) -> None:
    with pytest.raises(UsageError, match="one look per release; name it"):
        held(SLIGHTLY, tier="final")
    policy = replace(WIDE, looks=Declared("2.1"), min_queries=5, margin=0.2)
    assert held(SLIGHTLY, policy, tier="final").state == "pass"
    assert held(BADLY, policy, tier="final").state == "invalid"


def test_without_an_accepted_system_one_line_says_to_name_an_anchor(held: Any) -> None:
    with pytest.raises(UsageError, match="no system has been accepted in this workspace yet; name the first anchor"):
        held(SLIGHTLY, replace(WIDE, anchor="best-accepted"))


def test_a_chain_of_small_losses_is_held_against_the_first_one(held: Any) -> None:
    """Against the one before, each of these passes, and together they lose far more than the margin."""
    auto = replace(WIDE, anchor="best-accepted")
    assert held(SLIGHTLY, accept=True).look.accepted
    second = held(f"{READER}?wrong=0.12", auto, accept=True)
    assert second.anchor == READER
    assert second.state != "pass"
    assert not second.look.accepted


def test_the_best_accepted_needs_no_model_any_more(held: Any) -> None:
    held(SLIGHTLY, accept=True)
    found = held(BADLY, replace(WIDE, anchor="best-accepted"))
    assert (found.anchor, found.state) == (READER, "refused")


def test_an_accepted_system_of_other_queries_is_no_anchor(held: Any) -> None:
    held(SLIGHTLY, accept=True)
    with pytest.raises(UsageError, match="no accepted system was measured by nDCG@10 on these queries"):
        held(BADLY, replace(WIDE, anchor="best-accepted", splits=Splits(salt="new")))


def test_an_anchor_whose_model_is_gone_is_taken_from_the_store(held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    held(SLIGHTLY)
    monkeypatch.setattr(f"{FAKE}.Reader.__init__", _gone)
    monkeypatch.setattr(f"{FAKE}.Nothing.__init__", lambda self: setattr(self, "identity", {"adapter": "nothing"}))
    monkeypatch.setattr(f"{FAKE}.Nothing._one", lambda _, query, document: len(query + document) % 7 + 0.01)
    found = held(f"{FAKE}:Nothing")
    assert found.state is not None
    assert any("the anchor cannot be opened" in line for line in found.verdict.findings.cautions)


def test_an_unknown_anchor_is_an_error_before_anything_is_scored(held: Any) -> None:
    with pytest.raises(HarnessError, match="control"):
        held(f"{FAKE}:Nothing", replace(WIDE, anchor="control:nope"))


def test_a_collection_that_the_stored_anchor_lacks_makes_it_invalid(
    held: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(SLIGHTLY)
    monkeypatch.setattr(f"{FAKE}.Reader.__init__", _gone)
    found = held("control:oracle", WIDE, place.load(), readable(place, 50, "other"))
    assert found.state == "invalid"
    assert found.verdict.reasons == ("other: not measured on these queries by the anchor",)


def test_an_anchor_of_another_evaluator_makes_it_invalid(held: Any, place: Place) -> None:
    held(SLIGHTLY, accept=True)
    with closing(sqlite3.connect(place.workspace.results)) as database, database:
        without_sums(database)
        database.execute("update evaluation set identity = json_set(identity, '$.evaluator', 0)")
    found = held(f"{READER}?wrong=0.03", replace(WIDE, anchor="best-accepted"))
    assert found.state == "invalid"
    assert "measured by evaluator 0" in found.verdict.reasons[0]


def test_nan_is_an_invalid_verdict_and_no_traceback(held: Any, place: Place) -> None:
    found = held(f"{FAKE}:Nothing")
    assert found.state == "invalid"
    assert LookLog(place.workspace.results).all() == []


def test_a_constant_scorer_is_invalid_and_spends_nothing(held: Any) -> None:
    found = held("tests.fake_adapters:Constant")
    assert found.state == "invalid"
    assert any("[constant-scores]" in line or "[tied-order]" in line for line in found.verdict.reasons)
    assert found.taken == 0


def test_the_anchor_held_against_itself_passes_and_spends_nothing(held: Any) -> None:
    found = held(READER)
    assert (found.state, found.taken) == ("pass", 0)
    assert "nothing was tested" in found.verdict.reasons[0]


def test_a_first_stage_can_be_the_anchor(held: Any) -> None:
    assert held(READER, replace(WIDE, anchor=FIRST)).state == "pass"


def test_costs_are_measured_where_pairs_are_scored_and_remembered(held: Any) -> None:
    policy = replace(WIDE, cost=CostLimits(max_seconds_per_1000_pairs=1000, max_memory_mb=1e6))
    assert held(SLIGHTLY, policy).state == "pass"
    assert held(SLIGHTLY, policy).state == "pass"  # nothing is scored now
    dear = held(SLIGHTLY, replace(policy, cost=CostLimits(max_memory_mb=1)))
    assert (dear.state, dear.taken) == ("refused", 1)
    assert "over the limit of 1" in dear.verdict.reasons[0]


def test_the_memory_of_workers_is_not_known(place: Place) -> None:
    limits = replace(WIDE, cost=CostLimits(max_memory_mb=1e6))
    with opened(place.workspace, Silent(), workers=2) as session:
        found = gate([readable(place)], limits, SLIGHTLY, FIRST, session)
    assert found.state == "inconclusive"
    assert any("is not known: this process scored no pair" in line for line in found.verdict.reasons)


def test_a_limit_that_nothing_is_known_of_is_not_passed(held: Any) -> None:
    found = held("control:oracle", replace(WIDE, anchor=FIRST, cost=CostLimits(max_seconds_per_1000_pairs=1)))
    assert found.state == "inconclusive"


def test_a_sequential_gate_refuses_early_and_keeps_a_look_of_its_own(held: Any, place: Place) -> None:
    made = readable(place, 600, "large")
    policy = replace(WIDE, margin=0.08, local=replace(WIDE.local, min_drop=0.9))  # the average is the reason
    found = held(BADLY, policy, made, sequential=True)
    assert found.state == "refused"
    assert found.verdict.macro.queries < 360
    assert any("anytime interval" in line for line in found.verdict.reasons)
    assert not any("95 % interval" in line for line in found.verdict.reasons), "that one holds for one look"
    figures = found.verdict.as_dict()["macro"]
    assert figures["anytime"][1] <= -policy.margin
    assert [figures[key] for key in ("interval", "p", "adjusted_p", "greater_p")] == [[None, None], None, None, None]
    whole = held(BADLY, policy, made)
    assert (whole.state, whole.taken) == ("refused", 2)


def test_a_sequential_gate_needs_no_model_of_an_accepted_anchor(held: Any) -> None:
    held(SLIGHTLY, accept=True)
    found = held(BADLY, replace(WIDE, anchor="best-accepted"), sequential=True)
    assert (found.anchor, found.state) == (READER, "refused")


def test_an_early_pass_cannot_be_accepted(held: Any) -> None:
    with pytest.raises(UsageError, match="--accept needs the figures of all queries"):
        held(SLIGHTLY, sequential=True, accept=True)


def test_a_gate_without_targets_is_refused(place: Place) -> None:
    with place.session() as session, pytest.raises(UsageError, match="name what to run on"):
        gate([], WIDE, READER, FIRST, session)


def test_time_is_known_only_if_every_collection_was_timed(place: Place) -> None:
    evaluations = place.evaluations(readable(place), rerankers=[READER])
    timed = [replace(one, timing=Timing(2, 1.0)) for one in results_in(evaluations)]
    assert costs_of(timed, WIDE, None)[0].value == 500
    assert costs_of([timed[0], replace(timed[1], timing=Timing())], WIDE, None)[0].value is None


def _gone(_: object, **__: object) -> None:
    raise HarnessError("the folder is gone")

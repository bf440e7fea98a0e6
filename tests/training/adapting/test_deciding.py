"""Looks are counted before they are used, and what could never be judged is refused before anything is paid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from harness.judging.gate.gate import gate
from harness.judging.gate.looks import LookLog as Ledger
from harness.judging.gate.policy import LookBudget, Policy, Splits
from harness.judging.gate.reservations import LookRequest, NoLookLeft
from harness.judging.gate.stage import split_of
from harness.progress import Silent
from harness.result.adaptation.record import ArmRecord
from harness.scoring.session import opened
from tests.tiny_collection import FIRST, Place
from tests.training.adapting.test_scoring import folder
from training.adapting import deciding as rules
from training.adapting.anchor import TierAnchor, anchor_of
from training.adapting.deciding import Deciding, LookVerdict, check_policy, looks_left, outcome
from training.adapting.scoring import measure
from training.adapting.targets import AdaptTargets, Tiers, tiers_of

BASE, ORACLE, REVERSED = "tests.fake_adapters:Plain", "control:oracle", "control:reversed"
POLICY = Policy(first_stage=FIRST, depth=3, min_queries=4, looks=LookBudget("1"), splits=Splits(0.25, 0.5, 0.25))
BETTER = ArmRecord("better", "single", ORACLE)


@pytest.fixture(autouse=True)
def _any_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arms of these tests are no models: their path is their spec."""
    monkeypatch.setattr(rules, "spec_of", str)


@contextmanager
def judged(place: Place, policy: Policy = POLICY, anchor: str = BASE) -> Iterator[Deciding]:
    if not (place.path / "one").exists():
        folder(place, "one", 0, 40)
    out = place.path / "out"
    out.mkdir(exist_ok=True)
    with opened(place.workspace, Silent()) as session:
        tiers = tiers_of(AdaptTargets(str(place.path / "one")), policy, session)
        yield Deciding(tiers, TierAnchor("base", anchor, anchor, anchor), out)


def verdict(state: Any, *, better: bool = False, delta: float | None = None) -> LookVerdict:
    return LookVerdict("arm", state, better, delta, ("why",), None)


def elsewhere(one: Deciding, candidate: str = ORACLE, tier: Any = "gate") -> None:
    """Somebody else's look at the same queries."""
    tiers: Tiers = one.tiers
    gate(tiers.gate_whole, replace(tiers.gate.policy, anchor=BASE), candidate, FIRST, tiers.gate.session, tier=tier)


def test_a_look_at_dev_is_written_down_and_spends_nothing(place: Place) -> None:
    with judged(place) as one:
        base, arm = (measure(name, spec, one.tiers.dev) for name, spec in (("base", BASE), ("arm", ORACLE)))
        row = one.on_dev(base, arm)
        (kept,) = one.looks.all()
        assert (kept.id, kept.tier, kept.alpha, kept.candidate.name) == (row.id, "dev", 0.0, ORACLE)
        assert looks_left(one.tiers, one.out) == 1
        assert row.delta is not None and row.delta > 0


def test_the_same_look_is_taken_once(place: Place) -> None:
    with judged(place, replace(POLICY, looks=LookBudget("1", 1))) as one:
        first = one.at("gate", BETTER)
        assert one.at("gate", BETTER) == first, "a killed run finds it in the ledger"
        (one.out / "looks" / "gate-better.json").unlink()
        assert one.at("gate", BETTER) == first, "a run that was killed before it noted the look spends nothing again"
        assert len(one.looks.all()) == 1 and first.promotes


def test_the_gate_never_sees_what_the_final_split_has_too(place: Place) -> None:
    """Neither what is chosen there nor what is looked at there."""
    dev, final = folder(place, "one", 0, 40), folder(place, "two", 39, 20)
    policy = replace(POLICY, splits=Splits(0.25, 0.75, 0.0, salt="2"))
    with opened(place.workspace, Silent()) as session:
        tiers = tiers_of(AdaptTargets(str(dev), final=str(final)), policy, session)
        one = Deciding(tiers, TierAnchor("base", BASE, BASE, BASE), place.path / "out")
        one.out.mkdir()
        assert tiers.left_out == {"who told fact39"}, "the salt of this test shall deal it to the gate"
        one.at("gate", BETTER)
        (look,) = one.looks.all()
        assert look.split == split_of(
            {
                side.collection.fingerprint: side.stored.candidates
                for side in measure("better", ORACLE, tiers.gate).sides
            }
        )


def test_a_spent_gate_refuses_and_gives_no_figures(place: Place) -> None:
    with judged(place, replace(POLICY, looks=LookBudget("1", 1))) as one:
        elsewhere(one, "control:random?seed=1")
        found = one.at("gate", BETTER)
    assert found.state == "invalid" and found.row is None and "is spent" in found.reasons[0]


def test_a_look_that_another_gate_has_reserved_stops_the_run_and_is_taken_later(place: Place) -> None:
    """An invalid verdict would be the end of the run, although the look may be free again in a minute."""
    with judged(place, replace(POLICY, looks=LookBudget("1", 1))) as one:
        stage = one.tiers.gate
        other = LookRequest.of(stage.policy, "gate", stage.whole, "theirs")
        with one.looks.reserved(other, one.looks), pytest.raises(NoLookLeft, match="reserved by process"):
            one.at("gate", BETTER)
        assert not (one.out / "looks").exists()
        assert one.at("gate", BETTER).promotes


def test_the_budget_is_what_others_left_of_it(place: Place) -> None:
    with judged(place, replace(POLICY, looks=LookBudget("1", 3))) as one:
        assert looks_left(one.tiers, one.out) == 3
        elsewhere(one)
        assert looks_left(one.tiers, one.out) == 2
    with judged(place) as one:
        assert looks_left(one.tiers, one.out) == 1, "without a budget a run asks once"


def test_a_spent_split_is_refused_before_training(place: Place) -> None:
    with judged(place, replace(POLICY, looks=LookBudget("1", 1))) as one:
        check_policy(one.tiers, one.out)
        elsewhere(one)
        with pytest.raises(UsageError, match="gate split of release 1 is spent"):
            check_policy(one.tiers, one.out)
    with judged(place, replace(POLICY, looks=LookBudget("2"))) as one:
        elsewhere(one, tier="final")
        with pytest.raises(UsageError, match="final split of release 2 is spent"):
            check_policy(one.tiers, one.out)


def test_a_run_is_not_refused_for_its_own_looks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with judged(place, replace(POLICY, looks=LookBudget("1", 1))) as one:
        found = one.at("gate", BETTER)
        assert found.row is not None
        look = one.looks.find(found.row.id)
        own = replace(look, candidate=replace(look.candidate, name=f"cross-encoder:{one.out}/checkpoints/better"))
        monkeypatch.setattr(Ledger, "spent", lambda *_: [own])
        with pytest.raises(UsageError, match="is spent"):
            check_policy(one.tiers, one.out)  # an earlier run in a folder of that name, which is gone
        (one.out / "anchor.json").write_text("{}", "utf-8")
        check_policy(one.tiers, one.out)
        assert looks_left(one.tiers, one.out) == 1


def test_a_policy_without_a_release_is_refused(place: Place) -> None:
    with judged(place, replace(POLICY, looks=LookBudget())) as one, pytest.raises(UsageError, match="release"):
        check_policy(one.tiers, one.out)


def test_too_few_final_queries_are_refused_before_training(place: Place) -> None:
    with judged(place, replace(POLICY, min_queries=15)) as one, pytest.raises(UsageError, match="'final' has 10"):
        check_policy(one.tiers, one.out)


def test_only_a_pass_that_is_better_promotes() -> None:
    assert verdict("pass", better=True).promotes
    assert not verdict("pass").promotes
    assert not verdict("inconclusive", better=True).promotes


def test_only_a_pass_that_is_ahead_confirms() -> None:
    assert verdict("pass", delta=0.001).confirms
    assert not verdict("pass", delta=0.0).confirms
    assert not verdict("pass", delta=None).confirms
    assert not verdict("inconclusive", delta=0.1).confirms
    assert not verdict("refused", delta=0.1).confirms


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (["refused"], "refused"),
        (["pass"], "refused"),
        (["refused", "inconclusive"], "inconclusive"),
        (["invalid"], "invalid"),
        (["invalid", "refused"], "refused"),
        ([], "refused"),
    ],
)
def test_looks_that_promote_nothing_say_one_thing_together(states: list[str], whole: str) -> None:
    assert outcome([verdict(state) for state in states]) == whole


def test_the_base_is_the_anchor_where_nothing_was_accepted(place: Place) -> None:
    with judged(place) as one:
        found = anchor_of(one.tiers, POLICY, BASE, one.out)
    assert (found.name, found.dev, found.gate, found.final) == ("base", BASE, BASE, BASE)


def test_the_best_accepted_is_the_anchor_and_stays_it_for_a_killed_run(place: Place) -> None:
    with judged(place) as one:
        looks = [one.at("gate", BETTER), one.at("final", BETTER)]
        one.accept(looks)
        found = anchor_of(one.tiers, POLICY, BASE, one.out)
        assert (found.name, found.gate, found.final) == (ORACLE, "best-accepted", "best-accepted")
        assert found.dev == BASE and "cannot be opened as it was" in found.note, "a control has no model to compare"
        (one.out / "anchor.json").write_text(
            '{"name": "x", "dev": "x", "gate": "x", "final": "x", "note": ""}', "utf-8"
        )  # fmt: skip
        assert anchor_of(one.tiers, POLICY, BASE, one.out) == TierAnchor("x", "x", "x", "x")


def test_an_accepted_model_that_is_still_there_is_measured_on_dev(place: Place) -> None:
    with judged(place, anchor="tests.fake_adapters:Constant") as one:
        one.accept([one.at("gate", ArmRecord("plain", "single", BASE))])
        found = anchor_of(one.tiers, POLICY, "tests.fake_adapters:Constant", one.out)
    assert found.dev == found.name == found.final and found.gate == "best-accepted"


def test_an_accepted_model_that_is_gone_needs_final_numbers(place: Place) -> None:
    with judged(place) as one:
        one.accept([one.at("gate", BETTER)])
        with pytest.raises(UsageError, match="was not measured on the final queries"):
            anchor_of(one.tiers, POLICY, BASE, Path(one.out))


def test_a_named_anchor_is_the_anchor(place: Place) -> None:
    with judged(place) as one:
        found = anchor_of(one.tiers, replace(POLICY, anchor=REVERSED), BASE, one.out)
    assert found == TierAnchor(REVERSED, REVERSED, REVERSED, REVERSED)


def test_what_was_accepted_on_candidates_of_another_stemmer_is_not_forgotten(place: Place) -> None:
    other = replace(POLICY, first_stage="bm25?language=de")
    with judged(place, other) as one:
        one.accept([one.at("gate", BETTER)])
    with judged(place, replace(POLICY, first_stage="bm25")) as now:
        with pytest.raises(UsageError, match=r"use --first-stage 'bm25\?language=de'"):
            anchor_of(now.tiers, POLICY, BASE, now.out)
        assert not (now.out / "anchor.json").exists()

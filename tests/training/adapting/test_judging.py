"""From proposals to the verdict: who asks, who is confirmed, and what the final queries are touched for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.progress import Silent
from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import AdaptationRecord, ArmRecord, LookRow
from tests.training.adapting.test_claims import measured
from training.adapting import judging
from training.adapting.anchor import TierAnchor
from training.adapting.closing import EXIT, Ended
from training.adapting.deciding import LookVerdict
from training.adapting.journal import Journal
from training.adapting.judging import Accepted, Judging

EXAMPLE = Path(__file__).parent / "record.example.json"
PARTS = ("one", "other")
MADE = [ArmRecord("one", "single", "./one"), ArmRecord("two", "union", "./two")]
"""On dev the second is ahead of the first, and both of the base."""


def said(state: Any, *, better: bool = True, delta: float = 0.1, row: bool = True) -> LookVerdict:
    look = LookRow("look-x", "gate", "arm", "base", state, better, delta, None, None, 0.05)
    return LookVerdict("", state, better, delta, ("because",), look if row else None)


class Looks:
    """Stands in for `Deciding`: answers in turn, and keeps who asked."""

    def __init__(self, gate: list[LookVerdict], final: LookVerdict, out: Path) -> None:
        self.anchor, self.out, self.asked = TierAnchor("base", "spec", "spec", "spec"), out, list[str]()
        self._answers = {"gate": iter(gate), "final": iter([final])}

    def at(self, tier: str, arm: ArmRecord) -> LookVerdict:
        self.asked.append(f"{tier} {arm.name}")
        found = next(self._answers[tier])
        return LookVerdict(arm.name, found.state, found.better, found.delta, found.reasons, found.row)


def arms(tmp_path: Path, gate: list[LookVerdict], final: LookVerdict) -> Any:
    dev = {"base": measured("base", 0.5), "one": measured("one", 0.6, 1), "two": measured("two", 0.7, 2)}
    empty = dict.fromkeys(("timeline", "tasks", "arms", "scores", "looks", "claims", "reasons"), ())
    record = AdaptationRecord(**{**read_record(EXAMPLE).__dict__, **empty, "state": "running", "accepted": None})
    touched: list[str] = []
    return SimpleNamespace(
        dev=dev, values={name: one.value for name, one in dev.items()}, anchor=dev["base"], touched=touched,
        deciding=Looks(gate, final, tmp_path), journal=Journal(record, tmp_path, Silent()), references={},
        tiers=SimpleNamespace(final=SimpleNamespace(policy=SimpleNamespace(alpha=0.05))),
        at=lambda tier, name, _: touched.append(f"{tier} {name}") or dev[name],  # type: ignore[func-returns-value]
    )  # fmt: skip


@pytest.fixture(autouse=True)
def budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "looks_left", lambda *_: 2)


def judge(found: Any) -> Accepted | Ended:
    try:
        return Judging(found).judged(MADE)
    except Ended as end:
        return end


def test_the_best_on_dev_that_passes_both_is_accepted(tmp_path: Path) -> None:
    found = arms(tmp_path, [said("pass")], said("pass"))
    end = judge(found)
    assert isinstance(end, Accepted) and end.checkpoint.name == "two"
    assert found.deciding.asked == ["gate two", "final two"]
    assert [one for one in found.touched if one.startswith("final")] == ["final base", "final one", "final two"]
    assert {one.against for one in found.journal.record.claims} == {"base"}


def test_the_next_one_asks_while_the_budget_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = arms(tmp_path, [said("refused"), said("pass")], said("pass"))
    end = judge(found)
    assert isinstance(end, Accepted) and end.checkpoint.name == "one"
    assert found.deciding.asked == ["gate two", "gate one", "final one"]
    monkeypatch.setattr(judging, "looks_left", lambda *_: 1)
    found = arms(tmp_path, [said("refused"), said("pass")], said("pass"))
    assert isinstance(judge(found), Ended) and found.deciding.asked == ["gate two"]


@pytest.mark.parametrize(
    ("gate", "final", "state", "reason"),
    [
        (said("pass", better=False), said("pass"), "refused", "not significantly better"),
        (said("inconclusive"), said("pass"), "inconclusive", "at the gate: inconclusive: because"),
        (said("refused"), said("pass"), "refused", "at the gate: refused: because"),
        (said("invalid"), said("pass"), "invalid", "at the gate: invalid: because"),
        (said("invalid", row=False), said("pass"), "invalid", "at the gate: invalid: because"),
        (said("pass"), said("inconclusive"), "inconclusive", "did not confirm it (inconclusive): because"),
        (said("pass"), said("refused"), "refused", "did not confirm it (refused): because"),
        (said("pass"), said("invalid", row=False), "invalid", "did not confirm it (invalid): because"),
        (said("pass"), said("pass", delta=-0.001), "refused", "did not confirm it (pass): because"),
    ],
)
def test_nothing_is_accepted_unless_gate_and_final_split_agree(
    tmp_path: Path, gate: LookVerdict, final: LookVerdict, state: str, reason: str
) -> None:
    found = arms(tmp_path, [gate, gate], final)
    end = judge(found)
    assert isinstance(end, Ended) and end.state == state and reason in end.reasons[0]
    asked_last = any(one.startswith("final") for one in found.deciding.asked)
    assert asked_last == gate.promotes, "the final queries are touched for what the gate promotes, and never else"
    shown = any(one.startswith("final") for one in found.touched)
    assert shown == (asked_last and final.state != "invalid"), "an invalid look shows no figures"
    assert EXIT[end.state] == {"refused": 1, "invalid": 3, "inconclusive": 4}[state]


def test_an_invalid_look_at_the_gate_shows_no_figures(tmp_path: Path) -> None:
    found = arms(tmp_path, [said("invalid"), said("invalid")], said("pass"))
    judge(found)
    assert found.touched == []


def test_if_nothing_is_ahead_on_dev_nothing_is_proposed(tmp_path: Path) -> None:
    found = arms(tmp_path, [], said("pass"))
    found.anchor = measured("anchor", 0.9)
    end = judge(found)
    assert isinstance(end, Ended) and end.state == "refused" and "no checkpoint was better on dev" in end.reasons[0]
    assert found.deciding.asked == []


def claimed_about(tmp_path: Path, *merged: ArmRecord) -> set[str]:
    """The arms with a claim about merging, where these arms were made too."""
    found = arms(tmp_path, [said("pass")], said("pass"))
    for seed, one in enumerate(merged, 3):
        found.dev[one.name] = measured(one.name, 0.65, seed)
        found.values[one.name] = 0.65
    found.dev["union"] = measured("union", 0.5, 9)
    Judging(found).judged([*MADE, *merged])
    return {one.winner for one in found.journal.record.claims if one.claim == "merging"}


def test_a_soup_of_one_ingredient_is_no_merge_and_nothing_is_claimed_about_it(tmp_path: Path) -> None:
    greedy = ArmRecord("greedy", "greedy", "./one", ("one",))
    assert greedy.twin == "one" and not greedy.is_merge
    assert claimed_about(tmp_path, greedy) == set()
    assert claimed_about(tmp_path, replace(greedy, parts=PARTS)) == {"greedy"}


def test_a_merge_with_the_weights_of_a_single_is_no_merge(tmp_path: Path) -> None:
    """Its ingredients were equal, or all of its weight was on one of them."""
    assert claimed_about(tmp_path, ArmRecord("slerp", "slerp", "./slerp", PARTS, same_as="one")) == set()


def test_slerp_is_tested_even_where_another_merge_is_better_on_dev(tmp_path: Path) -> None:
    merged = [ArmRecord(name, name, f"./{name}", PARTS) for name in ("linear", "slerp", "greedy")]  # type: ignore[arg-type]
    assert claimed_about(tmp_path, *merged) >= {"slerp"}


def test_the_merge_of_the_bags_is_tested_even_where_another_merge_is_better_on_dev(tmp_path: Path) -> None:
    """Otherwise a reader could not see what bagging brought."""
    arms_of_a_run = [("bagged", ("bag-0.5", "two")), ("linear", PARTS), ("greedy", PARTS)]
    merged = [ArmRecord(name, name, f"./{name}", parts) for name, parts in arms_of_a_run]  # type: ignore[arg-type]
    assert claimed_about(tmp_path, *merged) == {"linear", "bagged"}
    assert claimed_about(tmp_path, ArmRecord("bagged", "bagged", "./two", ("two",))) == set(), "one bag was refused"

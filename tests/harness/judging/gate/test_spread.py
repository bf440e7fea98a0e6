"""Standard deviations of earlier gates: a guess that is known better is used, and the data of a look never choose its
own claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.data.collection import Collection
from harness.judging.gate.claims import read_claims
from harness.judging.gate.gate import Gated, gate
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import Local, LookBudget, Policy
from harness.measuring.statistics.chance import Size, chance
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.equivalence import lower_bound
from harness.measuring.statistics.rare import cautious_bound
from harness.progress import Silent
from harness.result.store import Results
from harness.scoring.session import opened
from tests.harness.judging.gate.fakes import FAKE, readable
from tests.tiny_collection import FIRST, Place

READER = f"{FAKE}:Reader"
POLICY = Policy(anchor=READER, depth=5, margin=0.3)


class Notes(Silent):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def held(place: Place) -> Iterator[Any]:
    """A gate over one collection, and what it says before it scores."""
    made = readable(place)

    def run(candidate: str, policy: Policy = POLICY, *collections: Collection, **more: Any) -> tuple[Gated, list[str]]:
        notes = Notes()
        with opened(place.workspace, notes) as session:
            return gate(collections or [made], policy, candidate, FIRST, session, **more), notes.lines

    yield run


def seed(number: int, wrong: float = 0.1) -> str:
    return f"{READER}?wrong={wrong}&seed={number}"


def deltas(place: Place, found: Gated) -> np.ndarray:
    with Results(place.workspace.results) as results:
        ours, theirs = (
            results.result(side.evaluations[0], "nDCG@10").values for side in (found.look.candidate, found.look.anchor)
        )
    return np.asarray(ours) - np.asarray(theirs)


def test_the_chances_are_shown_before_anything_is_scored(held: Any) -> None:
    found, lines = held(seed(1))
    assert [line.split(" ")[0] for line in lines[:3]] == ["chance", "sd:", "a"]
    assert found.verdict.claims[0].sd_from == "[local] sd"
    invalid, lines = held(f"{FAKE}:Nothing?seed=9")
    assert invalid.state == "invalid" and lines[0].startswith("chance")


def test_the_next_gate_uses_the_spread_of_the_earlier_ones_the_median_of_several(held: Any, place: Place) -> None:
    spreads = [deltas(place, held(seed(number, 0.1 * number))[0]).std(ddof=1) for number in (1, 2, 3)]
    found, lines = held(seed(4))
    assert found.verdict.claims[0].sd == pytest.approx(np.median(spreads))
    assert lines[1] == f"sd: the median of 3 earlier gates against {READER}"


def test_a_part_whose_bound_cannot_be_shown_is_not_claimed(held: Any, place: Place) -> None:
    """Few questions lose much, so the bound is a bet and not Student's t. A gate that plans with t claims a part that
    no candidate like the earlier one is shown to keep, and every later verdict is inconclusive.
    """
    policy = replace(POLICY, local=Local(hard_bound=0.1))
    first, lines = held(seed(1, 0.03), policy)
    assert first.verdict.claims[0].stretch == 1 and "as wide" not in lines[0]
    lost = deltas(place, first)
    design = Design((Questions("coll", tuple(map(str, range(lost.size)))),))
    plain, used = lower_bound(design, [lost], 0.05), cautious_bound(design, [lost], 0.05)
    assert used.test == "betting"
    again, lines = held(seed(2, 0.03), policy)
    (part,) = again.verdict.claims
    assert part.stretch == pytest.approx((lost.mean() - used.value) / (lost.mean() - plain))
    assert part.sd == pytest.approx(lost.std(ddof=1)), "the spread itself is what it is"
    assert part.chance == pytest.approx(chance(0.1, part.sd * part.stretch, Size(lost.size, lost.size - 1), 0.05))
    assert chance(0.1, part.sd, Size(lost.size, lost.size - 1), 0.05) > 0.9, "Student's t would claim it"
    assert not part.claimed and f"bound {part.stretch:.2g} times as wide" in lines[0]


def test_gates_against_another_anchor_say_nothing(held: Any) -> None:
    held(seed(1))
    found, _ = held(seed(2), replace(POLICY, anchor=FIRST))
    assert found.verdict.claims[0].sd_from == "[local] sd"


def test_a_gate_of_the_anchor_itself_says_nothing(held: Any) -> None:
    held(READER)
    assert held(seed(1))[0].verdict.claims[0].sd_from == "[local] sd"


def test_the_best_accepted_is_found_by_its_looks(held: Any) -> None:
    held(seed(1, 0.02), accept=True)
    found, lines = held(seed(2), replace(POLICY, anchor="best-accepted"))
    assert found.anchor == READER
    assert lines[1] == f"sd: 1 earlier gate against {READER}"


def test_a_look_that_is_taken_again_keeps_its_claims(held: Any, place: Place) -> None:
    first, _ = held(seed(1))
    again, lines = held(seed(1))
    assert "earlier gate" in lines[1], "the look itself is an earlier gate now"
    assert again.look.id == first.look.id
    assert again.verdict.claims == first.verdict.claims
    assert read_claims(LookLog(place.workspace.results).find(first.look.id).figures) == first.verdict.claims


def test_a_look_of_an_earlier_version_can_be_taken_again(held: Any, place: Place) -> None:
    first, _ = held(seed(1))
    looks = LookLog(place.workspace.results)
    figures = {key: value for key, value in first.look.figures.items() if key not in ("claims", "same")}
    looks.keep(replace(first.look, figures=figures))
    assert looks.claims(first.look.id) == ()
    again, _ = held(seed(1))
    assert again.look.id == first.look.id
    assert len(again.verdict.claims) == 1


def test_a_sequential_gate_makes_the_same_claims(held: Any) -> None:
    policy = replace(POLICY, local=Local(sd=0.1), looks=LookBudget("1", 5))
    whole, _ = held(seed(1), policy)
    early, _ = held(seed(2), policy, sequential=True)
    assert [one.key for one in early.verdict.claims] == [one.key for one in whole.verdict.claims]

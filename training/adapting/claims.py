"""The claims of an adaptation: differences on the final split, tested over questions and corrected together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.judging.compare.paired import design_of
from harness.measuring.statistics.difference import Difference, differences
from harness.numbers import signed
from harness.result.adaptation.record import Claim
from harness.result.adaptation.vocabulary import BASE, FIRST_STAGE
from training.adapting.scoring import ArmScores, finite, paired

BASELINES = (BASE, FIRST_STAGE)
"""The arms that an accepted checkpoint is compared with."""
CONTROLS = ("union", "linear", "linear-sound")
"""The arms that a merge must be ahead of before it is claimed that merging helps. The last one exists only if dev found
an ingredient worse than stage 1; it is the soup of the others, or the other if there is one."""
_ALWAYS = ("union", "linear")
_Kind = Literal["adaptation", "merging"]


@dataclass(frozen=True)
class _Comparison:
    claim: _Kind
    winner: str
    against: str


def claims_of(final: Mapping[str, ArmScores], winner: str, merged: Sequence[str], alpha: float) -> tuple[Claim, ...]:
    """Test every claim on the final split by the rule of `measuring.statistics.difference`. All claims are one family.
    The accepted arm is compared with the base and the first stage, and each merged arm with the controls. A claim about
    merging holds only if the arm is ahead of all of them.

    Args:
        final: the arms on the final split, by name.
        winner: the accepted arm.
        merged: the arms to test that are merges (`ArmRecord.is_merge`).
        alpha: the significance level of all claims together.
    """
    comparisons = [_Comparison("adaptation", winner, name) for name in BASELINES if name in final]
    for name in dict.fromkeys(merged):
        comparisons += [_Comparison("merging", name, other) for other in CONTROLS if other in final and other != name]
    judged = [_judged(one, found, alpha) for one, found in zip(comparisons, _tested(comparisons, final), strict=True)]
    controls = [name for name in CONTROLS if name in final or name in _ALWAYS]
    return tuple(_jointly(one, judged, controls) for one in judged)


def merging(claims: Sequence[Claim]) -> str | None:
    """The arm for which it is claimed that merging helped; None if there is none."""
    return next((one.winner for one in claims if one.claim == "merging" and one.holds), None)


def _tested(comparisons: Sequence[_Comparison], final: Mapping[str, ArmScores]) -> list[Difference]:
    """The differences of all claims, winner minus the other arm, macro-averaged over the collections."""
    rows = [paired(final[one.against], final[one.winner]) for one in comparisons]
    columns = [np.stack([pair.deltas for pair in pairs]) for pairs in zip(*rows, strict=True)]
    return [one.macro for one in differences(design_of(rows[0]), columns)] if rows else []


def _judged(comparison: _Comparison, difference: Difference, alpha: float) -> Claim:
    sure, (low, high) = difference.adjusted_p <= alpha, difference.interval
    how = "cannot be distinguished from" if not sure else "is ahead of" if difference.value > 0 else "is behind"
    corrected = _corrected(difference.family)
    p = "no p" if finite(difference.adjusted_p) is None else f"p {difference.adjusted_p:.2g}{corrected}"
    return Claim(
        claim=comparison.claim, against=comparison.against, winner=comparison.winner, delta=difference.value,
        low=finite(low), high=finite(high), p=finite(difference.p), adjusted_p=finite(difference.adjusted_p),
        family=difference.family,
        holds=sure and difference.value > 0,
        told=f"{comparison.winner} {how} {comparison.against}: {signed(difference.value, 1)} points, {p}",
    )  # fmt: skip


def _corrected(family: int) -> str:
    return f" corrected over {family} claims" if family > 1 else ""


def _jointly(one: Claim, judged: Sequence[Claim], controls: Sequence[str]) -> Claim:
    """Drop a claim about merging if the arm is not ahead of every control."""
    if one.claim != "merging" or not one.holds:
        return one
    ahead_of = {
        other.against for other in judged if other.claim == "merging" and other.winner == one.winner and other.holds
    }
    missing = [name for name in controls if name not in ahead_of]
    if not missing:
        return one
    return replace(one, holds=False, told=f"{one.told}; but not ahead of {missing[0]}, so merging is not claimed")

"""What may be said of an adaptation: differences on the final split, tested over questions and corrected together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.judging.compare.paired import design_of
from harness.measuring.statistics.difference import Difference, differences
from harness.result.adaptation.record import Claim
from harness.result.adaptation.vocabulary import BASE, FIRST_STAGE
from training.adapting.scoring import ArmScores, finite, paired

BASELINES = (BASE, FIRST_STAGE)
"""What an adaptation has to be ahead of."""
CONTROLS = ("union", "linear")
"""What a merge has to be ahead of, both of them, before merging is said to help."""
_Kind = Literal["adaptation", "merging"]


@dataclass(frozen=True)
class _Asked:
    claim: _Kind
    winner: str
    against: str


def claims_of(final: Mapping[str, ArmScores], winner: str, merged: Sequence[str], alpha: float) -> tuple[Claim, ...]:
    """Test every claim on the final split by the rule of `measuring.statistics.difference`; all claims are one family.

    The adaptation is held against the base and the first stage, each merged arm against the union and the linear soup.
    A claim about merging holds only where that arm is ahead of both.

    Args:
        final: the arms on the final split, by name.
        winner: the accepted arm.
        merged: the merged arms that are asked about; slerp is asked about wherever there is one.
        alpha: of all claims together.
    """
    asked = [_Asked("adaptation", winner, name) for name in BASELINES if name in final]
    for name in dict.fromkeys([*merged, *(("slerp",) if "slerp" in final else ())]):
        asked += [_Asked("merging", name, other) for other in CONTROLS if other in final and other != name]
    judged = [_judged(one, found, alpha) for one, found in zip(asked, _tested(asked, final), strict=True)]
    return tuple(_jointly(one, judged) for one in judged)


def merging(claims: Sequence[Claim]) -> str | None:
    """The arm of which it may be said that merging helped; None where it may not."""
    return next((one.winner for one in claims if one.claim == "merging" and one.holds), None)


def _tested(asked: Sequence[_Asked], final: Mapping[str, ArmScores]) -> list[Difference]:
    """The differences of all claims at once, winner minus the other, macro-averaged over the collections."""
    rows = [paired(final[one.against], final[one.winner]) for one in asked]
    columns = [np.stack([pair.deltas for pair in pairs]) for pairs in zip(*rows, strict=True)]
    return [one.macro for one in differences(design_of(rows[0]), columns)] if rows else []


def _judged(asked: _Asked, found: Difference, alpha: float) -> Claim:
    sure, (low, high) = found.adjusted_p <= alpha, found.interval
    how = "cannot be distinguished from" if not sure else "is ahead of" if found.value > 0 else "is behind"
    p = "no p" if finite(found.adjusted_p) is None else f"p {found.adjusted_p:.2g}{_corrected(found.family)}"
    return Claim(
        claim=asked.claim, against=asked.against, winner=asked.winner, delta=found.value, low=finite(low),
        high=finite(high), p=finite(found.p), adjusted_p=finite(found.adjusted_p), family=found.family,
        holds=sure and found.value > 0,
        told=f"{asked.winner} {how} {asked.against}: {100 * found.value:+z.1f} points, {p}",
    )  # fmt: skip


def _corrected(family: int) -> str:
    return f" corrected over {family} claims" if family > 1 else ""


def _jointly(one: Claim, judged: Sequence[Claim]) -> Claim:
    """Ahead of the union alone, or of the linear soup alone, is no gain of merging."""
    if one.claim != "merging" or not one.holds:
        return one
    own = {other.against for other in judged if other.claim == "merging" and other.winner == one.winner and other.holds}
    missing = [name for name in CONTROLS if name not in own]
    if not missing:
        return one
    return replace(one, holds=False, told=f"{one.told}; but not ahead of {missing[0]}, so merging is not claimed")

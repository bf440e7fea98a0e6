"""What may be said of an adaptation: differences on the final split, tested per query, corrected for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.adaptation.record import Claim
from harness.adaptation.vocabulary import BASE, FIRST_STAGE
from harness.compare.paired import weights
from harness.statistics.error import estimate
from harness.statistics.intervals import stratified_interval
from harness.statistics.multiplicity import holm
from harness.statistics.randomisation import randomisation_p
from training.adapting.scoring import Measured, finite, paired

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


def claims_of(final: Mapping[str, Measured], winner: str, merged: Sequence[str], alpha: float) -> tuple[Claim, ...]:
    """Test every claim on the final split: two-sided paired randomisation tests, Holm over all of them.

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
    tested = [_tested(one, final) for one in asked]
    adjusted = holm([one.p for one in tested])
    judged = [_judged(replace(one, p=finite(p)), alpha) for one, p in zip(tested, adjusted, strict=True)]
    return tuple(_jointly(one, judged) for one in judged)


def merging(claims: Sequence[Claim]) -> str | None:
    """The arm of which it may be said that merging helped; None where it may not."""
    return next((one.winner for one in claims if one.claim == "merging" and one.holds), None)


def _tested(asked: _Asked, final: Mapping[str, Measured]) -> Claim:
    pairs = paired(final[asked.against], final[asked.winner])
    deltas, votes = [one.deltas for one in pairs], weights(pairs)
    low, high = stratified_interval(deltas, votes)
    return Claim(
        claim=asked.claim, against=asked.against, winner=asked.winner, delta=estimate(deltas, votes).mean,
        low=finite(low), high=finite(high), p=finite(randomisation_p(deltas, votes)), holds=False, told="",
    )  # fmt: skip


def _judged(one: Claim, alpha: float) -> Claim:
    sure = one.p is not None and one.p <= alpha
    p = "no p" if one.p is None else f"p {one.p:.2g} after Holm"
    how = "is not told apart from" if not sure else "is ahead of" if one.delta > 0 else "is behind"
    told = f"{one.winner} {how} {one.against}: {100 * one.delta:+z.1f} points, {p}"
    return replace(one, holds=sure and one.delta > 0, told=told)


def _jointly(one: Claim, judged: Sequence[Claim]) -> Claim:
    """Ahead of the union alone, or of the linear soup alone, is no gain of merging."""
    if one.claim != "merging" or not one.holds:
        return one
    own = {other.against for other in judged if other.claim == "merging" and other.winner == one.winner and other.holds}
    missing = [name for name in CONTROLS if name not in own]
    if not missing:
        return one
    return replace(one, holds=False, told=f"{one.told}; but not ahead of {missing[0]}, so merging is not claimed")

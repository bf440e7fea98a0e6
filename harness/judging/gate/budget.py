"""The budget of a release: how many looks it has, and whether another one is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.reservations import LookRequest, NoLookLeft, Reservation

_SMALL = 1e-9


class _Counts(Protocol):
    """A look or a reservation."""

    @property
    def alpha(self) -> float:
        """The alpha that it spends."""


def limit(policy: Policy, tier: Tier) -> int | None:
    """Return the number of looks that a release has; None if it is not declared."""
    return {"dev": None, "gate": policy.looks.budget, "final": 1 if policy.looks.release else None}[tier]


def is_spent(policy: Policy, tier: Tier, looks: Sequence[_Counts]) -> bool:
    """Whether another look would spend more than the release has. Earlier looks count with the alpha that they spent,
    even if the budget is raised later."""
    allowed = limit(policy, tier)
    if allowed is None:
        return False
    spent = sum(look.alpha for look in looks)
    return len(looks) >= allowed or spent + policy.alpha_of(tier) > policy.alpha + _SMALL


def check(request: LookRequest, spent: Sequence[_Counts], running: Sequence[Reservation]) -> None:
    """Refuse a look for which there is no budget.

    Args:
        spent: the looks that count together with it.
        running: the reservations of running gates that count together with it.

    Raises:
        NoLookLeft: the looks of the release are spent or reserved.
    """
    policy, tier, allowed = request.policy, request.tier, limit(request.policy, request.tier)
    if is_spent(policy, tier, spent):
        raise NoLookLeft(
            f"the {tier} split of release {request.release} is spent ({len(spent)} of {allowed} looks); start a "
            "release with new queries",
            reserved=False,
        )
    if is_spent(policy, tier, [*spent, *running]):
        raise NoLookLeft(
            f"no look at the {tier} split of release {request.release} is free: {len(spent)} of {allowed} taken, "
            f"{len(running)} reserved by {'; '.join(map(str, running))}; run this again when that gate has ended",
            reserved=True,
        )

"""What a gate says before it scores anything: the chance of each part to pass an equal candidate, and what a pass
claims."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judging.gate.claims import PartClaim, claimed
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.spread import Spreads
from harness.numbers import rounded_up


def chances(claims: Sequence[PartClaim], policy: Policy, tier: Tier, spreads: Spreads) -> list[str]:
    """Return the lines: the chances, where their standard deviations are from, and the parts that a pass claims."""
    chosen, product = claimed(claims), 1.0
    for one in chosen:
        product *= one.chance
    each = ", ".join(f"{one.name} {100 * one.chance:.0f} % (sd {_decimal(one.sd)}{_wider(one)})" for one in claims)
    loss = f"{100 * policy.local.hard_bound:g} points"
    alpha = f"alpha {policy.alpha_of(tier):.4g}"
    named = f"{_named(chosen)} (together {100 * product:.0f} %)" if chosen else "no part"
    rest = not_claimed(claims)
    return [
        f"chance that an equal candidate is shown not to lose {loss} ({alpha}): {each}",
        f"sd: {_origin(claims, policy, spreads)}",
        f"a pass claims {named}" + (f"; {rest}" if rest else ""),
    ]


def not_claimed(claims: Sequence[PartClaim]) -> str:
    """Return the names of the parts that a pass does not claim, and how many queries they need; '' if there are none.
    The number is that with which all parts would be claimed."""
    rest = sorted((one for one in claims if not one.claimed), key=lambda one: one.name)
    if not rest:
        return ""
    least, most = (rounded_up(pick(one.needed for one in rest)) for pick in (min, max))
    count = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    return f"not claimed: {', '.join(one.name for one in rest)} (about {count} queries needed)"


def _named(claims: Sequence[PartClaim]) -> str:
    return ", ".join(sorted(one.name for one in claims))


def _origin(claims: Sequence[PartClaim], policy: Policy, spreads: Spreads) -> str:
    default = f"{_decimal(policy.local.sd)} from [local] sd"
    rest = [one.name for one in claims if one.sd_from == "[local] sd"]
    if len(rest) == len(claims):
        return f"{default}; no earlier gate against {spreads.anchor} measured these parts"
    several = "the median of " if spreads.looks > 1 else ""
    known = f"{several}{spreads.looks} earlier gate{'' if spreads.looks == 1 else 's'} against {spreads.anchor}"
    return f"{known}, and {default} for {', '.join(sorted(rest))}" if rest else known


def _wider(one: PartClaim) -> str:
    """How much wider the bound is because few questions lose much; '' if it is Student's."""
    return f", bound {one.stretch:.2g} times as wide" if one.stretch > 1 else ""


def _decimal(sd: float) -> str:
    return f"{sd:.2f}".removeprefix("0")

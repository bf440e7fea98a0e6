"""The answer in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judging.why.analysis import Why
from harness.judging.why.groups import Group
from harness.judging.why.labels import QueryLabel
from harness.numbers import DASH, points, signed, signed_interval


def headline(why: Why) -> str:
    """Return a sentence: which system lost, how much, and which queries explain it."""
    if not why.deltas.any():
        return f"A and B have the same {_measure(why)} for every query."
    best = explanation(why)
    contrast = "no group of queries explains it" if best is None else _explained(why, best)
    return f"{_difference(why)}; {contrast}."


def explanation(why: Why) -> Group | None:
    """Return the group that explains most; None if no contrast is significant. If the whole difference is significant,
    the group must have the same direction."""
    for group in why.groups:
        against = why.decided and why.delta * (group.mean - group.rest) <= 0
        if not group.outcome and not against:
            return group if group.stands_out else None
    return None


def phrase(group: Group, labels: Sequence[QueryLabel]) -> str:
    """Return a phrase such as `in Thai (th) with relevant documents truncated by B`."""
    phrases = [labels[place].phrase for place in group.labels]
    # "in Thai with ...", but "with ... and with ..."
    alike = len({words.split()[0] for words in phrases}) < len(phrases)
    return (" and " if alike else " ").join(phrases)


def _difference(why: Why) -> str:
    size, within = f"{points(abs(why.delta), 1)} points", signed_interval(why.interval, 1)
    if why.decided:
        return f"B loses {size} to A" if why.delta < 0 else f"B gains {size} over A"
    known = "" if within == DASH else f", 95 % interval {within}"
    return f"B may not differ from A ({signed(why.delta, 1)} points{known})"


def _explained(why: Why, group: Group) -> str:
    named = f"queries {phrase(group, why.labels)} ({group.queries:,} of {len(why.deltas):,})"
    if not why.decided:
        return f"{named} differ by {signed(group.mean, 1)} points, all others by {signed(group.rest, 1)}"
    share = group.contribution / why.delta
    if share > 1.005:
        left = signed(why.delta - group.contribution, 1)
        return f"{named} explain all of it, and the others go the other way ({left} points)"
    return f"{named} explain {100 * share:.0f} % of it"


def _measure(why: Why) -> str:
    return " and ".join(why.measures)

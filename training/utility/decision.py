"""What the figures say, in one sentence for each question."""

from __future__ import annotations

import math
from typing import Literal

from training.utility.ratio import Cause, Gap, Utility

Answer = Literal["not defined", "undecided", "nothing", "part", "as much", "more"]


def answer_of(found: Utility) -> Answer:
    """What synthetic queries are worth beside real annotations.

    `not defined`: real annotations bring no significant gain. `undecided`: the interval of the ratio holds
    both 0 and 1. `nothing`: it holds 0 or lies below. `part`: between 0 and 1. `as much`: it holds 1. `more`: above 1.
    """
    if found.ratio.value is None or found.ratio.interval is None:
        return "not defined"
    low, high = found.ratio.interval
    if low > 1:
        return "more"
    if high >= 1:
        return "as much" if low > 0 else "undecided"
    return "part" if low > 0 else "nothing"


def decision_of(found: Utility) -> str:
    """The answer and the causes, as one paragraph."""
    told = [_told(found), *map(_cause, found.causes)]
    return " ".join(told)


def _told(found: Utility) -> str:
    real, ours, ratio = found.arm("b"), found.arm("a"), found.ratio
    if ratio.value is None or ratio.interval is None:
        return (
            f"The utility ratio is not defined: real annotations gain {_points(real.gain)}, which is not clearly above "
            f"0; synthetic queries gain {_points(ours.gain)}."
        )
    low, high = ratio.interval
    share = f"{ratio.value:.0%} of the gain of real annotations (95 %: {low:.0%} to {high:.0%})"
    return f"Synthetic queries bring {share}: {_ANSWERS[answer_of(found)]}."


_ANSWERS: dict[Answer, str] = {
    "undecided": "too wide to say whether that is nothing or as much",
    "nothing": "no gain that can be distinguished from 0",
    "part": "they are worth a part of them",
    "as much": "not distinguishable from real annotations",
    "more": "they are worth more",
}


def _cause(one: Cause) -> str:
    contrast, found = one.contrast, one.gap.difference
    what = contrast.above if found.value > 0 else contrast.below
    if not found.significant:
        what = "nothing that can be distinguished from chance"
    elif not one.gap.sure:
        what = "nothing that holds for other seeds"
    named = f"{contrast.name.capitalize()} ({contrast.first} - {contrast.second})"
    return f"{named}: {_points(one.gap)}, p {found.adjusted_p:.3f}: {what}."


def _points(gap: Gap | None) -> str:
    if gap is None:
        return "-"
    value, (low, high) = gap.difference.value, gap.difference.interval
    between = "too few questions for an interval" if math.isnan(low) else f"{100 * low:+z.1f} to {100 * high:+z.1f}"
    return f"{100 * value:+z.1f} points ({between})"

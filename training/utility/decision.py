"""What the figures say, in one sentence for each question."""

from __future__ import annotations

from typing import Literal

from training.utility.ratio import Difference, Utility

Answer = Literal["not defined", "undecided", "nothing", "part", "as much", "more"]
_ALPHA = 0.05


def answer_of(found: Utility) -> Answer:
    """What synthetic queries are worth beside real annotations.

    `not defined`: real annotations bring no gain that can be told from 0. `undecided`: the interval of the ratio holds
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
    told = [_told(found), *map(_cause, found.differences)]
    return " ".join(told)


def _told(found: Utility) -> str:
    real, ours, ratio = found.arm("b"), found.arm("a"), found.ratio
    if ratio.value is None or ratio.interval is None:
        return (
            f"The utility ratio is not defined: real annotations gain {_points(real.gain, *real.gain_interval)}, which "
            f"is not clearly above 0; synthetic queries gain {_points(ours.gain, *ours.gain_interval)}."
        )
    low, high = ratio.interval
    share = f"{ratio.value:.0%} of the gain of real annotations (95 %: {low:.0%} to {high:.0%})"
    return f"Synthetic queries bring {share}: {_ANSWERS[answer_of(found)]}."


_ANSWERS: dict[Answer, str] = {
    "undecided": "too wide to say whether that is nothing or as much",
    "nothing": "no gain that can be told from 0",
    "part": "they are worth a part of them",
    "as much": "not told apart from real annotations",
    "more": "they are worth more",
}


def _cause(one: Difference) -> str:
    contrast = one.contrast
    what = contrast.above if one.delta > 0 else contrast.below
    if not one.p_holm <= _ALPHA:
        what = "nothing that can be told from chance"
    named = f"{contrast.name.capitalize()} ({contrast.first} - {contrast.second})"
    return f"{named}: {_points(one.delta, *one.interval)}, p {one.p_holm:.3f}: {what}."


def _points(delta: float, low: float, high: float) -> str:
    return f"{100 * delta:+z.1f} points ({100 * low:+z.1f} to {100 * high:+z.1f})"

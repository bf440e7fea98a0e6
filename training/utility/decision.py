"""The conclusions from the figures, one sentence per question."""

from __future__ import annotations

from math import isfinite
from typing import Literal

from harness.numbers import DASH, interval, probability, signed, signed_interval
from training.utility.ratio import Cause, Gap, Utility

Answer = Literal["not defined", "undecided", "nothing", "part", "as much", "more"]


def answer_of(figures: Utility) -> Answer:
    """The value of synthetic queries, compared with real annotations.

    `not defined`: real annotations bring no significant gain. Otherwise the interval of the ratio decides, over seeds
    and questions if there are several seeds. `undecided`: it includes 0 and 1. `nothing`: it includes 0 or lies below.
    `part`: it lies between 0 and 1. `as much`: it includes 1. `more`: it lies above 1.
    """
    decides = figures.ratio.decides
    if decides is None:
        return "not defined"
    low, high = decides
    if low > 1:
        return "more"
    if high >= 1:
        return "as much" if low > 0 else "undecided"
    return "part" if low > 0 else "nothing"


def decision_of(figures: Utility) -> str:
    """The answer and the causes, as one paragraph."""
    sentences = [_ratio_sentence(figures), *map(_cause, figures.causes)]
    return " ".join(sentences)


def _ratio_sentence(figures: Utility) -> str:
    real, ours, ratio = figures.arm("b"), figures.arm("a"), figures.ratio
    if ratio.value is None or ratio.decides is None:
        return (
            f"The utility ratio is not defined: real annotations gain {_points(real.gain)}, which is not clearly above "
            f"0; synthetic queries gain {_points(ours.gain)}."
        )
    within = interval(ratio.decides, lambda end: f"{end:.0%}" if isfinite(end) else "unbounded")
    share = f"{ratio.value:.0%} of the gain of real annotations (95 % interval {within})"
    return f"Synthetic queries bring {share}: {_ANSWERS[answer_of(figures)]}."


_ANSWERS: dict[Answer, str] = {
    "undecided": "the interval is too wide to say whether they are worth nothing or as much",
    "nothing": "no gain that can be distinguished from 0",
    "part": "they are worth less than real annotations",
    "as much": "not distinguishable from real annotations",
    "more": "they are worth more than real annotations",
}


def _cause(one: Cause) -> str:
    contrast, difference = one.contrast, one.gap.difference
    what = contrast.above if difference.value > 0 else contrast.below
    if not difference.significant:
        what = "nothing that can be distinguished from chance"
    elif not one.gap.sure:
        what = "nothing that holds for other seeds"
    named = f"{contrast.name.capitalize()} ({contrast.first} - {contrast.second})"
    return f"{named}: {_points(one.gap)}, p {probability(difference.adjusted_p)}: {what}."


def _points(gap: Gap | None) -> str:
    if gap is None:
        return "-"
    within = signed_interval(gap.difference.interval)
    between = "(too few questions for an interval)" if within == DASH else within
    return f"{signed(gap.difference.value)} points {between}"

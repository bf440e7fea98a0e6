"""How much of the best dev value is luck: the one that looks best among many was also lucky.

The optimism is estimated by the bootstrap over questions (Efron 1983): in every draw the best is chosen again, and its
value in the draw is compared with its value on all questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.judging.compare.paired import design_of
from harness.measuring.statistics.bootstrap import percentile_intervals, resampled_macros
from training.adapting.scoring import ArmScores, finite, paired


@dataclass(frozen=True)
class WinnerLead:
    """A difference from the best ingredient, with its 95 % interval over questions (None if it is unknown)."""

    delta: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SearchChoice:
    """The best of all that were measured, against the best ingredient."""

    lead: WinnerLead
    """As measured on dev, which is too good on average."""
    optimism: float | None
    """How much better it looks than it is, because it was chosen on these queries; None if it is unknown."""
    chosen_again: float | None
    """The share of the draws in which the same one is the best."""

    @property
    def corrected(self) -> float | None:
        """The lead without the optimism."""
        return None if self.optimism is None else self.lead.delta - self.optimism


def leads(scores: Mapping[str, ArmScores], reference: str) -> dict[str, WinnerLead]:
    """The paired difference of each from one of them."""
    found = {}
    for name, one in scores.items():
        pairs = paired(scores[reference], one)
        design = design_of(pairs)
        low = high = float("nan")
        if design.holds(2):
            ((low, high),) = percentile_intervals(resampled_macros(design, [pair.deltas[None] for pair in pairs]))
        found[name] = WinnerLead(one.value - scores[reference].value, finite(low), finite(high))
    return found


def selection(scores: Mapping[str, ArmScores], winner: str, best: str) -> SearchChoice:
    """The lead of the winner over the ingredient `best`, and how optimistic it is.

    The optimism covers the choice among what was measured. That the search also steered by these values makes the true
    one somewhat larger.
    """
    values = {name: one.value for name, one in scores.items()}
    lead = leads({best: scores[best], winner: scores[winner]}, best)[winner]
    names = list(scores)
    pairs = [paired(scores[best], scores[name]) for name in names]
    design = design_of(pairs[0])
    if not design.holds(2):
        return SearchChoice(lead, None, None)
    rows = [np.stack([own[place].candidate for own in pairs]) for place in range(len(pairs[0]))]
    drawn, whole = resampled_macros(design, rows), np.array([values[name] for name in names])
    chosen, reference = drawn.argmax(axis=0), names.index(best)
    in_draw = drawn[chosen, np.arange(drawn.shape[1])] - drawn[reference]
    optimism = float((in_draw - (whole[chosen] - whole[reference])).mean())
    return SearchChoice(lead, optimism, float((chosen == names.index(winner)).mean()))

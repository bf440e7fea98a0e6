"""A lower bound that also holds if few questions lose much.

Student's t relies on a mean that is nearly normal. If a few questions lose everything and the others hardly move, the
bound of a lucky sample is too high: with 150 questions of which 5 % lose 1.0, a loss of 5 points is excluded by mistake
in 13 % of the samples at alpha .05, and in 5 % at alpha .01. Such a sample has a long tail of losses: its mean has a
negative skewness g = sum c^3 / (sum c^2)^1.5 over the contributions c of the questions.

So if a question lost more than 20 points and g is negative, the quantile q of Student's t is enlarged by
|g| (2 q^2 + 1) / 6, the first term of the Cornish-Fisher expansion (Johnson 1978). That is enough while the tail is
short. If g is below -0.25, the bound is also at most the betting bound of `anytime`, which assumes nothing but
independent questions and differences in [-1, 1]. Both can only lower the bound, so they never make a pass. A loss that
no question of the sample shows cannot be seen by such a rule; `docs/gate.md` says how often that happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.measuring.statistics.anytime import macro_evidence
from harness.measuring.statistics.design import TIE, Design, Floats64
from harness.measuring.statistics.effects import LARGE
from harness.measuring.statistics.equivalence import lower_bound
from harness.measuring.statistics.error import Estimate, estimate
from harness.measuring.statistics.student import quantile

SKEWED = -0.25
"""The skewness of the mean below which losses are rare and large."""
Test = Literal["t", "skewed t", "betting"]


@dataclass(frozen=True)
class LowerBound:
    """A one-sided lower bound of a macro mean, and the test that it is from."""

    value: float
    test: Test


def cautious_bound(design: Design, values: Sequence[Floats64], alpha: float) -> LowerBound:
    """Return the one-sided lower bound of the macro mean of differences: Student's t, corrected for a tail of losses,
    and not above the betting bound if losses are rare and large; nan if a collection has fewer than 2 queries."""
    tail = tail_of_losses(design, values)
    if tail == 0:
        return LowerBound(lower_bound(design, values, alpha), "t")
    corrected = _skewed_bound(estimate(design, values), alpha, tail)
    bet = betting_bound(design, values, alpha) if tail < SKEWED else 1.0
    return LowerBound(bet, "betting") if bet < corrected else LowerBound(corrected, "skewed t")


def tail_of_losses(design: Design, values: Sequence[Floats64]) -> float:
    """Return the skewness of the macro mean if it is negative and a question lost more than 20 points, else 0."""
    if not design.holds(2) or float((design.sums(values) / design.share).min()) >= -LARGE - TIE:
        return 0.0
    return min(0.0, skewness(design, values))


def _skewed_bound(found: Estimate, alpha: float, skew: float) -> float:
    own = quantile(1 - alpha, found.freedom)
    return found.mean - (own - skew * (2 * own**2 + 1) / 6) * found.se


def skewness(design: Design, values: Sequence[Floats64]) -> float:
    """Return the estimated skewness of the macro mean; 0 if nothing varies."""
    rest = design.sums([np.asarray(own, np.float64) - np.mean(own) for own in values])
    rest[np.abs(rest) <= TIE * design.share] = 0.0
    spread = float(np.square(rest).sum())
    return float((rest**3).sum()) / spread**1.5 if spread > 0 else 0.0


def betting_bound(design: Design, values: Sequence[Floats64], alpha: float) -> float:
    """Return the lower bound by betting, for differences in [-1, 1]. Differences of p-MRR lie in [-2, 2] and are halved
    first. The product of a question's factors does not depend on the order of the questions."""
    scale = 1.0 if all((np.abs(own) <= 1 + TIE).all() for own in values) else 2.0
    return scale * macro_evidence(design, [own / scale for own in values]).bound(alpha)

"""Bounds of a mean that stay true however often one looks and whenever one stops.

The values are paired differences in [-1, 1] of questions, which are independent; in a parallel set the difference of a
question is the average of those of its queries. Queries of a collection d are a sample of those that might be asked,
with the mean mu_d. The mean is sum_d w_d mu_d, each collection with its vote w_d.

For a bet b in (0, 1) and stakes s_u in [0, 1], fixed beforehand, every question u multiplies a wealth by
1 + b s_u delta_u > 0. Its expectation is 1 + b s_u mu_u <= exp(b s_u mu_u), so

    product_u (1 + b s_u delta_u) / exp(b sum_u s_u mu_u)

is a nonnegative supermartingale that starts at 1, and so is any average of such products, over bets and over stakes.
By Ville's inequality (1939) it ever reaches 1/alpha with probability alpha at most. Where the stakes are balanced, each
being what its question weighs in the average times the reach, the unknown means enter by their weighted mean alone, and
the inequality solves for a lower bound of it. The same on the negated differences is the upper bound. Stakes that are
no longer balanced have stopped betting where they last were: their wealth stays what it was.

This is the capital of Waudby-Smith and Ramdas (2024, "Estimating means of bounded random variables by betting") with
1 + x <= exp(x) in place of the hypothesised mean of each collection, which nobody knows (Spertus, Sridhar and Stark
2024 search over them). As 1 + x >= exp(x + log(1 - c) x^2 / c^2 + x^2 / c) for x >= -c (Fan, Grama and Liu 2015), it is
never weaker than the empirical-Bernstein bound of Howard, Ramdas, McAuliffe and Sekhon (2021) that predicts 0 and has
the same bets. The average over several bets is Robbins' (1970): no variance has to be guessed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.measuring.statistics.design import Design, Floats64

BETS: Floats64 = 0.95 * np.power(0.65, np.arange(5))
"""Large bets are quick with large effects, small ones are needed for small effects among many queries."""
SHARES: Floats64 = np.log(BETS / BETS.sum())
"""The logarithm of what each bet gets of the first wealth."""
_ROUNDS = 100
_PRECISE = 1e-12
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Evidence:
    """That a mean is large: an average of wealths. Both arrays are float64 [components]."""

    logs: Floats64
    """The logarithm of each wealth times its share of the average."""
    reach: Floats64
    """How far the mean itself moves the logarithm of the expected wealth, at most."""

    def against(self, mean: float) -> float:
        """The logarithm of the evidence against a mean of at most `mean`: under such a mean it ever reaches
        log(1/alpha) with probability `alpha` at most."""
        return float(np.logaddexp.reduce(self.logs - self.reach * mean))

    def bound(self, alpha: float) -> float:
        """The lower bound: a mean below it is ever seen with probability `alpha` at most. -1 if nothing is known."""
        wanted, mean = math.log(1 / alpha), -1.0
        for _ in range(_ROUNDS):
            terms = self.logs - self.reach * mean
            total = np.logaddexp.reduce(terms)
            slope = float(np.exp(terms - total) @ self.reach)
            if total - wanted <= _PRECISE * slope:
                break
            mean += (total - wanted) / slope  # the function is convex and falls: a step of Newton's never goes too far
        return float(min(mean, 1.0))


def evidence(deltas: Floats64) -> Evidence:
    """That the mean of one collection is large. Look whenever you like: the stakes are always balanced."""
    return Evidence(SHARES + wealth(deltas), BETS * len(deltas))


def macro_evidence(design: Design, deltas: Sequence[Floats64]) -> Evidence:
    """That the weighted mean of the collections' means is large. A question is one draw, in all its languages: its
    difference is the average of those of its queries, and its stake is what it weighs.

    Args:
        deltas: of every collection of the design, float64 [queries], at least one each.
    """
    stakes, reach = balanced(design)
    return Evidence(SHARES + wealth(design.sums(deltas) / design.share, stakes), BETS * reach)


def balanced(design: Design) -> tuple[Floats64, float]:
    """The stakes of the questions that are balanced, the largest being 1, and their reach."""
    largest = design.share.max()
    return design.share / largest, float(1 / largest)


def wealth(deltas: Floats64, stakes: Floats64 | float = 1.0) -> Floats64:
    """The logarithm of what each of `BETS` has become, float64 [bets].

    Raises:
        ValueError: a difference is outside [-1, 1]; no bound would hold.
    """
    if not (np.abs(deltas) <= 1 + _ROUNDING).all():
        raise ValueError("differences of measures lie in [-1, 1]")
    grown: Floats64 = np.log1p(np.multiply.outer(BETS, stakes * deltas)).sum(axis=1)
    return grown


def averaged(parts: Sequence[Evidence], of: int) -> Evidence:
    """Several stakes, of which each got one part, of `of`, of the first wealth. Those still to come count nothing."""
    logs = np.concatenate([part.logs for part in parts]) - math.log(of)
    return Evidence(logs, np.concatenate([part.reach for part in parts]))

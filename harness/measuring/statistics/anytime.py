"""Anytime-valid bounds of a mean: they hold however often the data are examined and whenever the sampling stops.

The values are paired differences in [-1, 1] of independent questions. In a parallel set the difference of a question is
the average over its queries. The queries of a collection d are a sample from a population with mean mu_d. The bounded
mean is sum_d w_d mu_d, where w_d is the weight of collection d.

For a bet b in (0, 1) and stakes s_u in [0, 1], both fixed beforehand, every question u multiplies a wealth by
1 + b s_u delta_u > 0. The expectation of this factor is 1 + b s_u mu_u <= exp(b s_u mu_u), so

    product_u (1 + b s_u delta_u) / exp(b sum_u s_u mu_u)

is a nonnegative supermartingale that starts at 1, and so is any average of such products, over bets and over stakes. By
Ville's inequality (1939) the probability that it ever reaches 1/alpha is at most alpha. Stakes are balanced if each is
the weight of its question in the average times the reach. Then the product depends on the unknown means only through
their weighted mean, and the inequality gives a lower bound of that mean. The negated differences give the upper bound.
When stakes are no longer balanced, betting stops, and the wealth stays at its last value.

**Headroom.** A bet on losses multiplies by 1 - b delta_u, so b < 1 because a difference may be 1. That is slow: if
nothing varies and every question loses 0.025 more than the margin, 1/.01 takes 194 questions. But the anchor's value is
often known for every question before the first pair of the candidate is scored, and with it the headroom h_u, the
largest possible delta_u: the value of the best order of the candidates minus the anchor's. Let c be the reach .95 / b
of a bet b >= .95, and let k_u = max(h_u - c, 0) be the part of the headroom above it. Each scored question u gets a
partner v that is not scored, from the other end of the random order. The pair multiplies a wealth by

    (1 - b (delta_u - k_u)) (1 - b k_v)

Both factors are above 0: delta_u - k_u <= min(h_u, c) <= .95 / b, and b k_v <= b - .95 < 1 for b < 1.95. Questions are
independent, and u and v are alike, so the expectation is at most exp(-b (mu - E k)) exp(-b E k) = exp(-b mu): the
unknown mean of k cancels. k is a control variate with slope 1 whose mean is estimated by the partners. No question is
both scored and a partner, so this bet ends when half of the questions are scored. It needs designs in which all
questions have the same stake. What it knows after a draw includes the headroom of the partners, which the other bets
may not know, so their wealth cannot be averaged: each kind gets a part of alpha (`Either`).

This is the capital process of Waudby-Smith and Ramdas (2024, "Estimating means of bounded random variables by
betting"), with 1 + x <= exp(x) instead of the hypothesised mean of each collection, which is unknown (Spertus, Sridhar
and Stark 2024 search over them). As 1 + x >= exp(x + log(1 - c) x^2 / c^2 + x^2 / c) for x >= -c (Fan, Grama and Liu
2015), it is never weaker than the empirical-Bernstein bound of Howard, Ramdas, McAuliffe and Sekhon (2021) that
predicts 0 and has the same bets. The average over several bets is due to Robbins (1970); it avoids guessing a variance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.measuring.statistics.design import Design, Floats64

BETS: Floats64 = 0.95 * np.power(0.65, np.arange(5))
"""Large bets detect large effects quickly; small bets detect small effects over many queries."""
SHARES: Floats64 = np.log(BETS / BETS.sum())
"""The logarithm of the share of the initial wealth that each bet gets."""
HEADROOM_BETS: Floats64 = np.array([1.85, 1.2])
"""The bets on losses that need the anchor's headroom; they are below 1.95."""
_HEADROOM_SHARES: Floats64 = np.log(np.full(2, 0.5))
_REACH = 0.95
"""A bet times the part of the headroom that it accepts."""
_ROUNDS = 100
_PRECISE = 1e-12
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Evidence:
    """Evidence that a mean is large: an average of wealths. Both arrays are float64 [components]."""

    logs: Floats64
    """The logarithm of each wealth times its share of the average."""
    reach: Floats64
    """The largest effect of the mean on the logarithm of the expected wealth."""

    def against(self, mean: float) -> float:
        """The logarithm of the evidence against a mean of at most `mean`. If the mean is at most that, the probability
        that this value ever reaches log(1/alpha) is at most `alpha`."""
        return float(np.logaddexp.reduce(self.logs - self.reach * mean))

    def bound(self, alpha: float) -> float:
        """The lower bound: the probability that the mean is ever below it is at most `alpha`. -1 without evidence."""
        wanted, mean = math.log(1 / alpha), -1.0
        for _ in range(_ROUNDS):
            terms = self.logs - self.reach * mean
            total = np.logaddexp.reduce(terms)
            slope = float(np.exp(terms - total) @ self.reach)
            if total - wanted <= _PRECISE * slope:
                break
            mean += (total - wanted) / slope  # the function is convex and falls, so Newton's step never overshoots
        return float(min(mean, 1.0))


@dataclass(frozen=True)
class Either:
    """Evidence of several kinds, each with an equal part of alpha, because they cannot be averaged."""

    kinds: tuple[Evidence, ...]

    def against(self, mean: float) -> float:
        """As `Evidence.against`; the probability of each kind is at most its part of alpha."""
        return max(kind.against(mean) for kind in self.kinds) - math.log(len(self.kinds))

    def bound(self, alpha: float) -> float:
        """The lower bound: the probability that the mean is ever below it is at most `alpha`."""
        return max(kind.bound(alpha / len(self.kinds)) for kind in self.kinds)


def evidence(deltas: Floats64) -> Evidence:
    """Evidence that the mean of one collection is large. It is valid at any time: the stakes are always balanced."""
    return Evidence(SHARES + wealth(deltas), BETS * len(deltas))


def macro_evidence(design: Design, deltas: Sequence[Floats64]) -> Evidence:
    """Evidence that the weighted mean of the collections' means is large.

    A question is one draw in all its languages: its difference is the average over its queries, and its stake is its
    weight.

    Args:
        deltas: float64 [queries] for every collection of the design, with at least one query each.
    """
    stakes, reach = balanced(design)
    return Evidence(SHARES + wealth(design.sums(deltas) / design.share, stakes), BETS * reach)


def headroom_evidence(
    design: Design, deltas: Sequence[Floats64], headroom: Sequence[Floats64], partners: Sequence[Floats64]
) -> Evidence:
    """Evidence that the weighted mean of the collections' losses is large, from known headrooms.

    Args:
        design: questions that all have the same stake; each is asked in all collections of its set.
        deltas: float64 [queries] for every collection.
        headroom: the largest possible difference of each query, from 0 to 1, likewise.
        partners: the headroom of as many queries that are not scored, likewise.

    Raises:
        ValueError: a difference is above its headroom, so that no bound would hold.
    """
    moved, high, others = (design.sums(values) / design.share for values in (deltas, headroom, partners))
    if not (moved <= high + _ROUNDING).all():
        raise ValueError("a difference is above the headroom of its question")
    own, theirs = (np.maximum(np.subtract.outer(-_REACH / HEADROOM_BETS, -room), 0) for room in (high, others))
    bets = HEADROOM_BETS[:, None]
    logs = np.log1p(bets * (own - moved)).sum(axis=1) + np.log1p(-bets * theirs).sum(axis=1)
    return Evidence(_HEADROOM_SHARES + logs, HEADROOM_BETS * len(moved))


def balanced(design: Design) -> tuple[Floats64, float]:
    """The balanced stakes of the questions, the largest being 1, and their reach."""
    largest = design.share.max()
    return design.share / largest, float(1 / largest)


def wealth(deltas: Floats64, stakes: Floats64 | float = 1.0) -> Floats64:
    """The logarithm of the wealth of each bet of `BETS`, float64 [bets].

    Raises:
        ValueError: a difference is outside [-1, 1], so that no bound would hold.
    """
    if not (np.abs(deltas) <= 1 + _ROUNDING).all():
        raise ValueError("differences of measures lie in [-1, 1]")
    grown: Floats64 = np.log1p(np.multiply.outer(BETS, stakes * deltas)).sum(axis=1)
    return grown


def averaged(parts: Sequence[Evidence], of: int) -> Evidence:
    """The average of several parts, each with 1 / `of` of the initial wealth. Parts that are still missing count 0."""
    logs = np.concatenate([part.logs for part in parts]) - math.log(of)
    return Evidence(logs, np.concatenate([part.reach for part in parts]))

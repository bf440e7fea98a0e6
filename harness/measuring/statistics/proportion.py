"""Exact intervals of a share, of an infinite source (Clopper and Pearson 1934) or a finite population, and the interval
of Wilson (1927, Journal of the American Statistical Association 22)."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson(share: float, of: int, level: float = 0.95) -> tuple[float, float]:
    """The two-sided interval of a share; (0, 1) without data.

    Args:
        share: the observed share, or an average of values between 0 and 1, for which the interval is never too narrow.
        of: the number of draws.
        level: the probability with which the interval holds the share. Default: 0.95.
    """
    if not of:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    extra = z * z / of
    middle = (share + extra / 2) / (1 + extra)
    reach = z * math.sqrt(share * (1 - share) / of + extra / (4 * of)) / (1 + extra)
    low, high = middle - reach, middle + reach
    return 0.0 if share == 0 else max(0.0, low), 1.0 if share == 1 else min(1.0, high)


def share_interval(hits: int, drawn: int, items: int | None, level: float) -> tuple[float, float]:
    """The exact interval of the share of hits, from a random sample.

    It holds the share with at least the probability `level`, whatever the share is.

    Args:
        hits: in the sample.
        drawn: items of the sample.
        items: of the population, sample included; None for an infinite source.
        level: as 0.95.
    """
    tail = (1 - level) / 2
    high = 1 - _least(drawn - hits, drawn, items, tail)
    return _least(hits, drawn, items, tail), high


def _least(hits: int, drawn: int, items: int | None, tail: float) -> float:
    """The smallest share under which at least `hits` hits have a probability of more than `tail`."""
    if hits == 0:
        return 0.0
    if items is None:
        return _bisected(hits, drawn, tail)
    low, high = hits - 1, items - (drawn - hits)  # `low` hits in all are too few for the sample, `high` are the most
    while high - low > 1:
        middle = (low + high) // 2
        chance = math.fsum(_hypergeometric(one, drawn, middle, items) for one in range(hits, drawn + 1))
        low, high = (low, middle) if chance > tail else (middle, high)
    return high / items


def _bisected(hits: int, drawn: int, tail: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        chance = math.fsum(_binomial(one, drawn, middle) for one in range(hits, drawn + 1))
        low, high = (low, middle) if chance > tail else (middle, high)
    return low


def _binomial(hits: int, drawn: int, share: float) -> float:
    """The probability of this number of hits among the drawn, if each is one with the probability `share`. Computed
    from logarithms: the number of ways exceeds a float from about 1,030 drawn items."""
    return math.exp(_choose(drawn, hits) + hits * math.log(share) + (drawn - hits) * math.log1p(-share))


def _hypergeometric(hits: int, drawn: int, marked: int, items: int) -> float:
    """The probability of this number of hits among the drawn, if `marked` of the items are hits."""
    if hits > marked or drawn - hits > items - marked:
        return 0.0
    return math.exp(_choose(marked, hits) + _choose(items - marked, drawn - hits) - _choose(items, drawn))


def _choose(items: int, some: int) -> float:
    """The logarithm of the number of ways to draw `some` of the items."""
    return math.lgamma(items + 1) - math.lgamma(some + 1) - math.lgamma(items - some + 1)

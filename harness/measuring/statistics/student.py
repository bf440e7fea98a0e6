"""Student's t distribution: upper tail and quantile to at least 8 digits, without a statistics library."""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL_FROM = 1e7
"""From this number of degrees of freedom on, the normal distribution is used."""


def survival(t: float, freedom: float) -> float:
    """P(T > t) for `freedom` degrees of freedom (above 0; inf is the normal distribution); nan for nan."""
    if math.isnan(t) or math.isnan(freedom):
        return float("nan")
    if t < 0:
        return 1.0 - survival(-t, freedom)
    if math.isinf(t):
        return 0.0
    if freedom >= _NORMAL_FROM:
        return math.erfc(t / math.sqrt(2)) / 2
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t), t * t / (freedom + t * t)) / 2


def quantile(level: float, freedom: float) -> float:
    """The t with P(T <= t) = level; nan for nan.

    Raises:
        ValueError: the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"a quantile needs a level between 0 and 1, not {level}")
    if math.isnan(freedom):
        return float("nan")
    if level < 0.5:
        return -quantile(1 - level, freedom)
    t, tail = NormalDist().inv_cdf(level), 1 - level
    if freedom >= _NORMAL_FROM:
        return t
    for _ in range(200):  # Newton from below: the tail is convex and falls, so a step never overshoots
        step = (survival(t, freedom) - tail) / _density(t, freedom)
        t += step
        if abs(step) <= 1e-12 * max(1.0, t):
            break
    return t


def _density(t: float, freedom: float) -> float:
    log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(log - (freedom + 1) / 2 * math.log1p(t * t / freedom))


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b) by its continued fraction (DLMF 8.17.22). `rest` is 1 - x, passed so that no digit is lost."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(b, a, rest, x)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    return math.exp(log) / a / _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)), evaluated forwards by Lentz's method."""
    value, above, below = 1.0, 1.0, 0.0
    for step in range(1, 20_000):
        half = step // 2
        top = -(a + half) * (a + b + half) if step % 2 else half * (b - half)
        part = top * x / ((a + step - 1) * (a + step))
        below = 1.0 / (1.0 + part * below)
        above = 1.0 + part / above
        value *= above * below
        if abs(above * below - 1.0) < 1e-15:
            break
    return value

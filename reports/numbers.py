"""How numbers are printed: points, signed points, intervals, shares, p-values, counts and rates. No value: a dash."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

DASH = "-"
"""Printed for a missing or unknown value."""


def points(value: float | None) -> str:
    """A fraction as points with two decimals."""
    return _shown(value, lambda known: f"{100 * known:.2f}")


def signed(value: float | None) -> str:
    """A difference as points with two decimals and a sign."""
    return _shown(value, lambda known: f"{100 * known:+z.2f}")


def bracketed(bounds: Sequence[float] | None, show: Callable[[float], str] = points) -> str:
    """An interval in points."""
    return DASH if bounds is None or math.isnan(bounds[0]) else f"[{show(bounds[0])}, {show(bounds[1])}]"


def signed_interval(bounds: Sequence[float] | None) -> str:
    """An interval of a difference in points."""
    return bracketed(bounds, signed)


def share(value: float | None) -> str:
    """A fraction in per cent. A very small share is printed as "< 0.1 %", not as zero."""
    return _shown(value, lambda known: "< 0.1 %" if 0 < known < 0.0005 else f"{100 * known:.1f} %")


def signed_share(value: float | None) -> str:
    """A share that may be negative, in whole per cent."""
    return _shown(value, lambda known: f"{100 * known:+z.0f} %")


def probability(p: float | None) -> str:
    """A p-value, with four decimals below 0.1."""
    return _shown(p, lambda known: f"{known:.4f}" if known < 0.1 else f"{known:.2f}")


def count(value: int | None) -> str:
    """A whole number."""
    return _shown(value, lambda known: f"{known:,}")


def rate(value: float | None) -> str:
    """A number per second."""
    return _shown(value, lambda known: f"{known:,.1f}")


def _shown(value: float | None, show: Callable[[float], str]) -> str:
    return DASH if value is None or math.isnan(value) else show(value)

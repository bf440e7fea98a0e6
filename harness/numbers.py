"""How numbers are written in tables, pages and sentences: points, intervals, shares, p-values, counts.

No value: a dash. An interval is `[1.20, 3.40]`; of a difference `[-1.20, +3.40]`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

DASH = "-"
"""Printed for a missing or unknown value."""


def points(value: float | None, digits: int = 2) -> str:
    """A fraction as points."""
    return _shown(value, lambda known: f"{100 * known:.{digits}f}")


def signed(value: float | None, digits: int = 2) -> str:
    """A difference as points with a sign."""
    return _shown(value, lambda known: f"{100 * known:+z.{digits}f}")


def interval(bounds: Sequence[float | None] | None, show: Callable[[float], str] = points) -> str:
    """An interval, in points by default. A dash if a bound is not known."""
    if bounds is None or any(bound is None or math.isnan(bound) for bound in bounds):
        return DASH
    return f"[{', '.join(show(bound) for bound in bounds if bound is not None)}]"


def signed_interval(bounds: Sequence[float | None] | None, digits: int = 2) -> str:
    """An interval of a difference in points."""
    return interval(bounds, lambda bound: signed(bound, digits))


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


def plural(what: str, number: int, one: str = "", many: str = "") -> str:
    """A count with its noun: `1 alarm`, `2,000 alarms`, `no alarms`.

    Args:
        one: a verb that follows, for a count of 1.
        many: the verb for all other counts.
    """
    shown, ending, verb = f"{number:,}" if number else "no", "" if number == 1 else "s", one if number == 1 else many
    return f"{shown} {what}{ending} {verb}".rstrip()


def decimal(value: float | None, digits: int = 1) -> str:
    """A number in its own unit, such as milliseconds or pairs per second."""
    return _shown(value, lambda known: f"{known:,.{digits}f}")


def rounded_up(count: int) -> int:
    """An estimated number, rounded up to two digits."""
    scale = int(10 ** max(len(str(count)) - 2, 0))
    return -(-count // scale) * scale


def typographic(text: str) -> str:
    """A printed number with a minus sign and an en dash instead of hyphens, for pages and drawings."""
    return "–" if text == DASH else text.replace("-", "−")


def _shown(value: float | None, show: Callable[[float], str]) -> str:
    return DASH if value is None or math.isnan(value) else show(value)


def finite(value: Any) -> Any:
    """Plain values for JSON: NaN and infinite numbers, at any depth, become None."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

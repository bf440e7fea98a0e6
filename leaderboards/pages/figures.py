"""How figures are written on a page: points with two decimals, a real minus, a dash where there is nothing."""

from __future__ import annotations

import math

DASH = "–"
_MINUS = "−"


def points(value: float | None) -> str:
    """A fraction x 100."""
    return DASH if value is None or math.isnan(value) else f"{100 * value:.2f}".replace("-", _MINUS)


def signed(value: float | None) -> str:
    """A difference x 100 with its sign."""
    return DASH if value is None or math.isnan(value) else f"{100 * value:+z.2f}".replace("-", _MINUS)


def span(bounds: tuple[float, float] | None, *, sign: bool = False) -> str:
    """An interval x 100; empty where there is none."""
    if bounds is None or math.isnan(bounds[0]):
        return ""
    return f"[{', '.join(signed(one) if sign else points(one) for one in bounds)}]"


def rate(value: float | None) -> str:
    """Pairs per second."""
    return DASH if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def share(value: float | None) -> str:
    """A fraction as per cent."""
    return DASH if value is None else f"{100 * value:.1f} %"


def exact(value: float | None) -> str:
    """Every digit, for machines; empty where there is none."""
    return "" if value is None or math.isnan(value) else repr(value)


def ranks(bounds: tuple[int, int] | None) -> str:
    """Ranks between the tails of the resamples."""
    return "" if bounds is None or bounds[0] == bounds[1] else f"{bounds[0]}–{bounds[1]}"

"""The format of figures on pages: points with two decimals, a typographic minus, a dash for no value."""

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
    """An interval x 100; empty for none."""
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
    """All digits, for scripts; empty for no value."""
    return "" if value is None or math.isnan(value) else repr(value)


def ranks(bounds: tuple[int, int] | None) -> str:
    """The interval of a rank; empty if both bounds are equal."""
    return "" if bounds is None or bounds[0] == bounds[1] else f"{bounds[0]}–{bounds[1]}"

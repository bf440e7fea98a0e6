"""The format of figures on pages: as in tables, with a typographic minus and dash."""

from __future__ import annotations

import math

from harness import numbers
from harness.numbers import typographic

DASH = typographic(numbers.DASH)


def points(value: float | None) -> str:
    """A fraction x 100."""
    return typographic(numbers.points(value))


def signed(value: float | None) -> str:
    """A difference x 100 with its sign."""
    return typographic(numbers.signed(value))


def span(bounds: tuple[float, float] | None, *, sign: bool = False) -> str:
    """An interval x 100; empty for none."""
    text = numbers.signed_interval(bounds) if sign else numbers.interval(bounds)
    return "" if text == numbers.DASH else typographic(text)


def rate(value: float | None) -> str:
    """Pairs per second."""
    return DASH if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def share(value: float | None) -> str:
    """A fraction as per cent."""
    return typographic(numbers.share(value))


def exact(value: float | None) -> str:
    """All digits, for scripts; empty for no value."""
    return "" if value is None or math.isnan(value) else repr(value)


def ranks(bounds: tuple[int, int] | None) -> str:
    """The interval of a rank; empty if both bounds are equal."""
    return "" if bounds is None or bounds[0] == bounds[1] else f"{bounds[0]}–{bounds[1]}"

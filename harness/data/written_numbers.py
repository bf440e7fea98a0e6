"""Numbers as text files have them: in the notation of C, which trec_eval reads.

Python's own conversions also take `1_000` and the digits of other scripts, which trec_eval reads as 1 and 0.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE)
_WHOLE = re.compile(r"([+-]?)0*([0-9]+)(\.0*)?")
_DIGITS = 19
"""Digits of a number that fits into 64 bits."""


def is_number(text: str) -> bool:
    """Whether a text is a number, finite or not."""
    return _NUMBER.fullmatch(text) is not None


def whole_number(text: str) -> int | None:
    """The value of a whole number, also written as a float such as `1.0`, with any number of leading zeros; None for
    another text. A number beyond 64 bits becomes one of 20 digits."""
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    value = int(found[2]) if len(found[2]) <= _DIGITS else 10**_DIGITS
    return -value if found[1] == "-" else value

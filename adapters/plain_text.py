"""Text of foreign files as it is shown: without signs that a terminal obeys or that turn the direction of writing."""

from __future__ import annotations

import re

from adapters.limits import LONGEST_MESSAGE

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, line and paragraph separators, marks and overrides of direction, byte order marks, surrogates."""


def printable(text: str) -> str:
    r"""The text on one line, with everything that a terminal or a browser would obey as an escape, such as `\x1b`."""
    return _OBEYED.sub(_escape, text)


def message(text: str) -> str:
    """The text of an error: printable, and cut in the middle if it is longer than `LONGEST_MESSAGE`."""
    shown = printable(text)
    half = LONGEST_MESSAGE // 2
    return shown if len(shown) <= LONGEST_MESSAGE else f"{shown[: half - 5]} ... {shown[-half:]}"


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")

"""Text of foreign files as it is shown: without signs that a terminal obeys or that turn the direction of writing."""

from __future__ import annotations

import re

from adapters.limits import LONGEST_MESSAGE

OBEYED = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
"""A pattern of one character: control characters, separators of lines and paragraphs, marks and overrides of
direction, byte order marks, halves of characters."""
_OBEYED = re.compile(OBEYED)
_IN_LINES = re.compile(f"(?![\n\t]){OBEYED}")
_SHORT = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}


def printable(text: str) -> str:
    r"""The text on one line, with everything that a terminal or a browser would obey as an escape, such as `\u001b`.
    The escapes are those of JSON."""
    return _OBEYED.sub(escape, text)


def printable_lines(text: str) -> str:
    """As `printable`, line by line: line ends and tabs are kept."""
    return _IN_LINES.sub(escape, text)


def message(text: str) -> str:
    """The text of an error: printable, and cut in the middle if it is longer than `LONGEST_MESSAGE`."""
    shown = printable(text)
    half = LONGEST_MESSAGE // 2
    return shown if len(shown) <= LONGEST_MESSAGE else f"{shown[: half - 5]} ... {shown[-half:]}"


def escape(found: re.Match[str]) -> str:
    """The escape of a matched character."""
    return _SHORT.get(found[0], f"\\u{ord(found[0]):04x}")

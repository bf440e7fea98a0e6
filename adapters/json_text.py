"""JSON of other programs, parsed strictly, and what is wrong with a text that is not JSON, in words."""

from __future__ import annotations

import json
import re
from typing import Any

from adapters.limits import LONGEST_NUMBER

BROKEN = (ValueError, RecursionError)
"""What parsing may raise."""
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class RepeatedKey(ValueError):
    """A key occurs twice in one table."""


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs of an object as a dict, as `object_pairs_hook` of a JSON decoder.

    Raises:
        RepeatedKey: a key occurs twice; of the two values a dict would keep only the last.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise RepeatedKey(f"the key '{repeated[:80]}' occurs twice; write it once")
    return found


DECODER = json.JSONDecoder(object_pairs_hook=each_once)
"""Refuses a key that occurs twice in an object."""


def reason(error: Exception) -> str:
    """What an error of `BROKEN` says about a text, without the position of its beginning."""
    if isinstance(error, RepeatedKey):
        return str(error)
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON (column {error.colno}: {error.msg})"
    if isinstance(error, RecursionError):
        return "not JSON (nested too deeply)"
    return f"a whole number of more than {LONGEST_NUMBER:,} digits; write smaller numbers"


def half_character(text: str, content: object) -> bool:
    r"""Whether a string of parsed JSON has half a character, such as `\ud800`, which UTF-8 cannot hold."""
    if _HALF.search(text) is None:
        return False
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False

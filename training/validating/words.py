"""A text as the units that the measures count: words, and characters where a script has no spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import groupby

from harness.checks.near_duplicates import normalised

_UNSPACED = frozenset(("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "THAI", "LAO", "KHMER", "MYANMAR"))
"""First words of Unicode's names of letters. Korean has spaces."""
_DOTLESS = ("tr", "az")
_SILENT = re.compile("[\u00ad\u200d\u2060\ufeff]|\u200c(?![\u0600-\u06ff])|[\u0640\u064b-\u065f\u0670]")
"""Soft hyphen and joiners, tatweel and harakat: written or left out at will."""


def words(text: str, language: str | None = None) -> list[str]:
    """Words in folded case, in their order; a run in a script without spaces is one.

    Args:
        language: its code; it matters where the case of a letter depends on it (Turkish `I`).
    """
    if not text.isascii():
        text = _SILENT.sub("", unicodedata.normalize("NFKC", text))
    if code(language) in _DOTLESS:
        text = text.replace("I", "ı")
    found = normalised(text).replace("i\u0307", "i").split()
    # A text of nothing but punctuation is left as it is when it is normalised.
    runs = [word for word in found if any(map(str.isalnum, word))]
    return [part for run in runs for part in ([run] if run.isascii() else _parted(run))]


def units(text: str, language: str | None = None) -> list[str]:
    """Words, and every character of a script without spaces by itself: what a length counts."""
    return [unit for word in words(text, language) for unit in (word if unspaced(word) else (word,))]


def tokens(text: str, language: str | None = None) -> list[str]:
    """Words, and overlapping pairs of characters of a script without spaces: what an overlap counts."""
    return [token for word in words(text, language) for token in (_pairs(word) if unspaced(word) else (word,))]


def unspaced(word: str) -> bool:
    """Whether a word, as `words` cuts them, is of a script without spaces."""
    return not word.isascii() and _is_unspaced(word[0])


def unit_name(texts: Sequence[str]) -> str:
    """What most of the units of these texts are: `words` or `characters`."""
    found = [word for text in texts for word in words(text)]
    letters = sum(len(word) for word in found if unspaced(word))
    return "characters" if 2 * letters > letters + sum(not unspaced(word) for word in found) else "words"


def code(language: str | None) -> str:
    """A language without its region: `pt` of `pt-BR`; nothing of none."""
    return re.split("[-_]", (language or "").lower())[0]


def _parted(run: str) -> list[str]:
    return ["".join(part) for _, part in groupby(run, _is_unspaced)]


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]


@cache
def _is_unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").replace("-", " ").split(" ")[0] in _UNSPACED

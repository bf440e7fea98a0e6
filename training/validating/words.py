"""Split texts into the units that the measures count: words, or characters for scripts without spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import groupby

from harness.checks.near_duplicates import normalised

_UNSPACED = frozenset(("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "THAI", "LAO", "KHMER", "MYANMAR"))
"""The first words of Unicode's names of letters in scripts without spaces. Korean has spaces."""
_DOTLESS = ("tr", "az")
_SILENT = re.compile("[\u00ad\u200d\u2060\ufeff]|\u200c(?![\u0600-\u06ff])|[\u0640\u064b-\u065f\u0670]")
"""Soft hyphen and joiners, tatweel and harakat, which are optional in writing."""


def words(text: str, language: str | None = None) -> list[str]:
    """The words in folded case, in order. A run of letters of a script without spaces is one word.

    Args:
        language: the code of the language, for letters whose case depends on it (Turkish `I`).
    """
    if not text.isascii():
        text = _SILENT.sub("", unicodedata.normalize("NFKC", text))
    if code(language) in _DOTLESS:
        text = text.replace("I", "ı")
    found = normalised(text).replace("i\u0307", "i").split()
    # Normalisation does not change a text that has only punctuation.
    runs = [word for word in found if any(map(str.isalnum, word))]
    return [part for run in runs for part in ([run] if run.isascii() else _parted(run))]


def units(text: str, language: str | None = None) -> list[str]:
    """The units of lengths: words, and single characters of scripts without spaces."""
    return [unit for word in words(text, language) for unit in (word if unspaced(word) else (word,))]


def tokens(text: str, language: str | None = None) -> list[str]:
    """The units of overlaps: words, and overlapping pairs of characters of scripts without spaces."""
    return [token for word in words(text, language) for token in (_pairs(word) if unspaced(word) else (word,))]


def unspaced(word: str) -> bool:
    """Whether a word from `words` is in a script without spaces."""
    return not word.isascii() and _is_unspaced(word[0])


def unit_name(texts: Sequence[str]) -> str:
    """The more frequent unit of these texts: `words` or `characters`."""
    found = [word for text in texts for word in words(text)]
    letters = sum(len(word) for word in found if unspaced(word))
    return "characters" if 2 * letters > letters + sum(not unspaced(word) for word in found) else "words"


def code(language: str | None) -> str:
    """A language without its region, such as `pt` for `pt-BR`; '' for None."""
    return re.split("[-_]", (language or "").lower())[0]


def _parted(run: str) -> list[str]:
    return ["".join(part) for _, part in groupby(run, _is_unspaced)]


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]


@cache
def _is_unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").replace("-", " ").split(" ")[0] in _UNSPACED

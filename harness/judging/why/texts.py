"""Properties of texts without a model: the script, and how much of a query a document repeats."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

_HAN, _KANA = "Han", ("Hiragana", "Katakana")
_DENSE = (_HAN, "Japanese", *_KANA, "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
"""Scripts without spaces between words, whose sequences of two characters are compared instead of three."""
_ENOUGH = 0.6
"""The share of the letters that the main script needs. Below it, a text is mixed."""
_LOOK = 400
"""The number of letters that are read."""


@lru_cache(maxsize=1 << 14)
def _script_of(letter: str) -> str:
    name = unicodedata.name(letter, "").replace("-", " ").split(" ")[0]
    return _HAN if name in ("CJK", "IDEOGRAPHIC") else name.capitalize()


def script(text: str) -> str | None:
    """Return the script of most letters, from their Unicode names: `Latin`, `Thai`, `Han`, `Japanese` (Han with kana),
    ...; `mixed` if no script has 60 %; None for a text without letters."""
    folded = unicodedata.normalize("NFKC", text[: 2 * _LOOK])
    letters = [one for one in folded if unicodedata.category(one)[0] == "L"][:_LOOK]
    counts = Counter(map(_script_of, letters))
    if any(kana in counts for kana in _KANA):
        counts["Japanese"] = sum(counts.pop(name, 0) for name in (_HAN, *_KANA))
    if not counts:
        return None
    name, times = counts.most_common(1)[0]
    return name if times >= _ENOUGH * counts.total() else "mixed"


def overlap(query: str, documents: Iterable[str]) -> float | None:
    """Return the largest share, 0..1, of the query's character sequences that a document contains. Sequences have three
    characters, or two in scripts without spaces. None for an empty query, or without documents.

    Characters are used instead of words, so that Thai and Chinese, which do not separate words, are treated alike.
    """
    size = 2 if script(query) in _DENSE else 3
    asked = _sequences(query, size)
    shares = [len(asked & _sequences(document, size)) / len(asked) for document in documents if asked]
    return max(shares, default=None)


def _sequences(text: str, size: int) -> set[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(one if unicodedata.category(one)[0] in "LMN" else " " for one in folded)
    spaced = f" {' '.join(kept.split())} "
    return {piece for at in range(len(spaced) - size + 1) if (piece := spaced[at : at + size]).strip()}

"""Changes of a text that leave its meaning. Each is a pure function: the same text always changes in the same way."""

from __future__ import annotations

import random
import re
from itertools import cycle, islice

from adapters.identity import text_digest

PADDING = 1000
"""The number of characters of a padding."""
_FILLER = "lorem ipsum dolor sit amet consectetur adipiscing elit "
_WORD = re.compile(r"[^\W\d_]{4,}")
_TYPOS = 2
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if chr(code).isalnum()}
_HOMOGLYPHS = str.maketrans(
    "AaBCcEeHIijKMNOoPpSsTXxYyZv",
    "\u0410\u0430\u0412\u0421\u0441\u0415\u0435\u041d\u0406\u0456\u0458\u041a\u041c\u039d\u041e\u043e\u0420\u0440"
    "\u0405\u0455\u0422\u0425\u0445\u04ae\u0443\u0396\u03bd",
)


def typos(text: str) -> str:
    """Return the text with a typo in each of two words of at least four letters; in one word, if there is no other.

    A typo swaps, drops, doubles or replaces a letter, as in the experiments of Zhuang and Zuccon (EMNLP 2021). It does
    not touch the first letter. Which one it is depends only on the text.
    """
    rng = random.Random(text_digest(text))
    words = list(_WORD.finditer(text))
    chosen = rng.sample(words, min(_TYPOS, len(words)))
    for word in sorted(chosen, key=lambda one: -one.start()):
        text = f"{text[: word.start()]}{_misspelt(word.group(), rng)}{text[word.end() :]}"
    return text


def lower(text: str) -> str:
    """Return the text in lower case."""
    return text.lower()


def upper(text: str) -> str:
    """Return the text in upper case."""
    return text.upper()


def full_width(text: str) -> str:
    """Return the text with Latin letters and digits in their full-width forms."""
    return text.translate(_FULL_WIDTH)


def homoglyphs(text: str) -> str:
    """Return the text with Latin letters replaced by Cyrillic and Greek ones that look the same."""
    return text.translate(_HOMOGLYPHS)


def filled(text: str, length: int = PADDING) -> str:
    """Return the text repeated and cut to a length.

    Args:
        text: an empty one becomes filler without meaning.
        length: the number of characters. Default: 1,000.
    """
    return "".join(islice(cycle(f"{text.strip()} " if text.strip() else _FILLER), length)).rstrip()


def _misspelt(word: str, rng: random.Random) -> str:
    """Return the word with one typo. A swap of two equal letters would change nothing, so they are not swapped."""
    place = rng.randrange(1, len(word) - 1)
    before, here, after, rest = word[:place], word[place], word[place + 1], word[place + 2 :]
    other = word[0] if word[0] != here else after
    kinds = [f"{before}{after}{rest}", f"{before}{here}{here}{after}{rest}"]
    kinds += [f"{before}{after}{here}{rest}"] if here != after else []
    kinds += [f"{before}{other}{after}{rest}"] if other != here else []
    return rng.choice(kinds)

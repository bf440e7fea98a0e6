"""A judge without a model, as an offline baseline: how much of a claim's wording a premise has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from adapters.protocols import Floats, Identity

_VERSION = 1
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF),
)  # fmt: skip
"""Blocks of scripts that are written without spaces: Thai, Lao, Tibetan, Burmese, Khmer, kana, Chinese characters."""


class LexicalJudge:
    """The share of a claim's distinct units that occur in the premise, from 0 to 1.

    A unit is a word (letters, digits and their marks, in NFKC and without case), or two neighbouring characters where a
    script is written without spaces. A claim without units has 0. The order of words and negations are not noticed.
    """

    name = "lexical"
    grades = None

    @property
    def identity(self) -> Identity:
        """The version, and that of Python's Unicode data."""
        return {"judge": "lexical", "version": _VERSION, "unicode": unicodedata.unidata_version}

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> Floats:
        """Return float32 [len(claims)]."""
        held = {text: frozenset(units(text)) for text in {*premises, *claims}}
        shares = (
            len(held[claim] & held[premise]) / max(len(held[claim]), 1)
            for premise, claim in zip(premises, claims, strict=True)
        )
        return np.fromiter(shares, np.float32, len(claims))


def units(text: str) -> Iterator[str]:
    """The units of a text, in their order."""
    word: list[str] = []
    for character in unicodedata.normalize("NFKC", text).casefold() + " ":
        if unicodedata.category(character)[0] in "LMN" and (not word or _unspaced(word[0]) == _unspaced(character)):
            word.append(character)
            continue
        yield from _of_word(word)
        word = [character] if unicodedata.category(character)[0] in "LMN" else []


def _of_word(word: list[str]) -> Iterator[str]:
    if len(word) > 1 and _unspaced(word[0]):
        yield from (left + right for left, right in pairwise(word))
    elif word:
        yield "".join(word)


def _unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSPACED)

"""Fonts for every script: the installed ones in order of preference, and a fallback for letters that none has."""

from __future__ import annotations

import unicodedata
from functools import cache

_NOTO = (
    "Sans", "Sans CJK SC", "Sans CJK JP", "Sans CJK KR", "Sans SC", "Sans JP", "Sans KR", "Sans Arabic",
    "Naskh Arabic", "Sans Devanagari", "Sans Bengali", "Sans Telugu", "Sans Tamil", "Sans Thai", "Sans Hebrew",
    "Sans Ethiopic", "Sans Khmer", "Sans Myanmar", "Sans Gujarati", "Sans Gurmukhi", "Sans Kannada", "Sans Malayalam",
    "Sans Sinhala", "Sans Georgian", "Sans Armenian", "Sans Lao", "Serif Tibetan",
)  # fmt: skip
_OTHERS = (
    "Droid Sans Fallback", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "IPAGothic", "Arial Unicode MS", "PingFang SC",
    "Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Nirmala UI",
    "Leelawadee UI", "Segoe UI", "Tahoma", "FreeSans", "Lohit Devanagari", "Lohit Bengali", "Lohit Telugu", "Unifont",
)  # fmt: skip
_FIRST = "DejaVu Sans"
"""Comes with matplotlib, so that plots look the same on every machine."""


@cache
def families() -> list[str]:
    """The font families to draw with. Each letter is drawn with the first family that has it."""
    from matplotlib.font_manager import fontManager

    here = {font.name for font in fontManager.ttflist}
    wanted = [*(f"Noto {name}" for name in _NOTO), *_OTHERS]
    return [_FIRST, *(name for name in wanted if name in here)]


@cache
def _letters(family: str) -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(family)).get_charmap())


def drawable(text: str) -> bool:
    """Whether every letter is in an installed font."""
    return all(any(ord(letter) in _letters(family) for family in families()) for letter in text)


def shown(text: str, language: str | None = None) -> str:
    """The text as it can be drawn.

    A letter that no font has is written as its code (`\\u6d77`) and the language code is added, so that two names stay
    different. Control characters and line breaks become spaces.
    """
    plain = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    if drawable(plain):
        return plain
    spelt = "".join(letter if drawable(letter) else f"\\u{ord(letter):04x}" for letter in plain)
    return f"{spelt} ({language})" if language else spelt

"""Letters of every script: fonts that are here, in an order, and a spelling for letters that none of them has."""

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
"""Comes with matplotlib, so that figures look alike everywhere."""


@cache
def families() -> list[str]:
    """The font families to draw with: the first that has a letter draws it."""
    from matplotlib.font_manager import fontManager

    here = {font.name for font in fontManager.ttflist}
    wanted = [*(f"Noto {name}" for name in _NOTO), *_OTHERS]
    return [_FIRST, *(name for name in wanted if name in here)]


@cache
def _letters(family: str) -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(family)).get_charmap())


def drawable(text: str) -> bool:
    """Whether some font here has every letter."""
    return all(any(ord(letter) in _letters(family) for family in families()) for letter in text)


def shown(text: str, language: str | None = None) -> str:
    """The text as it can be drawn. Where no font has a letter, its number stands for it (`\\u6d77`) and the language
    code follows: a reader can look it up, and two names stay two. What has no width or breaks lines is a space."""
    plain = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    if drawable(plain):
        return plain
    spelt = "".join(letter if drawable(letter) else f"\\u{ord(letter):04x}" for letter in plain)
    return f"{spelt} ({language})" if language else spelt

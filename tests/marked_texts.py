"""Answers for tests of refining: marks of all forms in texts of many scripts, and a comparison of two texts that is
independent of the code that writes them."""

from __future__ import annotations

import random

from harness.citing.answers import Answer, CitedReference
from harness.citing.marks import marks_of

_TEXTS = (
    "The tower is tall", "Der Turm ist hoch", "東京は首都です", "Башня высокая", "البرج عال", "मीनार ऊँची है", "หอคอยสูง",
    "탑은 높다", "Η πύργος είναι ψηλή", "המגדל גבוה", "It costs $5", "see (above)", "f(x) = 2", 'He said "so"',
    "`x[1]` here", "it is an array", "\U0001f642 e\u0301moji", "half \uff3d", "and \uff3b", "[", "in the interval",
    "x[10] is 3", "[2019] and [sic]", "(see", "[a](http://u/[1])", "| c | d |", "| a | b |\n|---|---|\n| c | d |",
    "http://u/x", "[^1]: http://u", "**bold**", "- item", "e.g. so", "<b>x</b>", "a()", "\u200f",
)  # fmt: skip
_STOPS = (".", "。", "!", "?", '."', ").", " ।", "؟", "", ":", "…", "\n", "\n\n", "  ", " !", "።")
_BRACKETS = (("[", "]"),) * 4 + (("【", "】"), ("［", "］"), ("[^", "]"), ("\\[", "\\]"), ("[[", "]]"), ("〔", "〕"))
_BEFORE = ("", " ", "  ", ", ", " and ", "\u00a0", "\t", "; ")
Shape = list[tuple[tuple[str, ...], str]]


def marked(chance: random.Random, number: int) -> Answer:
    """An answer whose marks may be anything anywhere."""
    n = chance.randint(0, 5)
    parts = [_sentence(chance, n) for _ in range(chance.randint(0, 4))]
    references = tuple(CitedReference(f"Text {k} of {number}") for k in range(n))
    return Answer(f"q{number}", "Why?", chance.choice([" ", "\n", ""]).join(parts), references)


def _sentence(chance: random.Random, n: int) -> str:
    marks = "".join(chance.choice(_BEFORE) + _mark(chance, n) for _ in range(chance.randint(0, 3)))
    text, stop, at = chance.choice(_TEXTS), chance.choice(_STOPS), chance.randint(0, 5)
    forms = (text + marks + stop, text + stop + marks, marks + text + stop, text + stop)
    return chance.choice((*forms, text[:at] + marks + text[at:] + stop))


def _mark(chance: random.Random, n: int) -> str:
    zero = chance.choice("0０٠०")
    first, last = ("".join(chr(ord(zero) + int(digit)) for digit in str(chance.randint(0, n + 1))) for _ in "ab")
    opening, closing = chance.choice(_BRACKETS)
    several = chance.choice((", ", ",", "、", " and ", "; ", "-"))
    return chance.choice(
        (f"{opening}{first}{closing}",) * 4
        + (f"{opening}{first}{several}{last}{closing}", f"[1]-[{last}]", f"[[{first}]](https://a.b/1)",
           f"({opening}{first}{closing})", f"<sup>[{first}]</sup>", f"([{first}], [{last}])", f"[[{first}][{last}]]",
           f"( [{first}] and [{last}] )", f"[{first}](http://u) & [{last}]", f"[{first}]\u3001[{last}]",
           f"[{first}{'9' * 20}]")
    )  # fmt: skip


def only_marks_differ(text: str, other: str, references: int) -> bool:
    """Whether two texts have the same characters in the same order apart from marks and spaces directly before them."""
    one, two = _shape(text, references), _shape(other, references)
    same = [sign for _, sign in one] == [sign for _, sign in two]
    return same and all(_same_gap(a, b) for (a, _), (b, _) in zip(one, two, strict=True))


def _shape(text: str, references: int) -> Shape:
    """Every character that is no space, with the spaces before it, divided where marks are."""
    found, gap, at = Shape(), [""], 0
    for start, end in [*(mark.span for mark in marks_of(text, references)), (len(text), len(text))]:
        for sign in text[at:start]:
            if sign.isspace() and sign != "\n":
                gap[-1] += sign
            else:
                found.append((tuple(gap), sign))
                gap = [""]
        gap.append("")
        at = end
    return [*found, (tuple(gap[:-1]), "")]


def _same_gap(one: tuple[str, ...], two: tuple[str, ...]) -> bool:
    """Spaces behind the last mark stay; those before a mark may differ."""
    if len(one) == len(two) == 1:
        return one == two
    return one[-1].endswith(two[-1]) or two[-1].endswith(one[-1])

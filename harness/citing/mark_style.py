"""How an answer writes its citation marks, so that new marks look like its own."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from harness.citing.answers import CitationMark
from harness.citing.marks import MarkParts, MarkRun, parts_of

T = TypeVar("T", bound=Hashable)

_SEPARATOR = re.compile(r"\d([^\d\-‐‑‒–—−﹣－~～〜]+)\d")
_DASHES = re.compile(r"\d[^\S\n]*([-‐‑‒–—−﹣－~～〜])[^\S\n]*\d")
_STOPS = ".!?…。！？｡।॥۔؟։።។၊။:;"
_CLOSERS = "\"'”’»›」』)）]】*_"
STOP = re.compile(rf"[{re.escape(_STOPS)}]+[{re.escape(_CLOSERS)}]*\Z")
"""The punctuation that ends a statement, with quotation marks and brackets behind it."""


@dataclass(frozen=True)
class MarkStyle:
    """The form of the marks of an answer."""

    opening: str = "["
    closing: str = "]"
    zero: str = "0"
    """The digit 0 of the script of the numbers."""
    comma: str | None = None
    """What separates several numbers in one mark, as in `[1, 2]`; None if each number has its own mark."""
    between: str = ""
    """The spaces between marks that follow each other."""
    after_stop: bool = False
    """Whether marks stand behind the full stop."""
    space: str | None = None
    """The spaces before a mark; None if the answer does not say."""
    around: tuple[str, str] = ("", "")
    """The brackets around all marks of a statement, as in `([1][2])`."""

    def numbers(self, ids: Iterable[int], separator: str) -> str:
        """Return numbers in the digits of the style."""
        return separator.join("".join(chr(ord(self.zero) + int(digit)) for digit in str(one)) for one in ids)

    def marks(self, ids: Sequence[int]) -> str:
        """Return marks for documents, in their order."""
        if self.comma is not None:
            return f"{self.opening}{self.numbers(ids, self.comma)}{self.closing}"
        return self.between.join(f"{self.opening}{self.numbers([one], '')}{self.closing}" for one in ids)

    def run(self, ids: Sequence[int]) -> str:
        """Return marks for documents, in their order, with the brackets around them."""
        return f"{self.around[0]}{self.marks(ids)}{self.around[1]}"


def style_of(text: str, runs: Sequence[MarkRun]) -> MarkStyle:
    """Return the style that most marks of an answer have; the default without marks."""
    marks = [mark for run in runs for mark in run.brackets]
    if not marks:
        return MarkStyle()
    single = _most([_form(text[slice(*mark.span)]) for mark in marks])
    commas = [comma for mark in marks if (comma := _comma(text[slice(*mark.span)])) is not None]
    joins = [text[one.span[1] : two.span[0]] for run in runs for one, two in pairwise(run.brackets)]
    return replace(
        single,
        comma=_most(commas) if len(commas) > len(joins) else None,
        between=_most(joins) if joins else "",
        after_stop=_most([_is_behind_stop(text, run) for run in runs]),
        space=_most([text[run.cut[0] : run.marks[0].span[0]] for run in runs if _has_before(text, run)] or [" "]),
        around=_most([_around(text, run) for run in runs]),
    )


def _around(text: str, run: MarkRun) -> tuple[str, str]:
    first, last = run.brackets[0].span[0], run.brackets[-1].span[1]
    return text[run.marks[0].span[0] : first], text[last : run.marks[-1].span[1]]


def _has_before(text: str, run: MarkRun) -> bool:
    before = text[max(0, run.cut[0] - 20) : run.cut[0]]
    return bool(before.rpartition("\n")[2].strip()) and not text[run.cut[0] : run.marks[0].span[0]].strip()


def _is_behind_stop(text: str, run: MarkRun) -> bool:
    return bool(STOP.search(text[max(0, run.cut[0] - 20) : run.cut[0]]))


def _most(values: Sequence[T]) -> T:
    return Counter(values).most_common(1)[0][0]


def _form(mark: str) -> MarkStyle:
    parts = parts_of(mark)
    return MarkStyle(parts.opening, parts.closing, _zero(parts))


def _zero(parts: MarkParts) -> str:
    first = next(sign for sign in parts.numbers if sign.isdecimal())
    return chr(ord(first) - unicodedata.decimal(first))


def _comma(mark: str) -> str | None:
    found = _SEPARATOR.search(parts_of(mark).numbers)
    return found[1] if found else None


def shortened(text: str, mark: CitationMark, ids: Sequence[int], style: MarkStyle) -> str:
    """Return a mark with other documents, in its own form.

    Args:
        ids: at least one document.
    """
    written = text[slice(*mark.span)]
    own = replace(_form(written), between=style.between)
    numbers = parts_of(written).numbers
    if not parts_of(written).whole:
        return own.marks(ids)
    dash, comma = _DASHES.search(numbers), _comma(written) or style.comma or ", "
    pieces = _ranges(ids) if dash else [[one] for one in ids]
    shown = [own.numbers(one, dash[1] if dash else "") for one in pieces]
    return f"{own.opening}{comma.join(shown)}{own.closing}"


def _ranges(ids: Sequence[int]) -> list[list[int]]:
    """Ids as single numbers and as first and last numbers of ranges of at least three."""
    groups = list[list[int]]()
    for one in ids:
        if groups and one == groups[-1][-1] + 1:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [part for group in groups for part in ([[group[0], group[-1]]] if len(group) > 2 else [[i] for i in group])]

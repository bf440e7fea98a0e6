r"""Citation marks in a text: `[1]`, `[1, 2]`, `[1-3]`, `[1]-[3]`, `[^1]`, `[[1]](url)`, `\[1\]`, `【1】`, `［１］`.

Brackets around marks and signs between them belong to the marks: `([1], [2])`, `<sup>[1]</sup>`, `[[1][2]]`.

What looks like a mark and is none: years (`[2019]`), numbers (`[1,000]`), code (`x[10]`, anything between backticks),
maths (between dollars, `= [1, 2]`, `in [0, 1]`), parts of addresses and of HTML tags, `[sic]`, a range that descends,
and the number that begins a line of a list of sources (`[1]: ...`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.citing.answers import CitationMark

_DASH = "-‐‑‒–—−﹣－~～〜"
_GAP = r"[^\S\n]*"
_ITEM = rf"\d+(?:{_GAP}[{_DASH}]{_GAP}\d+)?"
_LIST = rf"\^?{_ITEM}(?:{_GAP}(?:[,，、،;；&]|and\b){_GAP}\^?{_ITEM})*"
_BRACKET = re.compile(
    rf"(?:\[\[{_GAP}({_LIST}){_GAP}\]\]"
    rf"|\\?[\[［【〔]{_GAP}({_LIST}){_GAP}(?:†[^\]】\n]{{0,80}})?\\?[\]］】〕])"
    r"(?:\((?:https?:|www\.|/|\#)[^\s()]*(?:\([^\s()]*\)[^\s()]*)*\))?"
)
_TOKEN = re.compile(rf"(\d+)(?:{_GAP}[{_DASH}]{_GAP}(\d+))?")
_VERBATIM = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`|\$\$.+?\$\$|\\\[(?!\s*\d[\d\s,]*\\\])(?:(?!\\\[).)+?\\\]"
    r"|\\\((?:(?!\\\().)+?\\\)"
    r"|(?<![\\$\w])\$(?![\s\d])[^$\n]*?(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)
_ADDRESS = re.compile(
    r"\]\((?=[^\s\[(])[^\s()]*(?:\([^\s()]*\)[^\s()]*)*(?:\s+\"[^\"\n]*\")?\)"
    r"|<[A-Za-z][^<>\n=]*=[^<>\n]*>|<(?:https?|ftp)://[^\s<>]*>"
)
"""The target of a link, a tag with attributes, or an address between angle brackets."""
_BARE_ADDRESS = re.compile(r"(?:(?:https?|ftp)://|www\.)[^\s<>\"`]+", re.IGNORECASE)
_PART_BEFORE = frozenset("/?=&#%_-:~+;")
_PART_BEHIND = re.compile(r"[A-Za-z0-9/=&#%_?~+-]")
"""What makes something directly before or behind it a part of an address that is written without brackets."""
_MOST_DIGITS = 4000
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_CODE = re.compile(r"(?:(?<![^\W\d])[a-z]|\w*_\w*|[A-Za-z]\w*\.[a-z]\w*|\w\(\w*\)|\\[A-Za-z]+)\Z", re.ASCII)
"""What ends directly before an index: a variable of one letter, a name with `_` or a dot, a call, a command of TeX."""
_OPERATOR = re.compile(r"(?:[=∈∉≤≥≠≈×÷^]|\\in|\S [*+<>/]|\b(?:interval|array|vector|tuple))[^\S\n]*\Z", re.IGNORECASE)
_OPERATED = re.compile(r"[^\S\n]*[=≤≥≠≈×÷^]")
_FROM_ZERO = re.compile(r"\b(?:in|range|within|domain|between|scale|over|to)[^\S\n]+(?:the )?\Z", re.IGNORECASE)
_LINE_START = re.compile(r"(?:\A|\n)[^\S\n]*\Z")
_LONGEST_BEFORE = 40
_SPACES_BEFORE = re.compile(r"[^\S\n]*\Z")
_JOIN = re.compile(r"[^\S\n]*(?:[,;，、；،؛&/]|and\b)?[^\S\n]*")
_AROUND = (
    (r"\([^\S\n]*\Z", r"[^\S\n]*\)"), (r"（[^\S\n]*\Z", r"[^\S\n]*）"), (r"\[\Z", r"\]"),
    *((rf"<{tag}>\Z", rf"</{tag}>") for tag in ("sup", "sub", "small", "cite")), (r"(?<!\S)\*\*\Z", r"\*\*"),
)  # fmt: skip
_WRAPPERS = tuple((re.compile(opening), re.compile(closing)) for opening, closing in _AROUND)
_LOOK_BACK = 200
_MOST_AROUND = 4


@dataclass(frozen=True)
class MarkRun:
    """Marks that follow each other on a line, with nothing but spaces and signs of a list between them."""

    brackets: tuple[CitationMark, ...]
    """The marks without signs between them and brackets around them all."""
    marks: tuple[CitationMark, ...]
    """The marks. A sign between two marks belongs to the second one, and brackets around all to the first and the last
    one."""
    cut: tuple[int, int]
    """What is left out of a text without its marks: the marks and the spaces before them. The spaces stay where a
    letter follows directly."""


def marks_of(text: str, references: int) -> tuple[CitationMark, ...]:
    """Return the marks of a text in their order.

    Args:
        references: the number of documents that may be cited. Numbers beyond it, and 0, are kept in the marks: they
            are invalid citations. A range is read within the documents that are there, and each of its two ends that
            is not there is one invalid number.
    """
    return tuple(mark for run in runs_of(text, references) for mark in run.marks)


def brackets_of(text: str, references: int) -> tuple[CitationMark, ...]:
    """Return the marks of a text without signs between them and brackets around them; see `marks_of`."""
    return tuple(_ranged(list(_single(text, references)), text, references))


def runs_of(text: str, references: int) -> tuple[MarkRun, ...]:
    """Return the marks of a text in runs; see `marks_of`."""
    groups = list[list[CitationMark]]()
    for one in brackets_of(text, references):
        between = text[groups[-1][-1].span[1] : one.span[0]] if groups else "\n"
        if _JOIN.fullmatch(between):
            groups[-1].append(one)
        else:
            groups.append([one])
    runs, glued = list[MarkRun](), (-1, False)
    for group in reversed(groups):
        run = _run(text, tuple(group), glued)
        glued = run.marks[0].span[0], _is_glued(text, run.cut[1], glued)
        runs.append(run)
    return tuple(reversed(runs))


def _run(text: str, brackets: tuple[CitationMark, ...], following: tuple[int, bool]) -> MarkRun:
    """A run of marks.

    Args:
        following: where the run behind starts, and whether a letter follows it directly.
    """
    start, end = _widened(text, brackets[0].span[0], brackets[-1].span[1])
    spaces = _SPACES_BEFORE.search(text[max(0, start - _LOOK_BACK) : start])
    before = 0 if spaces is None or _is_glued(text, end, following) else len(spaces[0])
    starts = [start, *(_with_sign(text, one, two) for one, two in pairwise(brackets))]
    ends = [*(one.span[1] for one in brackets[:-1]), end]
    marks = tuple(CitationMark((first, last), one.ids) for first, last, one in zip(starts, ends, brackets, strict=True))
    return MarkRun(brackets, marks, (start - before, end))


def _is_glued(text: str, end: int, following: tuple[int, bool]) -> bool:
    """Whether a letter follows directly, perhaps behind other marks."""
    if end == following[0]:
        return following[1]
    return end < len(text) and (text[end].isalnum() or text[end] in "([{")


def _with_sign(text: str, one: CitationMark, two: CitationMark) -> int:
    """Where a mark starts, with the sign that joins it to the one before."""
    return one.span[1] if text[one.span[1] : two.span[0]].strip() else two.span[0]


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """A span with the brackets around it, also several."""
    for _ in range(_MOST_AROUND):
        before = text[max(0, start - _LOOK_BACK) : start]
        pairs = ((opening.search(before), closing.match(text, end)) for opening, closing in _WRAPPERS)
        around = next(((one[0], other.end()) for one, other in pairs if one and other), None)
        if around is None:
            break
        start, end = start - len(around[0]), around[1]
    return start, end


@dataclass(frozen=True)
class MarkParts:
    """The parts of a written mark."""

    opening: str
    numbers: str
    closing: str
    """Without the address of a link."""
    whole: bool
    """Whether the numbers are all in one pair of brackets, unlike those of `[1]-[3]`."""


def parts_of(mark: str) -> MarkParts:
    """Return the parts of one of the `brackets` of a run; of the first one of `[1]-[3]`."""
    found = _BRACKET.match(mark)
    assert found is not None and found.lastindex is not None, mark
    numbers, end = found[found.lastindex].removeprefix("^"), found.end(found.lastindex)
    closing = re.match(r"[^(]*", mark[end : found.end()])
    return MarkParts(mark[: end - len(numbers)], numbers, closing[0] if closing else "", found.end() == len(mark))


def _single(text: str, references: int) -> Iterator[CitationMark]:
    verbatim, addresses = _Spans(_VERBATIM, text), _Spans(_ADDRESS, text)
    bare, rejected = _Spans(_BARE_ADDRESS, text), -1
    for found in _BRACKET.finditer(text):
        start, end = found.span()
        if verbatim.overlaps(start, end):
            continue
        inside = addresses.overlaps(start, start + 1) or (
            bare.overlaps(start, start + 1) and _is_part(text, start, end)
        )
        if start == rejected or inside or _is_other(found, text, references):
            rejected = end  # `x[1][2]` is code as a whole
            continue
        yield CitationMark((start, end), _numbers(_content(found), references))


class _Spans:
    """Spans of a text, asked in ascending order."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._found = pattern.finditer(text)
        self._now = next(self._found, None)

    def overlaps(self, start: int, end: int) -> bool:
        while self._now is not None and self._now.end() <= start:
            self._now = next(self._found, None)
        return self._now is not None and self._now.start() < end


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether something in an address is a part of it; otherwise it is a mark directly behind the address."""
    return text[start - 1] in _PART_BEFORE or bool(_PART_BEHIND.match(text, end))


def _content(found: re.Match[str]) -> str:
    return found[1] or found[2]


def _is_other(found: re.Match[str], text: str, references: int) -> bool:
    """Whether something that is written like a mark is a year, a number, code, maths or the label of a source."""
    content, start, end = _content(found), found.start(), found.end()
    before = text[max(0, start - _LONGEST_BEFORE) : start]
    tokens = [(_number(first), _number(last) if last else None) for first, last in _TOKEN.findall(content)]
    if any(last is not None and last <= first for first, last in tokens) or _are_years(tokens, references):
        return True
    if _THOUSANDS.fullmatch(content) and any(
        _number(part) > references or part[0] == "0" for part in content.split(",")
    ):
        return True
    if _CODE.search(before) or _OPERATOR.search(before) or _OPERATED.match(text, end):
        return True
    several = len(tokens) > 1 or tokens[0][1] is not None
    if several and tokens[0][0] == 0 and _FROM_ZERO.search(before):
        return True
    return text.startswith(":", end) and bool(_LINE_START.search(before))


def _number(digits: str) -> int:
    """The value of digits. Of a longer number than Python reads the first digits: no document has either."""
    return int(digits[:_MOST_DIGITS])


def _are_years(tokens: Sequence[tuple[int, int | None]], references: int) -> bool:
    return all(1000 <= first <= 2999 and first > references for first, _ in tokens)


def _numbers(content: str, references: int) -> tuple[int, ...]:
    """The distinct numbers of a mark, in its order."""
    found = dict[int, None]()
    for first, last in _TOKEN.findall(content):
        found.update(dict.fromkeys(_range(_number(first), _number(last or first), references)))
    return tuple(found)


def _range(first: int, last: int, references: int) -> list[int]:
    return sorted({first, last, *range(max(first, 1), min(last, references) + 1)})


def _ranged(marks: Sequence[CitationMark], text: str, references: int) -> Iterator[CitationMark]:
    """Join `[1]-[3]` to one mark."""
    rest = iter(marks)
    last = next(rest, None)
    for mark in rest:
        assert last is not None
        between = text[last.span[1] : mark.span[0]]
        if len(between) == 1 and between in _DASH and _ascend(last, mark):
            last = CitationMark((last.span[0], mark.span[1]), tuple(_range(last.ids[0], mark.ids[0], references)))
        else:
            yield last
            last = mark
    if last is not None:
        yield last


def _ascend(one: CitationMark, other: CitationMark) -> bool:
    return len(one.ids) == len(other.ids) == 1 and one.ids < other.ids

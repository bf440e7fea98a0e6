r"""Citation marks in a text: `[1]`, `[1, 2]`, `[1-3]`, `[1]-[3]`, `[^1]`, `[[1]](url)`, `\[1\]`, `【1】`, `［１］`.

What looks like a mark and is none: years (`[2019]`), numbers (`[1,000]`), code (`x[10]`, anything between backticks),
maths (between dollars, `= [1, 2]`, `in [0, 1]`), `[sic]`, a range that descends, and the number that begins a line of a
list of sources (`[1]: ...`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.citing.answers import CitationMark

_DASH = "-‐‑‒–—−~～〜"
_GAP = r"[^\S\n]*"
_ITEM = rf"\d{{1,9}}(?:{_GAP}[{_DASH}]{_GAP}\d{{1,9}})?"
_LIST = rf"\^?{_ITEM}(?:{_GAP}(?:[,，、،;；&]|and\b){_GAP}\^?{_ITEM})*"
_MARK = re.compile(
    rf"(?:\[\[|\\?[\[［【〔]){_GAP}({_LIST}){_GAP}(?:†[^\]】\n]{{0,80}})?(?:\]\]|\\?[\]］】〕])"
    r"(?:\((?:https?:|www\.|/|\#)[^\s()]*(?:\([^\s()]*\)[^\s()]*)*\))?"
)
_TOKEN = re.compile(rf"(\d+)(?:{_GAP}[{_DASH}]{_GAP}(\d+))?")
_VERBATIM = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`|\$\$.+?\$\$|\\\[(?!\s*\d[\d\s,]*\\\]).+?\\\]|\\\(.+?\\\)"
    r"|(?<![\\$\w])\$(?![\s\d])[^$\n]*?(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_CODE = re.compile(r"(?:(?<![^\W\d])[a-z]|\w*_\w*|[A-Za-z]\w*\.[a-z]\w*|\w\(\w*\)|\\[A-Za-z]+)\Z", re.ASCII)
"""What ends directly before an index: a variable of one letter, a name with `_` or a dot, a call, a command of TeX."""
_OPERATOR = re.compile(r"(?:[=∈∉≤≥≠≈×÷^]|\\in|\S [*+<>/]|\b(?:interval|array|vector|tuple))[^\S\n]*\Z", re.IGNORECASE)
_OPERATED = re.compile(r"[^\S\n]*[=≤≥≠≈×÷^]")
_FROM_ZERO = re.compile(r"\b(?:in|range|within|domain|between|scale|over|to)[^\S\n]+(?:the )?\Z", re.IGNORECASE)
_LONGEST_BEFORE = 40


def marks_of(text: str, references: int) -> tuple[CitationMark, ...]:
    """Return the marks of a text in their order.

    Args:
        references: the number of documents that may be cited. Numbers beyond it, and 0, are kept in the marks: they
            are invalid citations. A range is read within the documents that are there, and each of its two ends that
            is not there is one invalid number.
    """
    return tuple(_joined(list(_single(text, references)), text, references))


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
    """Return the parts of a mark that `marks_of` found; of the first bracket of `[1]-[3]`."""
    found = _MARK.match(mark)
    assert found is not None, mark
    numbers, end = found[1].removeprefix("^"), found.end(1)
    closing = re.match(r"[^(]*", mark[end : found.end()])
    return MarkParts(mark[: end - len(numbers)], numbers, closing[0] if closing else "", found.end() == len(mark))


def _single(text: str, references: int) -> Iterator[CitationMark]:
    verbatim = [found.span() for found in _VERBATIM.finditer(text)]
    rejected, at = -1, 0
    for found in _MARK.finditer(text):
        while at < len(verbatim) and verbatim[at][1] <= found.start():
            at += 1
        if at < len(verbatim) and verbatim[at][0] < found.end():
            continue
        if found.start() == rejected or _is_other(found, text, references):
            rejected = found.end()  # `x[1][2]` is code as a whole
            continue
        yield CitationMark(found.span(), _numbers(found[1], references))


def _is_other(found: re.Match[str], text: str, references: int) -> bool:
    """Whether something that is written like a mark is a year, a number, code, maths or the label of a source."""
    content, start, end = found[1], found.start(), found.end()
    before = text[max(0, start - _LONGEST_BEFORE) : start]
    tokens = [(int(first), int(last) if last else None) for first, last in _TOKEN.findall(content)]
    if any(last is not None and last <= first for first, last in tokens) or _are_years(tokens, references):
        return True
    if _THOUSANDS.fullmatch(content) and any(int(part) > references or part[0] == "0" for part in content.split(",")):
        return True
    if _CODE.search(before) or _OPERATOR.search(before) or _OPERATED.match(text, end):
        return True
    several = len(tokens) > 1 or tokens[0][1] is not None
    if several and tokens[0][0] == 0 and _FROM_ZERO.search(before):
        return True
    begins_line = not text[text.rfind("\n", 0, start) + 1 : start].strip()
    return begins_line and text.startswith(":", end)


def _are_years(tokens: Sequence[tuple[int, int | None]], references: int) -> bool:
    return all(1000 <= first <= 2999 and first > references for first, _ in tokens)


def _numbers(content: str, references: int) -> tuple[int, ...]:
    """The distinct numbers of a mark, in its order."""
    found = dict[int, None]()
    for first, last in _TOKEN.findall(content):
        found.update(dict.fromkeys(_range(int(first), int(last or first), references)))
    return tuple(found)


def _range(first: int, last: int, references: int) -> list[int]:
    return sorted({first, last, *range(max(first, 1), min(last, references) + 1)})


def _joined(marks: Sequence[CitationMark], text: str, references: int) -> Iterator[CitationMark]:
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

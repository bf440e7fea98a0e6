"""The columns of a file of judgments: those that its header names, else TREC's four, divided by any white space, or
three as BEIR has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from adapters.errors import DataError
from harness.data.sources.dirt import shown
from harness.data.sources.judgment_header import ColumnOrder, contradicts, order_of

Layout = Literal[3, 4]
"""The number of columns that no header names: query, document, grade; or query, iteration, document, grade."""
INTEGER = re.compile(r"[+-]?[0-9]+")
_ITERATION = re.compile(r"[Qq]?[0-9]+|[Uu]0")
_UNUSED = re.compile(r"[QqUu]?0")
"""What the second column of nearly every TREC file holds, in every line."""
_QUOTED = re.compile(r'"((?:[^"]|"")*)"\s*')
_GRADE_DIGITS = 3
"""A number with more digits is no grade, so the column has documents."""
_ADVICE = (
    "write every line with the three columns query, document and grade, divided by tabs, or every line with TREC's "
    "four, query, 0, document and grade"
)
_DECLARE = "the names query-id, corpus-id, score and iteration, as many as there are columns and in their order"


@dataclass(frozen=True)
class JudgmentLine:
    """One line in its columns, without white space around them; only tabs leave any within an id."""

    number: int
    query: str
    document: str
    grade: str


@dataclass(frozen=True)
class Divided:
    """A file of judgments in its columns."""

    header: tuple[str, ...]
    """The columns of a first line without a grade; a header, unless it names a query."""
    lines: Iterator[JudgmentLine]


def divided(lines: Iterable[tuple[int, str]], again: Iterable[tuple[int, str]], file: str) -> Divided:
    """Divide the lines of a file, all of them in the same way: by the header where there is one that names its columns.

    Args:
        lines: number and text of every line that is not blank.
        again: the same; which columns a file without such a header has is only known at its end.

    Raises:
        DataError: a line has other columns than those before it; the header names columns in part, and in another
            order than TREC's or BEIR's; or nothing says whether a column has documents. The message names the line.
    """
    rest = iter(lines)
    first = next(rest, (1, ""))
    header, order = _named(first[1])
    if order is not None:
        return Divided(header, _by_name(again, order, file))
    layout, header = _surveyed(chain([first], rest), file)
    return Divided(header, _divided(again, layout, bool(header)))


def _named(line: str) -> tuple[tuple[str, ...], ColumnOrder | None]:
    """The columns of a header, and their order where it names them."""
    found = [tuple(columns) for columns in (_at_tabs(line, None), line.split())]
    return next(((columns, order) for columns in found if (order := order_of(columns))), ((), None))


def _by_name(lines: Iterable[tuple[int, str]], order: ColumnOrder, file: str) -> Iterator[JudgmentLine]:
    for place, (number, line) in enumerate(lines):
        if place:
            columns = _row(line, order)
            if columns is None:
                raise DataError(f"{file}:{number}: {_misfit(line, order.width, 'write as many as the header has')}")
            yield JudgmentLine(number, columns[order.query], columns[order.document], columns[order.grade])


def _row(line: str, order: ColumnOrder) -> list[str] | None:
    """A line at its tabs, or at its white space where only that gives a query, a document and a grade."""
    found = [columns for columns in (_at_tabs(line, order.width), line.split()) if len(columns) == order.width]
    whole = (one for one in found if one[order.query] and one[order.document] and INTEGER.fullmatch(one[order.grade]))
    return next(whole, found[0] if found else None)


def _surveyed(lines: Iterable[tuple[int, str]], file: str) -> tuple[Layout, tuple[str, ...]]:
    possible: set[Layout] = {3, 4}
    header: tuple[str, ...] = ()
    fours = _Fours()
    for place, (number, line) in enumerate(lines):
        found = _readings(line)
        whole = {layout for layout, columns in found.items() if all(columns) and _has_grade(columns)}
        fitting = possible & (whole or found.keys())
        if not fitting:
            raise DataError(f"{file}:{number}: {_misfit(line, min(possible), _ADVICE, found)}")
        possible = fitting
        if place == 0 and not any(map(_has_grade, found.values())):
            header = tuple(found[max(found)])
            if contradicts(header):
                raise DataError(f"{file}:{number}: the header does not say which column is which; write {_DECLARE}")
        elif 4 in found:
            fours.see(number, found[4])
    if 3 in possible and not (4 in possible and fours.numbered):
        return 3, header
    if fours.unusual and (fours.graded or 3 in possible):
        number, word = fours.unusual
        raise DataError(
            f"{file}:{number}: {shown(word)} may be TREC's iteration or a document; say which in a header: {_DECLARE}"
        )
    return 4, header


class _Fours:
    """What the lines of four words have in common."""

    def __init__(self) -> None:
        self.numbered = True
        """Every second word may be TREC's iteration."""
        self.graded = True
        """Every third word may be a grade."""
        self.unusual: tuple[int, str] | None = None
        """The first second word that TREC's files do not have as a rule, and its line."""

    def see(self, number: int, words: list[str]) -> None:
        self.numbered = self.numbered and _ITERATION.fullmatch(words[1]) is not None
        self.graded = self.graded and INTEGER.fullmatch(words[2]) is not None and _digits(words[2]) <= _GRADE_DIGITS
        if self.unusual is None and not _UNUSED.fullmatch(words[1]):
            self.unusual = number, words[1]


def _digits(number: str) -> int:
    return len(number.lstrip("+-"))


def _divided(lines: Iterable[tuple[int, str]], layout: Layout, has_header: bool) -> Iterator[JudgmentLine]:
    for place, (number, line) in enumerate(lines):
        if place or not has_header:
            columns = _readings(line)[layout]
            yield JudgmentLine(number, columns[0], columns[-2], columns[-1])


def _readings(line: str) -> dict[Layout, list[str]]:
    """The columns of a line in every layout that it fits."""
    words = line.split()
    tabbed = _at_tabs(line, 3) if "\t" in line else words
    found: dict[Layout, list[str]] = {}
    if tabbed and 3 in (len(tabbed), len(words)):
        found[3] = tabbed if len(tabbed) == 3 else words
    if len(words) == 4:
        found[4] = words
    return found


def _at_tabs(line: str, width: int | None) -> list[str]:
    """As BEIR's loader divides a line: a csv file with tabs. Columns are stripped, and empty ones behind the last of
    `width` go; none where a quotation mark is left open."""
    columns = line.split("\t")
    while len(columns) > (width or 1) and not columns[-1].strip():
        columns.pop()
    if any(column.startswith('"') and not _QUOTED.fullmatch(column) for column in columns):
        return []
    return [_unquoted(column).strip() for column in columns]


def _unquoted(column: str) -> str:
    quoted = _QUOTED.fullmatch(column)
    return column if quoted is None else quoted[1].replace('""', '"')


def _has_grade(columns: list[str]) -> bool:
    return INTEGER.fullmatch(columns[-1]) is not None


def _misfit(line: str, wanted: int, advice: str, found: dict[Layout, list[str]] | None = None) -> str:
    if not found and "\t" in line and not _at_tabs(line, None):
        return "a column that begins with a quotation mark does not end with one; double the marks, as csv does"
    return f"{max(found) if found else len(line.split())} columns, not {wanted}; {advice}"

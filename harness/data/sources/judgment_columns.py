"""The columns of a file of judgments: those that its header names, else TREC's four, divided by white space, or BEIR's
three."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from adapters.errors import DataError
from harness.data.sources.dirt import shown
from harness.data.sources.judgment_header import ColumnOrder, contradicts, order_of

SPACE = " \t\n\r\f\v"
"""What divides columns. Other spaces of Unicode belong to an id."""
_SPACES = re.compile(f"[{SPACE}]+")
Layout = Literal[3, 4]
"""The number of columns without a header: query, document, grade; or query, iteration, document, grade."""
WHOLE = re.compile(r"[+-]?[0-9]+(\.0*)?")
"""A grade: a whole number, also as a float such as 1.0, which data frames write."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""A possible grade. A line with one is not a header."""
_ITERATION = re.compile(r"[Qq]?[0-9]+|[Uu]0")
_UNUSED = re.compile(r"[QqUu]?0+")
"""The usual second column of TREC files."""
_QUOTED = re.compile(r'"((?:[^"]|"")*)"\s*')
_GRADE_DIGITS = 3
"""A number with more digits is a document id, not a grade."""
_ADVICE = (
    "write every line with the three columns query, document and grade, divided by tabs, or every line with TREC's "
    "four, query, 0, document and grade"
)
_DECLARE = "the names query-id, corpus-id, score and iteration, one per column and in the order of the columns"


@dataclass(frozen=True)
class JudgmentLine:
    """The columns of one line, stripped. An id can have white space inside only if tabs divide the columns."""

    number: int
    query: str
    document: str
    grade: str


@dataclass(frozen=True)
class Divided:
    """The lines of a file of judgments, divided into columns."""

    header: tuple[str, ...]
    """The columns of a first line without a grade. It is a header unless its first column is a query id."""
    lines: Iterator[JudgmentLine]
    is_trec: bool
    """Whether the lines have TREC's four columns."""


def words_of(line: str) -> list[str]:
    """Divide a line at white space as trec_eval does. Other spaces of Unicode belong to an id."""
    return [word for word in _SPACES.split(line) if word]


def without_comments(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines without comments, which begin with '#', as in trec_eval. A line that can be read as a judgment or a
    header is kept, so that a query with the id '#1' or '#' keeps its judgments. After '#' alone, only TREC's four
    columns and three columns with tabs between them are a judgment."""
    for number, line in lines:
        if not line.startswith("#") or _may_be_data(line):
            yield number, line


def _may_be_data(line: str) -> bool:
    words = words_of(line)
    if words[0] == "#":
        is_trec = len(words) == 4 and _UNUSED.fullmatch(words[1]) is not None
        tabbed = _at_tabs(line, 3)
        return _has_grade(words) and (is_trec or (len(tabbed) == 3 and tabbed[0] == "#" and all(tabbed)))
    return any(map(_has_grade, _readings(line).values())) or _named(line)[1] is not None


def divided(lines: Iterable[tuple[int, str]], again: Iterable[tuple[int, str]], file: str) -> Divided:
    """Divide the lines of a file into columns, all lines in the same way. A header that names the columns decides.

    Args:
        lines: number and text of every line that is not blank.
        again: the same lines. Without such a header the columns are known only at the end of the file, so the lines are
            read twice.

    Raises:
        DataError: a line has other columns than the lines before it; a header names some columns in an order that is
            neither TREC's nor BEIR's; or it is unclear whether a column has documents. The message names the line.
    """
    rest = iter(lines)
    first = next(rest, (1, ""))
    header, order = _named(first[1])
    if order is not None:
        return Divided(header, _by_name(again, order, file), is_trec=order.width > 3)
    layout, header = _surveyed(chain([first], rest), file)
    return Divided(header, _divided(again, layout, bool(header)), is_trec=layout == 4)


def _named(line: str) -> tuple[tuple[str, ...], ColumnOrder | None]:
    """The columns of a header and their order; ((), None) if the line does not name the columns."""
    found = [tuple(columns) for columns in (_at_tabs(line, None), words_of(line))]
    return next(((columns, order) for columns in found if (order := order_of(columns))), ((), None))


def _by_name(lines: Iterable[tuple[int, str]], order: ColumnOrder, file: str) -> Iterator[JudgmentLine]:
    for place, (number, line) in enumerate(lines):
        if place:
            columns = _row(line, order)
            if columns is None:
                raise DataError(f"{file}:{number}: {_misfit(line, order.width, 'write as many as the header has')}")
            yield JudgmentLine(number, columns[order.query], columns[order.document], columns[order.grade])


def _row(line: str, order: ColumnOrder) -> list[str] | None:
    """A line divided at tabs, or at white space if only that gives a query, a document and a grade."""
    found = [columns for columns in (_at_tabs(line, order.width), words_of(line)) if len(columns) == order.width]
    complete = (
        row for row in found if row[order.query] and row[order.document] and _NUMBER.fullmatch(row[order.grade])
    )
    return next(complete, found[0] if found else None)


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
    """What all lines of four words have in common."""

    def __init__(self) -> None:
        self.numbered = True
        """Whether the second word of every line may be TREC's iteration."""
        self.graded = True
        """Whether the third word of every line may be a grade."""
        self.unusual: tuple[int, str] | None = None
        """Line and second word of the first line whose second word is unusual in TREC's files."""

    def see(self, number: int, words: list[str]) -> None:
        self.numbered = self.numbered and _ITERATION.fullmatch(words[1]) is not None
        self.graded = self.graded and _may_be_grade(words[2])
        if self.unusual is None and not _UNUSED.fullmatch(words[1]):
            self.unusual = number, words[1]


def _may_be_grade(word: str) -> bool:
    return WHOLE.fullmatch(word) is not None and len(word.lstrip("+-").partition(".")[0]) <= _GRADE_DIGITS


def _divided(lines: Iterable[tuple[int, str]], layout: Layout, has_header: bool) -> Iterator[JudgmentLine]:
    for place, (number, line) in enumerate(lines):
        if place or not has_header:
            columns = _readings(line)[layout]
            yield JudgmentLine(number, columns[0], columns[-2], columns[-1])


def _readings(line: str) -> dict[Layout, list[str]]:
    """The columns of a line, by every layout that fits."""
    words = words_of(line)
    tabbed = _at_tabs(line, 3) if "\t" in line else words
    found: dict[Layout, list[str]] = {}
    if tabbed and 3 in (len(tabbed), len(words)):
        found[3] = tabbed if len(tabbed) == 3 else words
    if len(words) == 4:
        found[4] = words
    return found


def _at_tabs(line: str, width: int | None) -> list[str]:
    """Divide a line as BEIR's loader does, as csv with tabs. Columns are stripped, and empty columns after `width` are
    dropped. [] if a quotation mark is not closed."""
    columns = line.split("\t")
    while len(columns) > (width or 1) and not columns[-1].strip(SPACE):
        columns.pop()
    if any(column.startswith('"') and not _QUOTED.fullmatch(column) for column in columns):
        return []
    return [_unquoted(column).strip(SPACE) for column in columns]


def _unquoted(column: str) -> str:
    quoted = _QUOTED.fullmatch(column)
    return column if quoted is None else quoted[1].replace('""', '"')


def _has_grade(columns: list[str]) -> bool:
    return _NUMBER.fullmatch(columns[-1]) is not None


def _misfit(line: str, wanted: int, advice: str, found: dict[Layout, list[str]] | None = None) -> str:
    if not found and "\t" in line and not _at_tabs(line, None):
        return "a column that begins with a quotation mark does not end with one; double the marks, as csv does"
    return f"{max(found) if found else len(words_of(line))} columns, not {wanted}; {advice}"

"""The columns of a file of judgments: TREC's four, divided by any white space, or three as BEIR has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from adapters.errors import DataError

Layout = Literal[3, 4]
"""The number of columns: query, document, grade; or query, iteration, document, grade."""
INTEGER = re.compile(r"[+-]?[0-9]+")
_ITERATION = re.compile(r"[Qq]?[0-9]+")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"\s*')
_ADVICE = (
    "write every line with the three columns query, document and grade, divided by tabs, or every line with TREC's "
    "four, query, 0, document and grade"
)


@dataclass(frozen=True)
class Line:
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
    lines: Iterator[Line]


def divided(lines: Iterable[tuple[int, str]], again: Iterable[tuple[int, str]], file: str) -> Divided:
    """Divide the lines of a file, all of them in the same way.

    Args:
        lines: number and text of every line that is not blank.
        again: the same; which columns a file has is only known at its end.

    Raises:
        DataError: a line has other columns than those before it. The message names the first such line.
    """
    layout, header = _surveyed(lines, file)
    return Divided(header, _divided(again, layout, bool(header)))


def _surveyed(lines: Iterable[tuple[int, str]], file: str) -> tuple[Layout, tuple[str, ...]]:
    possible: set[Layout] = {3, 4}
    header: tuple[str, ...] = ()
    numbered = True
    for place, (number, line) in enumerate(lines):
        found = _readings(line)
        whole = {layout for layout, columns in found.items() if all(columns) and _has_grade(columns)}
        fitting = possible & (whole or found.keys())
        if not fitting:
            raise DataError(f"{file}:{number}: {_misfit(found, line, min(possible))}")
        possible = fitting
        if place == 0 and not any(map(_has_grade, found.values())):
            header = tuple(found[max(found)])
        elif 4 in found:
            numbered = numbered and _ITERATION.fullmatch(found[4][1]) is not None
    return (4 if possible == {4} or (4 in possible and numbered) else 3), header


def _divided(lines: Iterable[tuple[int, str]], layout: Layout, has_header: bool) -> Iterator[Line]:
    for place, (number, line) in enumerate(lines):
        if place or not has_header:
            columns = _readings(line)[layout]
            yield Line(number, columns[0], columns[-2], columns[-1])


def _readings(line: str) -> dict[Layout, list[str]]:
    """The columns of a line in every layout that it fits."""
    words = line.split()
    tabbed = _at_tabs(line) if "\t" in line else words
    found: dict[Layout, list[str]] = {}
    if tabbed and 3 in (len(tabbed), len(words)):
        found[3] = tabbed if len(tabbed) == 3 else words
    if len(words) == 4:
        found[4] = words
    return found


def _at_tabs(line: str) -> list[str]:
    """As BEIR's loader divides a line: a csv file with tabs. Columns are stripped, and empty ones behind the third go;
    none where a quotation mark is left open."""
    columns = line.split("\t")
    while len(columns) > 3 and not columns[-1].strip():
        columns.pop()
    if any(column.startswith('"') and not _QUOTED.fullmatch(column) for column in columns):
        return []
    return [_unquoted(column).strip() for column in columns]


def _unquoted(column: str) -> str:
    quoted = _QUOTED.fullmatch(column)
    return column if quoted is None else quoted[1].replace('""', '"')


def _has_grade(columns: list[str]) -> bool:
    return INTEGER.fullmatch(columns[-1]) is not None


def _misfit(found: dict[Layout, list[str]], line: str, wanted: Layout) -> str:
    if not found and "\t" in line and not _at_tabs(line):
        return "a column that begins with a quotation mark does not end with one; double the marks, as csv does"
    return f"{max(found) if found else len(line.split())} columns, not {wanted}; {_ADVICE}"

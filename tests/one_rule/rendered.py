"""Readers of rendered tables: what a person sees in CSV, LaTeX and HTML, as fields."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

Rows = dict[str, list[str]]
"""The fields of a rendered table by the name of the row, in the order of its columns; marks stand after the figure."""


def of_csv(text: str) -> Rows:
    """Marks of figures are in the last column, each with the name of its column."""
    head, *rows = csv.reader(io.StringIO(text))
    if head[-1] != "marks":
        return {_plain(row[0]): row for row in rows}
    found = {}
    for row in rows:
        marks = dict(named.rsplit(": ", 1) for named in row[-1].split("; ") if named)
        found[_plain(row[0])] = [field + marks.pop(name, "") for name, field in zip(head[:-1], row[:-1], strict=True)]
        assert not marks, f"marks of columns that are not there: {marks}"
    return found


def of_latex(text: str) -> Rows:
    """A wide table is cut into parts, each with the names of the rows; a long one has its heads twice."""
    found: Rows = {}
    for part in re.split(r"\\caption", text)[1:]:
        lines = [line.removesuffix(r" \\") for line in part.splitlines() if line.endswith(r" \\")]
        for line in lines:
            name, *fields = map(_unescaped, line.split(" & "))
            if name not in ("", "system") and "multicolumn" not in line:
                found.setdefault(_plain(name), [_plain(name)]).extend(fields)
    return found


def of_html(text: str) -> Rows:
    """The rows of its body."""
    return {_plain(row[0]): row for row in rows_of_html(text)}


def rows_of_html(text: str) -> list[list[str]]:
    """The fields of the rows of all its tables, headings left out."""
    reader = _Rows()
    reader.feed(text)
    return reader.rows


def _plain(name: str) -> str:
    return name.rstrip("‡§◊#")


def _unescaped(text: str) -> str:
    for written, sign in ((r"$\uparrow$", "↑"), (r"$\downarrow$", "↓"), (r"\S{}", "§"), (r"\ddag{}", "‡"), ("$-$", "-"),
                          ("{[}", "["), ("{]}", "]"), (r"\_", "_"), (r"\%", "%"), (r"\#", "#"), (r"\P{}", "¶"),
                          (r"$\neq$", "≠"), (r"$\cdot$", "·")):  # fmt: skip
        text = text.replace(written, sign)
    return re.sub(r"\\(textbf|underline|textit|textsuperscript)\{([^{}]*)\}", r"\2", text).replace("--", "-")


class _Rows(HTMLParser):
    """The rows of the bodies of all tables."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._body, self._field = False, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._body = tag == "tbody" or (self._body and tag != "thead")
        if self._body and tag == "tr":
            self.rows.append([])
        elif self._body and tag in ("td", "th"):
            self.rows[-1].append("")
            self._field = True

    def handle_endtag(self, tag: str) -> None:
        self._body = self._body and tag != "tbody"
        self._field = self._field and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._field:
            self.rows[-1][-1] += data

"""Reads labels: the CSV of `harness judge export`, filled in or saved by its page, or a file of judgments."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError, UsageError, class_of
from adapters.limits import HIGHEST_GRADE, LONGEST_LINE
from adapters.paths import user_path
from harness.data.sources.beir_folder import Folder
from harness.data.sources.dirt import Dirt, shown
from harness.data.sources.jsonl import lines
from harness.data.sources.judgment_header import order_of
from harness.data.sources.judgments import read_judgments
from harness.data.written_numbers import whole_number

COLLECTION = "collection"
COLUMNS = (COLLECTION, "query_id", "document_id", "grade")
"""The columns that the page saves."""
DIVIDERS = ",;\t"
"""What spreadsheets put between the columns. A file with tabs needs the column `collection`, else it is a file of
judgments."""


@dataclass(frozen=True)
class LabelRow:
    """One label of a file."""

    line: int
    collection: str | None
    """The name of the collection; None if the file has no such column."""
    query: str
    document: str
    grade: int


@dataclass(frozen=True)
class LabelFile:
    """The labels of a file, each pair once."""

    file: str
    rows: tuple[LabelRow, ...]
    without_grade: int = 0
    """Rows whose grade is empty; they are left out."""
    below_zero: int = 0
    """Grades below 0 in a file of judgments; they count as 0, as in trec_eval."""


def read_labels(file: Path) -> LabelFile:
    """Read labels. A first line with commas that names query, document and grade makes the file a CSV file; any other
    file is read as judgments are: BEIR's three columns, TREC's four, named columns, or JSON.

    Raises:
        UsageError: there is no such file.
        DataError: a line cannot be read, a grade is not a whole number from 0 up, or a pair has two labels. The message
            names the line.
    """
    path = user_path(file)
    if not path.is_file():
        raise UsageError(f"no file '{file}'; name the CSV that the page saved, or a file of judgments")
    place, dirt = Folder(path.parent), Dirt()
    first = next(lines(place, path.name), (1, ""))[1]
    for divider in DIVIDERS:
        columns = _places(next(csv.reader([first], delimiter=divider), []))
        if columns is not None and (divider != "\t" or COLLECTION in columns):
            return _of_csv(path, str(file), divider, columns)
    found = read_judgments(place, path.name, dirt)
    rows = zip(found.lines, found.queries, found.documents, found.grades, strict=True)
    labels = tuple(LabelRow(line, None, query, document, grade) for line, query, document, grade in rows)
    return LabelFile(found.file, labels, below_zero=dirt.counts.get("negative-grades", 0))


def _of_csv(path: Path, file: str, divider: str, at: Mapping[str, int]) -> LabelFile:
    csv.field_size_limit(LONGEST_LINE)
    rows, empty = list[LabelRow](), 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as stored:
            reader = csv.reader(stored, delimiter=divider, strict=True)
            next(reader)
            start = reader.line_num + 1
            for cells in reader:
                line, start = start, reader.line_num + 1  # a text in quotation marks can have several lines
                if any(cell.strip() for cell in cells):
                    row = _row(cells, at, f"{file}:{line}", line)
                    empty += row is None
                    rows += [] if row is None else [row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not CSV in UTF-8 ({error}); save it as CSV in UTF-8") from None
    except OSError as error:
        raise class_of(error, DataError)(f"{file}: cannot be read ({error.strerror})") from None
    if not rows:
        raise DataError(f"{file}: no row has a grade; fill in the column 'grade'")
    return LabelFile(file, tuple(_once(rows, file)), empty)


def _places(header: Sequence[str]) -> dict[str, int] | None:
    """The positions of the columns of `COLUMNS`; None if the line does not name query, document and grade."""
    names = [name.strip().lstrip("\ufeff") for name in header]
    found = {COLLECTION: names.index(COLLECTION)} if COLLECTION in names else {}
    if set(COLUMNS[1:]) <= set(names):
        return {**found, **{name: names.index(name) for name in COLUMNS[1:]}}
    order = order_of([name if name != COLLECTION else "" for name in names])
    if order is None:
        return None
    return {**found, **dict(zip(COLUMNS[1:], (order.query, order.document, order.grade), strict=True))}


def _row(cells: Sequence[str], at: Mapping[str, int], where: str, line: int) -> LabelRow | None:
    if len(cells) <= max(at.values()):
        raise DataError(f"{where}: {len(cells)} columns, fewer than the header has; quote texts that have commas")
    query, document, written = (cells[at[name]].strip() for name in COLUMNS[1:])
    if not written:
        return None
    if not query or not document:
        raise DataError(f"{where}: the id of the query or of the document is empty; keep the ids of the export")
    grade = whole_number(written)
    if grade is None or not 0 <= grade <= HIGHEST_GRADE:
        raise DataError(f"{where}: grade {shown(written)} is not a whole number from 0 up; 0 is not relevant")
    return LabelRow(line, cells[at[COLLECTION]].strip() if COLLECTION in at else None, query, document, grade)


def _once(rows: Iterable[LabelRow], file: str) -> Iterator[LabelRow]:
    seen: dict[tuple[str | None, str, str], LabelRow] = {}
    for row in rows:
        before = seen.setdefault((row.collection, row.query, row.document), row)
        if before is not row:
            raise DataError(
                f"{file}:{row.line}: document {shown(row.document)} of query {shown(row.query)} has a label in line "
                f"{before.line} already; keep one of them"
            )
        yield row

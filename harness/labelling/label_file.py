"""Reads labels: the CSV of `harness judge export`, filled in or saved by its page, or a file of judgments."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from adapters.errors import DataError, UsageError, class_of
from adapters.limits import HIGHEST_GRADE, LONGEST_LINE
from adapters.paths import user_path
from harness.data.sources.beir_folder import Folder
from harness.data.sources.dirt import Dirt, shown
from harness.data.sources.jsonl import lines
from harness.data.sources.judgment_header import order_of, twice_named
from harness.data.sources.judgments import read_judgments
from harness.data.written_numbers import whole_number

COLLECTION = "collection"
COLUMNS = (COLLECTION, "query_id", "document_id", "grade")
"""The columns that the page saves."""
_SEPARATOR = re.compile(r'"?sep=([,;\t])"?', re.IGNORECASE)
"""Excel's first line that names the divider."""
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
    """The labels of a file. `rows_by_collection` refuses a pair with two labels."""

    file: str
    rows: tuple[LabelRow, ...]
    ungraded: tuple[str | None, ...] = ()
    """The collection of each row whose grade is empty; these rows are left out."""
    below_zero: int = 0
    """Grades below 0 in a file of judgments; they count as 0, as in trec_eval."""

    @property
    def without_grade(self) -> int:
        """The number of rows whose grade is empty."""
        return len(self.ungraded)


def read_labels(file: Path) -> LabelFile:
    """Read labels.

    A header that names query, document and grade makes the file a CSV file. Commas or semicolons divide its columns, or
    tabs if it also has the column `collection`; Excel's line `sep=;` before the header says which. Any other file is
    read as judgments are: BEIR's three columns, TREC's four, named columns, or JSON.

    Raises:
        UsageError: there is no such file.
        DataError: a line cannot be read, or a grade is not a whole number from 0 up (in a file of judgments, a grade
            below 0 counts as 0). The message names the line.
    """
    path = user_path(file)
    if not path.is_file():
        raise UsageError(f"no file '{file}'; name the CSV that the page saved, or a file of judgments")
    place, dirt = Folder(path.parent), Dirt()
    table = _table_of([line for _, line in islice(lines(place, path.name), 2)], str(file))
    if table is not None:
        return _of_csv(path, str(file), table)
    try:
        found = read_judgments(place, path.name, dirt)
    except DataError:
        _refuse_without_header(next(lines(place, path.name), (1, ""))[1], str(file))
        raise
    rows = zip(found.lines, found.queries, found.documents, found.grades, strict=True)
    labels = tuple(LabelRow(line, None, query, document, grade) for line, query, document, grade in rows)
    return LabelFile(found.file, labels, below_zero=dirt.counts.get("negative-grades", 0))


def rows_by_collection(found: LabelFile, keys: Mapping[str, str]) -> dict[str, list[LabelRow]]:
    """Sort the labels of a file by collection.

    Args:
        keys: a key for each name of a known collection; a collection can have several names. Labels of another
            collection are under the name in the file.

    Raises:
        UsageError: the file does not name collections, and not exactly one is known.
        DataError: a pair has two labels for one collection, perhaps by two of its names. The message names the line.
    """
    known = set(keys.values())
    rows: dict[str, dict[tuple[str, str], LabelRow]] = {}
    for row in found.rows:
        if row.collection is None and len(known) != 1:
            raise UsageError(
                f"{found.file} does not say which of the {len(known)} collections its labels are for; name one"
            )
        key = min(known) if row.collection is None else keys.get(row.collection, row.collection)
        before = rows.setdefault(key, {}).setdefault((row.query, row.document), row)
        if before is not row:
            raise DataError(
                f"{found.file}:{row.line}: document {shown(row.document)} of query {shown(row.query)} has a label in "
                f"line {before.line} already; keep one of them"
            )
    return {key: list(each.values()) for key, each in rows.items()}


@dataclass(frozen=True)
class _Table:
    """How a CSV file is written."""

    divider: str
    at: Mapping[str, int]
    """The positions of the columns of `COLUMNS`."""
    width: int
    """The columns of the header."""
    before: int
    """Lines before the header: 1 with Excel's `sep=;`, else 0."""


def _table_of(first: Sequence[str], file: str) -> _Table | None:
    """How a file with these first two lines is written; None if it is no CSV file with a header."""
    chosen = _SEPARATOR.fullmatch(first[0].strip().lstrip("\ufeff")) if first else None
    header = first[1:2] if chosen else first[:1]
    for divider in chosen[1] if chosen else DIVIDERS:
        names = next(csv.reader(header, delimiter=divider), [])
        columns = _places(names, f"{file}:{2 if chosen else 1}")
        if columns is not None and (chosen or divider != "\t" or COLLECTION in columns):
            return _Table(divider, columns, len(names), 1 if chosen else 0)
    if chosen:
        raise DataError(f"{file}:2: no header; write {','.join(COLUMNS)} after the line {first[0].strip()}")
    return None


def _refuse_without_header(first: str, file: str) -> None:
    """Refuse a first line that has the cells of a label, divided by commas or semicolons."""
    for divider in ",;":
        cells = next(csv.reader([first], delimiter=divider), [])
        if len(cells) >= len(COLUMNS) - 1 and not first.lstrip().startswith(("{", "[")):
            names = divider.join(COLUMNS if len(cells) > 3 else COLUMNS[1:])
            raise DataError(f"{file}:1: the header is missing; write the line {names} before the labels") from None


def _of_csv(path: Path, file: str, table: _Table) -> LabelFile:
    csv.field_size_limit(LONGEST_LINE)
    rows, empty = list[LabelRow](), list[str | None]()
    try:
        with path.open(encoding="utf-8-sig", newline="") as stored:
            reader = csv.reader(stored, delimiter=table.divider, strict=True)
            for _ in range(1 + table.before):
                next(reader)
            start = reader.line_num + 1
            for cells in reader:
                line, start = start, reader.line_num + 1  # a text in quotation marks can have several lines
                if any(cell.strip() for cell in cells):
                    row = _row(cells, table, f"{file}:{line}", line)
                    if row is None:
                        empty.append(_collection(cells, table))
                    else:
                        rows.append(row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not CSV in UTF-8 ({error}); save it as CSV in UTF-8") from None
    except OSError as error:
        raise class_of(error, DataError)(f"{file}: cannot be read ({error.strerror})") from None
    if not rows:
        raise DataError(f"{file}: no row has a grade; fill in the column 'grade'")
    return LabelFile(file, tuple(rows), tuple(empty))


def _places(header: Sequence[str], where: str) -> dict[str, int] | None:
    """The positions of the columns of `COLUMNS`; None if the line does not name query, document and grade.

    Raises:
        DataError: it names them, and a name is there twice.
    """
    names = [name.strip().lstrip("\ufeff") for name in header]
    exact = set(COLUMNS[1:]) <= set(names)
    if exact or order_of(list(dict.fromkeys(filter(None, names)))) is not None:
        twice = next((name for name in filter(None, names) if names.count(name) > 1), None)
        if twice is not None:
            raise DataError(f"{where}: the header has the column {shown(twice)} twice; keep one of them")
    elif (role := twice_named(names)) is not None:
        raise DataError(f"{where}: the header has two columns for the {role}; keep one of them")
    found = {COLLECTION: names.index(COLLECTION)} if COLLECTION in names else {}
    if exact:
        return {**found, **{name: names.index(name) for name in COLUMNS[1:]}}
    order = order_of([name if name != COLLECTION else "" for name in names])
    if order is None:
        return None
    return {**found, **dict(zip(COLUMNS[1:], (order.query, order.document, order.grade), strict=True))}


def _row(cells: Sequence[str], table: _Table, where: str, line: int) -> LabelRow | None:
    at = table.at
    if len(cells) <= max(at.values()) or len(cells) > table.width:
        than = "fewer" if len(cells) < table.width else "more"
        raise DataError(
            f"{where}: {len(cells)} columns, {than} than the {table.width} of the header; put texts that have a "
            f"'{table.divider}' into quotation marks"
        )
    query, document, written = (cells[at[name]].strip() for name in COLUMNS[1:])
    if not written:
        return None
    if not query or not document:
        raise DataError(f"{where}: the id of the query or of the document is empty; keep the ids of the export")
    grade = whole_number(written)
    if grade is None or not 0 <= grade <= HIGHEST_GRADE:
        raise DataError(f"{where}: grade {shown(written)} is not a whole number from 0 up; 0 is not relevant")
    return LabelRow(line, _collection(cells, table), query, document, grade)


def _collection(cells: Sequence[str], table: _Table) -> str | None:
    return cells[table.at[COLLECTION]].strip() if COLLECTION in table.at else None

"""Judgments from `qrels/<split>.tsv`: BEIR's three columns or TREC's four."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import DataError
from harness.collection import Qrels, Rows
from harness.sources.dirt import Dirt, shown
from harness.sources.jsonl import Place, clean_id, lines, underscored

_INTEGER = re.compile(r"[+-]?[0-9]+")
_HIGHEST = 2**31 - 1


@dataclass(frozen=True)
class Judgments:
    """Judgments as they are written, by id."""

    file: str
    queries: Sequence[str]
    documents: Sequence[str]
    grades: Sequence[int]
    lines: Sequence[int]
    header: tuple[str, ...]
    """The columns of a first line without a grade; a header unless it names a query."""


def read_judgments(place: Place, name: str, dirt: Dirt) -> Judgments:
    """Read a file of judgments; columns are separated by tabs, or by spaces where a line has no tab.

    Raises:
        DataError: a wrong number of columns, a grade that is not a whole number or below zero, a pair that is judged
            twice, no judgment at all.
    """
    reader = _Reader(place.label(name), dirt)
    for number, line in lines(place, name):
        reader.read(number, line)
    if not reader.rows:
        raise DataError(f"{reader.file}:1: no judgments; write lines of query id, document id and grade")
    pairs = list(reader.rows)
    return Judgments(
        reader.file, [q for q, _ in pairs], [d for _, d in pairs], reader.grades, reader.lines, reader.header
    )


class _Reader:
    def __init__(self, file: str, dirt: Dirt) -> None:
        self.file = file
        self.rows: dict[tuple[str, str], int] = {}
        self.grades = array("i")
        self.lines = array("q")
        self.header: tuple[str, ...] = ()
        self._dirt = dirt
        self._columns = 0

    def read(self, number: int, line: str) -> None:
        columns = line.split("\t") if "\t" in line else line.split()
        if not self._columns:
            self._columns = len(columns) if len(columns) in (3, 4) else 3
            if len(columns) in (3, 4) and not _INTEGER.fullmatch(columns[-1].strip()):
                self.header = (*columns[:-1], columns[-1].strip())
                return
        where = f"{self.file}:{number}"
        if len(columns) != self._columns:
            raise DataError(f"{where}: {len(columns)} columns, not {self._columns}; write query id, document id, grade")
        pair = (self._id(columns[0], where), self._id(columns[-2], where))
        self._add(pair, self._grade(columns[-1].strip(), where), number)

    def _id(self, written: str, where: str) -> str:
        return underscored(written) if self._dirt.allows("white-space-ids") else clean_id(written, where, self._dirt)

    def _grade(self, written: str, where: str) -> int:
        if not _INTEGER.fullmatch(written):
            raise _no_integer(where, written)
        grade = int(written[:20])
        if grade > _HIGHEST:
            raise DataError(f"{where}: grade {shown(written)} is above {_HIGHEST}; write a small whole number")
        if grade < 0:
            self._dirt.meet("negative-grades", f"{where}: grade {grade} is below zero")
        return max(grade, 0)

    def _add(self, pair: tuple[str, str], grade: int, number: int) -> None:
        row = self.rows.setdefault(pair, len(self.rows))
        if row == len(self.grades):
            self.grades.append(grade)
            self.lines.append(number)
            return
        judged = f"document {shown(pair[1])} is judged for query {shown(pair[0])} in line {self.lines[row]} already"
        if grade == self.grades[row]:
            self._dirt.meet("repeated-judgments", f"{self.file}:{number}: {judged}")
        else:
            text = f"{self.file}:{number}: {judged}, with grade {self.grades[row]} there and {grade} here"
            self._dirt.meet("contradicting-labels", text)
        self.grades[row] = max(grade, self.grades[row])


def without_unknown_queries(judgments: Judgments, known: Mapping[str, int], query_file: str, dirt: Dirt) -> Judgments:
    """The judgments of the queries that the query file has; `known` gives -1 for the others.

    Raises:
        DataError: a query is unknown and no rule drops it, or none is left.
    """
    if judgments.header and known.get(judgments.header[0], -1) >= 0:
        raise _no_integer(f"{judgments.file}:1", judgments.header[-1])
    keep = []
    for row, query in enumerate(judgments.queries):
        if known[query] >= 0:
            keep.append(row)
        else:
            where = f"{judgments.file}:{judgments.lines[row]}"
            dirt.meet("unknown-queries", f"{where}: query {shown(query)} is not in {query_file}")
    if not keep:
        raise DataError(f"{judgments.file}:1: no judged query is in {query_file}; check that the two belong together")
    return Judgments(
        judgments.file,
        [judgments.queries[row] for row in keep],
        [judgments.documents[row] for row in keep],
        [judgments.grades[row] for row in keep],
        [judgments.lines[row] for row in keep],
        (),
    )


def resolved(
    judgments: Judgments, queries: Mapping[str, int], documents: Mapping[str, int], corpus_file: str, dirt: Dirt
) -> Qrels:
    """The judgments as rows; `documents` gives -1 for one that the corpus lacks.

    Raises:
        DataError: a document is unknown and no rule drops it.
    """
    rows = np.array([documents[document] for document in judgments.documents], np.int32)
    for row in np.flatnonzero(rows < 0).tolist():
        where = f"{judgments.file}:{judgments.lines[row]}"
        text = f"{where}: document {shown(judgments.documents[row])} is not in {corpus_file}"
        dirt.meet("unknown-documents", text)
    known = rows >= 0
    asked = np.array([queries[query] for query in judgments.queries], np.int32)[known]
    return sorted_qrels(asked, rows[known], np.array(judgments.grades, np.int32)[known])


def sorted_qrels(queries: Rows, documents: Rows, grades: Rows) -> Qrels:
    """Rows sorted by query, then document."""
    order = np.lexsort((documents, queries))
    return Qrels(queries[order], documents[order], grades[order])


def _no_integer(where: str, written: str) -> DataError:
    return DataError(f"{where}: grade {shown(written)} is not a whole number; write 0, 1, 2 ...")

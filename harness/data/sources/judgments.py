"""Judgments from `qrels/<split>.tsv`: BEIR's three columns, TREC's four, or those that a header names."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import DataError
from harness.data.qrels import Missing, Qrels, Rows
from harness.data.sources.dirt import Dirt, shown
from harness.data.sources.jsonl import CollectionFiles, clean_id, empty_id, lines, underscored
from harness.data.sources.judgment_columns import INTEGER, JudgmentLine, divided

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


def read_judgments(place: CollectionFiles, name: str, dirt: Dirt) -> Judgments:
    """Read a file of judgments; `judgment_columns` says how its lines are divided.

    Raises:
        DataError: lines with other columns than those before, a grade that is not a whole number or below zero, a pair
            that is judged twice, an empty id, no judgment at all.
    """
    reader = _Reader(place.label(name), dirt)
    found = divided(lines(place, name), lines(place, name), reader.file)
    for line in found.lines:
        reader.read(line)
    return reader.judgments(found.header)


def listed_judgments(label: str, rows: Iterable[tuple[str, str, int]], dirt: Dirt) -> Judgments:
    """The judgments that a library hands out as (query, document, grade).

    Raises:
        DataError: as `read_judgments`.
    """
    reader = _Reader(label, dirt)
    for number, (query, document, grade) in enumerate(rows, 1):
        reader.read(JudgmentLine(number, query, document, str(grade)))
    return reader.judgments(())


class _Reader:
    def __init__(self, file: str, dirt: Dirt) -> None:
        self.file = file
        self.rows: dict[tuple[str, str], int] = {}
        self.grades = array("i")
        self.lines = array("q")
        self._dirt = dirt
        self._read = 0

    def read(self, line: JudgmentLine) -> None:
        where = f"{self.file}:{line.number}"
        self._read += 1
        self._add(self._pair(line, where), self._grade(line.grade, where), line.number)

    def judgments(self, header: tuple[str, ...]) -> Judgments:
        if not self.rows:
            raise DataError(f"{self.file}:1: no judgments; write lines of query id, document id and grade")
        self._dirt.read(self._read)
        pairs = list(self.rows)
        return Judgments(self.file, [q for q, _ in pairs], [d for _, d in pairs], self.grades, self.lines, header)

    def _pair(self, line: JudgmentLine, where: str) -> tuple[str, str]:
        """Query and document. Their white space is counted with the texts, and here in the share of the lines."""
        written = (line.query, line.document)
        if not all(written):
            raise empty_id(where)
        if not self._dirt.allows("white-space-ids"):
            return clean_id(line.query, where, self._dirt), clean_id(line.document, where, self._dirt)
        pair = underscored(line.query), underscored(line.document)
        if pair != written:
            self._dirt.note("white-space-ids")
        return pair

    def _grade(self, written: str, where: str) -> int:
        if not INTEGER.fullmatch(written):
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
    """The judgments as rows; `documents` gives -1 for one that the corpus lacks, which stays with its id.

    Raises:
        DataError: a document is unknown and no rule lets it through.
    """
    rows = np.array([documents[document] for document in judgments.documents], np.int32)
    asked = np.array([queries[query] for query in judgments.queries], np.int32)
    grades = np.array(judgments.grades, np.int32)
    for row in np.flatnonzero(rows < 0).tolist():
        where = f"{judgments.file}:{judgments.lines[row]}"
        text = f"{where}: document {shown(judgments.documents[row])} is not in {corpus_file}"
        dirt.meet("unknown-documents", text)
    return sorted_qrels(asked, rows, grades, judgments.documents)


def sorted_qrels(queries: Rows, documents: Rows, grades: Rows, ids: Sequence[str] = ()) -> Qrels:
    """Rows sorted by query, then document; a document of row -1 is missing from the corpus and is kept by its id."""
    order = np.lexsort((documents, queries))
    known = order[documents[order] >= 0]
    gone = sorted(np.flatnonzero(documents < 0).tolist(), key=lambda row: (int(queries[row]), ids[row].encode()))
    missing = Missing(queries[gone], grades[gone], tuple(ids[row] for row in gone))
    return Qrels(queries[known], documents[known], grades[known], missing)


def _no_integer(where: str, written: str) -> DataError:
    return DataError(f"{where}: grade {shown(written)} is not a whole number; write 0, 1, 2 ...")

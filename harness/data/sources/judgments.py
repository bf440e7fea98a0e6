"""Read judgments from `qrels/<split>.tsv`: BEIR's three columns, TREC's four, or those that a header names."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import DataError
from adapters.limits import HIGHEST_GRADE
from harness.data.qrels import Missing, Qrels, Rows
from harness.data.sources.dirt import Dirt, shown
from harness.data.sources.jsonl import CollectionFiles, clean_id, empty_id, lines, underscored
from harness.data.sources.judgment_columns import JudgmentLine, divided, without_comments
from harness.data.sources.judgment_json import json_judgments
from harness.data.written_numbers import whole_number


@dataclass(frozen=True)
class Judgments:
    """Judgments by id, as written in the file."""

    file: str
    queries: Sequence[str]
    documents: Sequence[str]
    grades: Sequence[int]
    lines: Sequence[int]
    header: tuple[str, ...]
    """The columns of a first line without a grade. It is a header unless its first column is a query id."""


def read_judgments(place: CollectionFiles, name: str, dirt: Dirt) -> Judgments:
    """Read a file of judgments. `judgment_columns` divides its lines, `judgment_json` reads JSON.

    A grade below zero becomes 0 and is counted; TREC's files mark junk that way.

    Raises:
        DataError: a line has other columns than the lines before it, a grade is not a whole number, a pair is judged
            twice, an id is empty, or there is no judgment.
    """
    file, of_json = place.label(name), json_judgments(place, name)
    if of_json is not None:
        return _collected(_Reader(file, dirt), of_json)
    rows = divided(without_comments(lines(place, name)), without_comments(lines(place, name)), file)
    return _collected(_Reader(file, dirt, junk_is_usual=rows.is_trec), rows.lines, rows.header)


def listed_judgments(label: str, rows: Iterable[tuple[str, str, int]], dirt: Dirt) -> Judgments:
    """The judgments that a library returns as (query, document, grade).

    Raises:
        DataError: as `read_judgments`.
    """
    return _collected(_Reader(label, dirt), (JudgmentLine(n, q, d, str(g)) for n, (q, d, g) in enumerate(rows, 1)))


def _collected(reader: _Reader, found: Iterable[JudgmentLine], header: tuple[str, ...] = ()) -> Judgments:
    for line in found:
        reader.read(line)
    return reader.judgments(header)


class _Reader:
    def __init__(self, file: str, dirt: Dirt, *, junk_is_usual: bool = False) -> None:
        self.file = file
        self._junk_is_usual = junk_is_usual
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
        """Query and document. White space in ids is counted with the texts, so here only the lines are noted."""
        written = (line.query, line.document)
        if not all(map(str.strip, written)):
            raise empty_id(where)
        if not self._dirt.allows("white-space-ids"):
            return clean_id(line.query, where, self._dirt), clean_id(line.document, where, self._dirt)
        pair = underscored(line.query), underscored(line.document)
        if pair != written:
            self._dirt.note("white-space-ids")
        return pair

    def _grade(self, written: str, where: str) -> int:
        grade = whole_number(written)
        if grade is None:
            raise _not_whole(where, written)
        if grade > HIGHEST_GRADE:
            raise DataError(f"{where}: grade {shown(written)} is above {HIGHEST_GRADE:,}; write a small whole number")
        if grade < 0:
            self._dirt.take("negative-grades", usual=self._junk_is_usual)
        return max(grade, 0)

    def _add(self, pair: tuple[str, str], grade: int, number: int) -> None:
        row = self.rows.setdefault(pair, len(self.rows))
        if row == len(self.grades):
            self.grades.append(grade)
            self.lines.append(number)
            return
        judged = f"document {shown(pair[1])} is already judged for query {shown(pair[0])} in line {self.lines[row]}"
        if grade == self.grades[row]:
            self._dirt.meet("repeated-judgments", f"{self.file}:{number}: {judged}")
        else:
            text = f"{self.file}:{number}: {judged}, with grade {self.grades[row]} there and {grade} here"
            self._dirt.meet("contradicting-labels", text)
        self.grades[row] = max(grade, self.grades[row])


def without_unknown_queries(judgments: Judgments, known: Mapping[str, int], query_file: str, dirt: Dirt) -> Judgments:
    """Drop the judgments of queries that the query file lacks; `known` has -1 for these.

    Raises:
        DataError: a query is unknown and no rule lets it through, or no judgment is left.
    """
    if judgments.header and known.get(judgments.header[0], -1) >= 0:
        raise _not_whole(f"{judgments.file}:1", judgments.header[-1])
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
    """The judgments as rows. `documents` has -1 for documents that the corpus lacks; their judgments are kept by id.

    Raises:
        DataError: a document is unknown and no rule lets it through.
    """
    rows = np.array([documents[document] for document in judgments.documents], np.int32)
    query_rows = np.array([queries[query] for query in judgments.queries], np.int32)
    grades = np.array(judgments.grades, np.int32)
    for row in np.flatnonzero(rows < 0).tolist():
        where = f"{judgments.file}:{judgments.lines[row]}"
        text = f"{where}: document {shown(judgments.documents[row])} is not in {corpus_file}"
        dirt.meet("unknown-documents", text)
    return sorted_qrels(query_rows, rows, grades, judgments.documents)


def sorted_qrels(queries: Rows, documents: Rows, grades: Rows, ids: Sequence[str] = ()) -> Qrels:
    """Sort rows by query, then document. A document of row -1 is missing from the corpus and is kept by id."""
    order = np.lexsort((documents, queries))
    known = order[documents[order] >= 0]
    gone = sorted(np.flatnonzero(documents < 0).tolist(), key=lambda row: (int(queries[row]), ids[row].encode()))
    missing = Missing(queries[gone], grades[gone], tuple(ids[row] for row in gone))
    return Qrels(queries[known], documents[known], grades[known], missing)


def _not_whole(where: str, written: str) -> DataError:
    advice = (
        "write whole numbers, as trec_eval needs them: 0 for documents that are not relevant, 1 or more for the others"
    )
    return DataError(f"{where}: grade {shown(written)} is not a whole number; {advice}")

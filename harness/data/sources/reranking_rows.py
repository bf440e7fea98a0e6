"""Reranking rows: a query with relevant and other texts, in any of the forms of `row_forms`. The texts of a row are the
candidates of its query, and the texts of all rows are the corpus."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from adapters.identity import text_digest
from adapters.limits import HIGHEST_GRADE
from harness.data.collection import GivenCandidates
from harness.data.columns import TextWriter, open_texts
from harness.data.sources import second_rows
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.dirt import Dirt, shown
from harness.data.sources.jsonl import JsonLine
from harness.data.sources.judgments import sorted_qrels
from harness.data.sources.row_files import ENDS, is_rows_name, row_records
from harness.data.sources.row_forms import Candidates, candidates_of
from harness.data.sources.row_names import IDS, QUERY_IDS
from harness.data.sources.second_reading import reported
from harness.data.sources.source import CORPUS, QUERIES, ConvertedSource, choose_split, join

_SUFFIXES = (".jsonl", ".jsonl.gz")
_SPLITS = ("train", "dev", "validation", "test")
_BATCH = 4096


@dataclass(frozen=True)
class RowsSource:
    """One file of rows."""

    path: Path
    name: str
    split: str
    declared: DeclaredCollection

    @property
    def origin(self) -> str:
        """The resolved path."""
        return f"rows {self.path.resolve()}"

    def files(self) -> Sequence[Path]:
        """The file."""
        return [self.path]

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Convert the rows. Texts are written to a spool and then sorted by id, so that neither ids, nor rows, nor the
        order of the candidate lists show which text was listed as relevant."""
        spool = folder / "spool.arrow"
        with TextWriter(spool) as texts, TextWriter(folder / QUERIES) as queries:
            rows = _Rows(queries, texts, dirt)
            for record in row_records(self.path):
                rows.read(record)
            rows.finish(self.path)
        new_rows = _write_sorted(spool, rows.documents, folder / CORPUS)
        spool.unlink()
        with reported(str(self.path)):
            published = second_rows.of_reranking_rows(self.path, self.declared.rules.allow)
        return replace(rows.converted(new_rows, texts.empty), published=published)


@dataclass
class _Labelled:
    """The texts of one query, by digest, with their grades."""

    query: str
    text: str
    line: int
    grades: dict[bytes, int]
    listed: dict[bytes, None]


class _Rows:
    def __init__(self, queries: TextWriter, texts: TextWriter, dirt: Dirt) -> None:
        self.documents: dict[bytes, int] = {}
        self._queries, self._texts, self._dirt = queries, texts, dirt
        self._lines: dict[str, int] = {}
        self._groups: dict[str, _Labelled] = {}
        self._judged: list[npt.NDArray[np.int32]] = []
        self._grades: list[npt.NDArray[np.int32]] = []
        self._given: list[npt.NDArray[np.int32]] = []
        self._empty_rows = 0
        self._repeated = 0

    def read(self, record: JsonLine) -> None:
        """Read one row. Pairs and triplets are kept until all rows of their query are read."""
        self._dirt.read(1)
        row = candidates_of(record)
        name = self._query_id(row)
        if row.is_one_sided:
            raise DataError(
                f"{record.where}: field 'negative' is missing; a target also needs texts that are not relevant"
            )
        if row.unused:
            self._dirt.take("unused-fields", usual=True)
        if row.is_single:
            self._group(row, name)
        elif self._lines.setdefault(name, record.number) != record.number:
            message = f"{record.where}: query id {shown(name)} is already in line {self._lines[name]}"
            self._dirt.meet("duplicate-ids", message)
        else:
            labelled = _Labelled(name, row.query, record.number, {}, {})
            self._label(labelled, row)
            self._write(labelled)

    def finish(self, path: Path) -> None:
        """Write the queries of pairs and triplets.

        Raises:
            DataError: there was no row, or no row with candidates.
        """
        for group in self._groups.values():
            self._write(group)
        if not self._lines:
            raise DataError(f"{path}:1: empty; write one object per line")
        if not self._judged:
            raise DataError(f"{path}:1: no row has a text in 'positive' or 'negative'; give the rows candidates")

    def converted(self, new_rows: npt.NDArray[np.int32], empty_documents: int) -> ConvertedSource:
        judged = [len(rows) for rows in self._judged]
        queries = np.repeat(np.arange(len(judged), dtype=np.int32), judged)
        given = [np.sort(new_rows[rows]) for rows in self._given]
        offsets = np.cumsum([0, *map(len, given)]).astype(np.int64)
        return ConvertedSource(
            qrels=sorted_qrels(queries, new_rows[np.concatenate(self._judged)], np.concatenate(self._grades)),
            given=GivenCandidates(offsets, np.concatenate(given)),
            empty_documents=empty_documents,
            queries_without_judgments=self._empty_rows,
            repeated_candidates=self._repeated,
        )

    def _query_id(self, row: Candidates) -> str:
        record = row.record
        if "pos" in record.fields:  # FlagEmbedding's rows have no ids of their own
            return f"row-{record.number}"
        names = QUERY_IDS if row.is_single else (*QUERY_IDS, *IDS)  # the id of a pair or triplet is not the query's
        name = record.only_one(QUERY_IDS) or (None if row.is_single else record.first_or_only(IDS))
        name = name or next((name for name in names if name in record.fields), None)
        return record.identifier(name, self._dirt) if name else f"row-{record.number}"

    def _group(self, row: Candidates, name: str) -> None:
        line, key = row.record.number, row.query if name == f"row-{row.record.number}" else name
        self._lines.setdefault(name, line)
        group = self._groups.setdefault(key, _Labelled(name, row.query, line, {}, {}))
        if group.text != row.query:
            raise DataError(f"{row.record.where}: query id {shown(name)} has another text in line {group.line}")
        self._label(group, row)

    def _label(self, labelled: _Labelled, row: Candidates) -> None:
        of_row: dict[bytes, int] = {}
        for written, label in row.labels:
            text, grade = join(None, written), self._grade(row.record, label)
            key = self._row(text)
            if key in of_row and of_row[key] == grade:
                self._repeated += 1
            of_row[key] = grade
            if labelled.grades.setdefault(key, grade) != grade:
                message = f"{row.record.where}: {shown(text)} is both positive and negative"
                self._dirt.meet("contradicting-labels", message)
            labelled.grades[key] = max(labelled.grades[key], grade)
        texts = [text for text, _ in row.labels] if row.listed is None else row.listed
        labelled.listed.update(dict.fromkeys(self._row(join(None, text)) for text in texts))

    def _grade(self, record: JsonLine, label: float) -> int:
        if label != int(label):
            raise DataError(
                f"{record.where}: {label} is not a grade; a target needs whole numbers as judgments (only training "
                "takes scores)"
            )
        if label > HIGHEST_GRADE:
            raise DataError(f"{record.where}: grade {label:g} is above {HIGHEST_GRADE:,}; write a small whole number")
        if label < 0:
            self._dirt.take("negative-grades")
        return max(int(label), 0)

    def _write(self, labelled: _Labelled) -> None:
        if not labelled.listed:
            self._empty_rows += 1
            return
        self._queries.add(labelled.query, labelled.text)
        self._judged.append(self._rows(labelled.grades))
        self._grades.append(np.fromiter(labelled.grades.values(), np.int32, len(labelled.grades)))
        self._given.append(self._rows(labelled.listed))

    def _rows(self, keys: Collection[bytes]) -> npt.NDArray[np.int32]:
        return np.fromiter((self.documents[key] for key in keys), np.int32, len(keys))

    def _row(self, text: str) -> bytes:
        """The digest of a text. A new text is written to the spool."""
        digest = text_digest(text)
        if self.documents.setdefault(digest, self._texts.rows) == self._texts.rows:
            self._texts.add(digest.hex(), text)
        return digest


def _write_sorted(spool: Path, documents: dict[bytes, int], path: Path) -> npt.NDArray[np.int32]:
    """Write the spooled texts in the order of their ids, and return the new row of every spooled row."""
    texts = open_texts(spool)
    order = np.array([documents[digest] for digest in sorted(documents)], np.int32)
    with TextWriter(path) as writer:
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            for identifier, text in zip(texts.ids(rows), texts.take(rows), strict=True):
                writer.add(identifier, text)
    new_rows = np.empty(len(order), np.int32)
    new_rows[order] = np.arange(len(order))
    return new_rows


def row_files(folder: Path) -> dict[str, Path]:
    """The files of rows in a folder, by split."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.endswith(_SUFFIXES))
    by_split: dict[str, Path] = {}
    for file in files:
        if by_split.setdefault(_stem(file), file) != file:
            raise DataError(f"{file}: exists both plain and gzipped; remove one of the two")
    return by_split


def rows_of_folder(folder: Path, name: str, split: str | None, declared: DeclaredCollection) -> RowsSource:
    """The source for the given or the default split of a folder with a file of rows for each split."""
    files = row_files(folder)
    chosen = choose_split(split, list(files), str(folder))
    return RowsSource(files[chosen], name, chosen, declared)


def rows_of_file(file: Path, split: str | None, declared: DeclaredCollection) -> RowsSource:
    """The source for a single file."""
    of_file = _stem(file) if _stem(file) in _SPLITS else "test"
    return RowsSource(file, rows_name(file), choose_split(split, [of_file], str(file)), declared)


def rows_name(file: Path) -> str:
    """The name of the collection in a file. For a file that is named after a split it is the name of the folder."""
    return file.resolve().parent.name if _stem(file) in _SPLITS else _stem(file)


def is_rows_file(file: Path) -> bool:
    """Whether a file is one of rows, by its name."""
    return is_rows_name(file.name)


def _stem(file: Path) -> str:
    name = file.name.removesuffix(".gz")
    return next((name.removesuffix(end) for end in ENDS if name.endswith(end)), name)

"""Reranking rows: a query with the texts that are relevant to it and those that are not. The rows bring their own
candidate lists, and the texts of all rows are the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from adapters.identity import text_digest
from harness.data.collection import GivenCandidates
from harness.data.columns import TextWriter, open_texts
from harness.data.sources import second_reading
from harness.data.sources.beir_folder import Folder
from harness.data.sources.declared import Declared
from harness.data.sources.dirt import Dirt, shown
from harness.data.sources.jsonl import JsonLine, records
from harness.data.sources.judgments import sorted_qrels
from harness.data.sources.source import CORPUS, QUERIES, Converted, choose_split, join

_SUFFIXES = (".jsonl", ".jsonl.gz")
_SPLITS = ("train", "dev", "validation", "test")
_BATCH = 4096


@dataclass(frozen=True)
class RowsSource:
    """One file of rows."""

    path: Path
    name: str
    split: str
    declared: Declared

    @property
    def origin(self) -> str:
        """The resolved path."""
        return f"rows {self.path.resolve()}"

    def files(self) -> Sequence[Path]:
        """The file."""
        return [self.path]

    def convert(self, folder: Path, dirt: Dirt) -> Converted:
        """Texts are spooled as they come and then sorted by id: neither ids, nor rows, nor the order of the candidate
        lists tell which text was listed as relevant."""
        spool = folder / "spool.arrow"
        with TextWriter(spool) as texts, TextWriter(folder / QUERIES) as queries:
            rows = _Rows(queries, texts, dirt)
            for record in records(Folder(self.path.parent), self.path.name):
                rows.read(record)
        rows.check(self.path)
        new_rows = _write_sorted(spool, rows.documents, folder / CORPUS)
        spool.unlink()
        published = second_reading.of_reranking_rows(self.path, self.declared.rules.allow)
        return replace(rows.converted(new_rows, texts.empty), published=published)


class _Rows:
    def __init__(self, queries: TextWriter, texts: TextWriter, dirt: Dirt) -> None:
        self.documents: dict[bytes, int] = {}
        self._queries, self._texts, self._dirt = queries, texts, dirt
        self._lines: dict[str, int] = {}
        self._lists: list[npt.NDArray[np.int32]] = []
        self._grades: list[npt.NDArray[np.int32]] = []
        self._empty_rows = 0
        self._repeated = 0

    def read(self, record: JsonLine) -> None:
        self._dirt.read(1)
        query, text = self._query_id(record), record.text("query")
        labels = self._labels(record)
        earlier = self._lines.setdefault(query, record.line)
        if earlier != record.line:
            message = f"{record.where}: query id {shown(query)} stands in line {earlier} already"
            self._dirt.meet("duplicate-ids", message)
        elif not labels:
            self._empty_rows += 1
        else:
            self._queries.add(query, text)
            self._lists.append(
                np.fromiter((self._row(key, text) for key, (_, text) in labels.items()), np.int32, len(labels))
            )
            self._grades.append(np.fromiter((grade for grade, _ in labels.values()), np.int32, len(labels)))

    def check(self, path: Path) -> None:
        if not self._lines:
            raise DataError(f"{path}:1: empty; write one object per line")
        if not self._lists:
            raise DataError(f"{path}:1: no row has a text in 'positive' or 'negative'; give the rows candidates")

    def converted(self, new_rows: npt.NDArray[np.int32], empty_documents: int) -> Converted:
        lengths = [len(documents) for documents in self._lists]
        queries = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        qrels = sorted_qrels(queries, new_rows[np.concatenate(self._lists)], np.concatenate(self._grades))
        return Converted(
            qrels=qrels,
            given=GivenCandidates(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), qrels.documents),
            empty_documents=empty_documents,
            queries_without_judgments=self._empty_rows,
            repeated_candidates=self._repeated,
        )

    def _query_id(self, record: JsonLine) -> str:
        return record.identifier("id", self._dirt) if "id" in record.fields else f"row-{record.line}"

    def _labels(self, record: JsonLine) -> dict[bytes, tuple[int, str]]:
        labels: dict[bytes, tuple[int, str]] = {}
        for field, grade in (("positive", 1), ("negative", 0)):
            for written in record.texts(field):
                text = join(None, written)
                key = text_digest(text)
                if key not in labels:
                    labels[key] = (grade, text)
                elif labels[key][0] == grade:
                    self._repeated += 1
                else:
                    message = f"{record.where}: {shown(text)} is both positive and negative"
                    self._dirt.meet("contradicting-labels", message)
        return labels

    def _row(self, digest: bytes, text: str) -> int:
        row = self.documents.setdefault(digest, self._texts.rows)
        if row == self._texts.rows:
            self._texts.add(digest.hex(), text)
        return row


def _write_sorted(spool: Path, documents: dict[bytes, int], path: Path) -> npt.NDArray[np.int32]:
    """Write the spooled texts in the order of their ids; return the new row of every spooled row."""
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
            raise DataError(f"{file}: lies here plain and gzipped; remove one of the two")
    return by_split


def rows_of_folder(folder: Path, name: str, split: str | None, declared: Declared) -> RowsSource:
    """The source for the wanted or the default split of a folder with a file of rows for each split."""
    files = row_files(folder)
    chosen = choose_split(split, list(files), str(folder))
    return RowsSource(files[chosen], name, chosen, declared)


def rows_of_file(file: Path, split: str | None, declared: Declared) -> RowsSource:
    """The source for a single file."""
    own = _stem(file) if _stem(file) in _SPLITS else "test"
    return RowsSource(file, rows_name(file), choose_split(split, [own], str(file)), declared)


def rows_name(file: Path) -> str:
    """The name of a file's collection; a file that is named after a split has the name of its folder."""
    return file.resolve().parent.name if _stem(file) in _SPLITS else _stem(file)


def is_rows_file(file: Path) -> bool:
    """Whether the name is one of a file of rows."""
    return file.name.endswith(_SUFFIXES)


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".jsonl")

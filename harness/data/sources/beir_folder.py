"""BEIR's layout: corpus.jsonl, queries.jsonl and qrels/<split>.tsv, each plain or gzipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol

from adapters.errors import DataError
from harness.data.sources import second_reading
from harness.data.sources.declared import Declared
from harness.data.sources.dirt import Dirt
from harness.data.sources.jsonl import CollectionFiles, find, records
from harness.data.sources.judgments import read_judgments, resolved, without_unknown_queries
from harness.data.sources.source import CORPUS, QUERIES, Converted, choose_split, join
from harness.data.sources.texts import Row, write_texts

_LAYOUT = "a collection has corpus.jsonl, queries.jsonl and qrels/<split>.tsv"


class StatedPlace(CollectionFiles, Protocol):
    """A place that knows which files on disk its files come from."""

    path: Path

    def on_disk(self, names: Sequence[str]) -> list[Path]:
        """The files on disk that hold `names`."""
        ...


class Folder:
    """A folder as a place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _names(self) -> list[str]:
        there = [*self.path.glob("*"), *self.path.glob("qrels/*")]
        return sorted(file.relative_to(self.path).as_posix() for file in there if file.is_file())

    def names(self) -> list[str]:
        """The files of the folder and of its folder `qrels`."""
        return self._names

    def label(self, name: str) -> str:
        """The path of the file."""
        return str(self.path / name)

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open the file."""
        return (self.path / name).open("rb")

    def on_disk(self, names: Sequence[str]) -> list[Path]:
        """One file for each."""
        return [self.path / name for name in names]


def is_beir(names: Sequence[str]) -> bool:
    """Whether files look like this layout, complete or not."""
    marks = ("corpus.jsonl", "queries.jsonl", "corpus.jsonl.gz", "queries.jsonl.gz")
    return any(name in marks or name.startswith("qrels/") for name in names)


@dataclass(frozen=True)
class BeirSource:
    """One split of a collection in BEIR's layout, in a folder or a zip file."""

    place: StatedPlace
    name: str
    split: str
    declared: Declared

    @property
    def origin(self) -> str:
        """The resolved path."""
        return f"beir {self.place.path.resolve()}"

    def files(self) -> Sequence[Path]:
        """Corpus, queries and the judgments of the split; or the zip file.

        Raises:
            DataError: one is missing.
        """
        return self.place.on_disk([self._need("corpus.jsonl"), self._need("queries.jsonl"), self._qrels])

    def convert(self, folder: Path, dirt: Dirt) -> Converted:
        """Judgments first: they tell which queries belong to the split and which documents to look up."""
        of_judgments = dirt.of("judgments")
        judgments = read_judgments(self.place, self._qrels, of_judgments)
        query_rows = dict.fromkeys([*judgments.queries, *judgments.header[:1]], -1)
        query_file, corpus_file = self._need("queries.jsonl"), self._need("corpus.jsonl")
        label = self.place.label(query_file)
        queries = write_texts(self._queries, label, folder / QUERIES, query_rows, dirt.of("queries"), only_these=True)
        judgments = without_unknown_queries(judgments, query_rows, query_file, of_judgments)
        document_rows = dict.fromkeys(judgments.documents, -1)
        label = self.place.label(corpus_file)
        corpus = write_texts(self._documents, label, folder / CORPUS, document_rows, dirt.of("documents"))
        return Converted(
            qrels=resolved(judgments, query_rows, document_rows, corpus_file, of_judgments),
            given=None,
            empty_documents=corpus.empty,
            queries_without_judgments=queries.rows - queries.written,
            published=second_reading.of_file(self.place, self._qrels),
        )

    def _queries(self, dirt: Dirt) -> Iterator[Row]:
        for record in records(self.place, self._need("queries.jsonl")):
            yield record.line, record.identifier("_id", dirt), record.text("text")

    def _documents(self, dirt: Dirt) -> Iterator[Row]:
        for record in records(self.place, self._need("corpus.jsonl")):
            text = join(record.optional_text("title"), record.text("text"))
            yield record.line, record.identifier("_id", dirt), text

    @property
    def _qrels(self) -> str:
        return self._need(f"qrels/{self.split}.tsv")

    def _need(self, name: str) -> str:
        found = find(self.place, name)
        if found is None:
            raise DataError(f"{self.place.label(name)}: not there; {_LAYOUT}")
        return found


def beir_source(place: StatedPlace, name: str, split: str | None, declared: Declared) -> BeirSource:
    """The source for the wanted or the default split.

    Raises:
        DataError: there are no judgments at all.
        UsageError: there is no such split, or several to choose from.
    """
    files = [file.removeprefix("qrels/").removesuffix(".gz") for file in place.names() if file.startswith("qrels/")]
    splits = sorted({file.removesuffix(".tsv") for file in files if file.endswith(".tsv")})
    if not splits:
        raise DataError(f"{place.label('qrels')}: no <split>.tsv with judgments there; {_LAYOUT}")
    return BeirSource(place, name, choose_split(split, splits, place.label("qrels")), declared)

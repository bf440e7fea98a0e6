"""Collections with a corpus, queries and judgments in separate files: BEIR's corpus.jsonl, queries.jsonl and
qrels/<split>.tsv, or the files that `layout` finds. Each file is plain or gzipped."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol

from harness.data.sources import second_reading
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.dirt import Dirt
from harness.data.sources.jsonl import CollectionFiles
from harness.data.sources.judgments import read_judgments, resolved, without_unknown_queries
from harness.data.sources.layout import FOLDERS, Layout, layout_of
from harness.data.sources.source import CORPUS, QUERIES, ConvertedSource
from harness.data.sources.text_files import read_documents, read_queries
from harness.data.sources.texts import write_texts


class StatedPlace(CollectionFiles, Protocol):
    """Files of a collection whose files on disk are known."""

    path: Path

    def on_disk(self, names: Sequence[str]) -> list[Path]:
        """The files on disk that hold `names`."""
        ...


class Folder:
    """The files of a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _names(self) -> list[str]:
        there = [*self.path.glob("*"), *(file for folder in FOLDERS for file in self.path.glob(f"{folder}/*"))]
        return sorted(file.relative_to(self.path).as_posix() for file in there if file.is_file())

    def names(self) -> list[str]:
        """The files of the folder and of its sub-folders in `FOLDERS`, such as `qrels` and `corpus`."""
        return self._names

    def label(self, name: str) -> str:
        """The path of the file."""
        return str(self.path / name)

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open the file."""
        return (self.path / name).open("rb")

    def on_disk(self, names: Sequence[str]) -> list[Path]:
        """The path of each file."""
        return [self.path / name for name in names]


def is_beir(names: Sequence[str]) -> bool:
    """Whether files look like BEIR's layout, complete or not."""
    marks = ("corpus.jsonl", "queries.jsonl", "corpus.jsonl.gz", "queries.jsonl.gz")
    return any(name in marks or name.startswith("qrels/") for name in names)


@dataclass(frozen=True)
class BeirSource:
    """One split of a collection in a folder or a zip file."""

    place: StatedPlace
    name: str
    declared: DeclaredCollection
    layout: Layout

    @property
    def split(self) -> str:
        """The split that was chosen."""
        return self.layout.split

    @property
    def origin(self) -> str:
        """The resolved path, and the names of the files if they are not BEIR's."""
        others = [name for name in self.layout.names if not is_beir([name])]
        field = self.declared.files.query_field
        names = f" ({', '.join(self.layout.names)})" if others or field else ""
        return f"beir {self.place.path.resolve()}{names}{f' {field}' if field else ''}"

    def files(self) -> Sequence[Path]:
        """Corpus, queries and the judgments of the split; or the zip file."""
        return self.place.on_disk(self.layout.names)

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Convert the judgments first: they decide which queries are in the split and which documents to look up."""
        place, layout, of_judgments = self.place, self.layout, dirt.of("judgments")
        judgments = read_judgments(place, layout.judgments, of_judgments)
        query_rows = dict.fromkeys([*judgments.queries, *judgments.header[:1]], -1)
        queries = write_texts(
            lambda dirt: read_queries(place, layout.queries, dirt, self.declared.files.query_field),
            place.label(layout.queries), folder / QUERIES, query_rows, dirt.of("queries"), only_these=True,
        )  # fmt: skip
        judgments = without_unknown_queries(judgments, query_rows, layout.queries, of_judgments)
        document_rows = dict.fromkeys(judgments.documents, -1)
        corpus = write_texts(
            lambda dirt: read_documents(place, layout.corpus, dirt),
            place.label(layout.corpus[0]), folder / CORPUS, document_rows, dirt.of("documents"),
        )  # fmt: skip
        corpus_file = layout.corpus[0] if len(layout.corpus) == 1 else "the corpus"
        with second_reading.reported(place.label(layout.judgments)):
            published = second_reading.of_file(place, layout.judgments)
        return ConvertedSource(
            qrels=resolved(judgments, query_rows, document_rows, corpus_file, of_judgments),
            given=None,
            empty_documents=corpus.empty,
            queries_without_judgments=queries.rows - queries.written,
            published=published,
        )


def beir_source(place: StatedPlace, name: str, split: str | None, declared: DeclaredCollection) -> BeirSource:
    """The source for the given or the default split.

    Raises:
        DataError: corpus, queries or judgments are missing, or it is not clear which file has them.
        UsageError: the split does not exist, or there are several and none is given.
    """
    return BeirSource(place, name, declared, layout_of(place, declared.files, split))

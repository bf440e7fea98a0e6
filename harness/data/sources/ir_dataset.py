"""A data set of ir_datasets as a source. Documents, queries and judgments are joined and checked as for all sources."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from adapters.errors import EnvironmentFailure, HarnessError, UsageError
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.dirt import Dirt
from harness.data.sources.irds_library import cannot, downloads, library
from harness.data.sources.jsonl import JsonLine
from harness.data.sources.judgments import listed_judgments, resolved, without_unknown_queries
from harness.data.sources.origin import SourceChoice
from harness.data.sources.second_reading import Judgment
from harness.data.sources.source import CORPUS, QUERIES, ConvertedSource, join
from harness.data.sources.texts import Row, write_texts
from harness.data.suites.table import SuiteCollection

_STREAMS = ("_docs_iter", "_iter")
"""Methods of handlers that return the documents as their file has them. The public `docs_iter` first copies BEIR's
corpora into a store of pickles, and keeps using that store even if the file changes."""


@dataclass(frozen=True)
class IrDataset:
    """One data set of ir_datasets. Its files are located or downloaded when they are read."""

    name: str
    split: str
    declared: DeclaredCollection
    dataset: str
    """The id in ir_datasets."""
    mirror: Path | None

    @property
    def origin(self) -> str:
        """The id."""
        return f"ir_datasets {self.dataset}"

    def files(self) -> Sequence[Path]:
        """The files that the library downloaded, or downloads now. With a mirror nothing is downloaded.

        Raises:
            DataError: a file is not in the mirror, or cannot be downloaded.
        """
        return [self._file(download) for download in downloads(self._library, self.dataset)]

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Convert the judgments first: they decide which queries are in the split and which documents to look up."""
        of_judgments = dirt.of("judgments")
        judgments = listed_judgments(self._label("qrels"), self._judged(), of_judgments)
        query_rows = dict.fromkeys(judgments.queries, -1)
        label = self._label("queries")
        queries = write_texts(self._queries, label, folder / QUERIES, query_rows, dirt.of("queries"), only_these=True)
        judgments = without_unknown_queries(judgments, query_rows, label, of_judgments)
        document_rows = dict.fromkeys(judgments.documents, -1)
        label = self._label("docs")
        corpus = write_texts(self._documents, label, folder / CORPUS, document_rows, dirt.of("documents"))
        return ConvertedSource(
            qrels=resolved(judgments, query_rows, document_rows, label, of_judgments),
            given=None,
            empty_documents=corpus.empty,
            queries_without_judgments=queries.rows - queries.written,
            published=[Judgment(row.query_id, row.doc_id, int(row.relevance)) for row in self._qrels()],
        )

    def _judged(self) -> Iterator[tuple[str, str, int]]:
        for row in self._qrels():
            yield str(row.query_id), str(row.doc_id), row.relevance

    def _qrels(self) -> Iterator[Any]:
        return self._read(lambda data: data.qrels_iter())

    def _queries(self, dirt: Dirt) -> Iterator[Row]:
        for record in self._records("queries", lambda data: data.queries_iter()):
            yield record.line, record.identifier("query_id", dirt), record.optional_text("text") or ""

    def _documents(self, dirt: Dirt) -> Iterator[Row]:
        for record in self._records("docs", _documents_of):
            text = record.optional_text("text")
            if text is None:
                dirt.take("missing-texts")
            yield record.line, record.identifier("doc_id", dirt), join(record.optional_text("title"), text or "")

    def _records(self, kind: str, of: Callable[[Any], Iterable[Any]]) -> Iterator[JsonLine]:
        label = self._label(kind)
        for line, row in enumerate(self._read(of), 1):
            yield JsonLine(label, line, row._asdict())

    def _read(self, of: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
        with self._translated():
            yield from of(self._library.load(self.dataset))

    def _file(self, download: Any) -> Path:
        path = Path(download.path(force=False))
        with_sum = self._home / "downloads" / str(download.expected_md5)
        if self.mirror and not path.exists() and not with_sum.exists():
            raise self._missing(path)
        with self._translated():
            return Path(download.path())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        # The library passes on all errors of its parsers, its asserts and the network.
        try:
            yield
        except HarnessError:
            raise
        except Exception as error:
            raise cannot(self.dataset, error, self._home) from error

    @cached_property
    def _library(self) -> ModuleType:
        if self.mirror is None:
            return library(None)
        home = self.mirror / "irds"
        if not home.is_dir():
            raise self._missing(home)
        return library(home.resolve())

    @property
    def _home(self) -> Path:
        return Path(self._library.util.home_path())

    def _missing(self, path: Path) -> EnvironmentFailure:
        command = f"harness fetch {self.name} --source irds --mirror {shlex.quote(str(self.mirror))}"
        return EnvironmentFailure(f"{path}: not found; on a machine with a network, run: {command}")

    def _label(self, kind: str) -> str:
        return f"{self.origin} {kind}"


def _documents_of(data: Any) -> Iterable[Any]:
    handler = data.docs_handler()
    stream = next((name for name in _STREAMS if hasattr(handler, name)), "docs_iter")
    return getattr(handler, stream)()  # type: ignore[no-any-return]


def irds_source(entry: SuiteCollection, declared: DeclaredCollection, origin: SourceChoice) -> IrDataset:
    """A collection of a suite through ir_datasets. If there is a mirror, the library's home is `<mirror>/irds`.

    Raises:
        UsageError: ir_datasets does not have the collection.
    """
    if entry.irds is None:
        raise UsageError(f"{entry.target}: ir_datasets does not have it; choose another --source")
    mirror = origin.mirror and origin.mirror.expanduser()
    return IrDataset(entry.target, entry.mteb.split, declared, entry.irds, mirror)

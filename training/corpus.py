"""A corpus without queries and judgments, from which adaptation without labels starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from adapters.errors import DataError, UsageError
from adapters.identity import digest
from adapters.paths import user_path
from harness.data.collection import Collection, Counts, Rules
from harness.data.columns import TextWriter, corpus_fingerprint, texts_digest
from harness.data.qrels import Qrels
from harness.data.sources import load
from harness.data.sources.beir_folder import Folder, StatedPlace
from harness.data.sources.build import collection_of
from harness.data.sources.declared import FILE, DeclaredCollection, combine, read
from harness.data.sources.dirt import Dirt
from harness.data.sources.layout import corpus_files
from harness.data.sources.source import CORPUS, QUERIES, ConvertedSource
from harness.data.sources.text_files import read_documents
from harness.data.sources.texts import write_texts
from harness.data.texts import Texts
from harness.workspace import Workspace

_NAME = "corpus.jsonl"


def corpus_of(target: str, workspace: Workspace) -> Collection:
    """The corpus that a target names, as a collection without queries.

    A target may be a corpus.jsonl, a file with another usual name of a corpus, or the folder of one; then only that
    file is opened, and queries and judgments next to it are never read. Any other target is read as a collection
    without its queries and judgments.

    Raises:
        UsageError: the target is unknown, or names several collections.
        DataError: the file has errors, or no documents.
    """
    path = user_path(target)
    folder = path.parent if path.is_file() and path.name in (_NAME, f"{_NAME}.gz") else path
    if folder.is_dir():
        place, declared = Folder(folder), _declared(folder)
        if names := corpus_files(place, declared.files):
            return _bare(collection_of(_CorpusSource(place, declared, names), workspace))
    found = load(target, workspace)
    if len(found) != 1:
        names_found = ", ".join(collection.name for collection in found[:4])
        raise UsageError(f"'{target}' names {len(found)} collections; name one corpus, such as {names_found}")
    return _bare(found[0])


def asking(corpus: Collection, ids: Sequence[str], texts: Sequence[str]) -> Collection:
    """The corpus with these queries and no judgments. The fingerprint covers both."""
    queries = Texts.of(ids, texts)
    made_of = {"corpus": texts_digest(corpus.corpus), "queries": texts_digest(queries)}
    return replace(corpus, queries=queries, fingerprint=digest(made_of))


def rows_by_id(corpus: Collection) -> dict[str, int]:
    """The row of each document, by its id."""
    return {name: row for row, name in enumerate(corpus.corpus.ids())}


@dataclass(frozen=True)
class _CorpusSource:
    """The documents of a folder."""

    place: StatedPlace
    declared: DeclaredCollection
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.place.path.resolve().name

    @property
    def split(self) -> str:
        return "corpus"

    @property
    def origin(self) -> str:
        files = "" if len(self.names) == 1 and self.names[0].startswith(_NAME) else f" ({', '.join(self.names)})"
        return f"corpus {self.place.path.resolve()}{files}"

    def files(self) -> Sequence[Path]:
        """The files of the corpus only."""
        return self.place.on_disk(self.names)

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Read the documents; queries and judgments stay empty."""
        label = self.place.label(self.names[0])
        read = partial(read_documents, self.place, self.names)
        written = write_texts(read, label, folder / CORPUS, {}, dirt)
        with TextWriter(folder / QUERIES):
            pass
        return ConvertedSource(_NO_QRELS, None, written.empty, 0)


_NO_ROWS = np.empty(0, np.int32)
_NO_QRELS = Qrels(_NO_ROWS, _NO_ROWS, _NO_ROWS)


def _declared(folder: Path) -> DeclaredCollection:
    return combine([read(folder / FILE)]) if (folder / FILE).exists() else DeclaredCollection()


def _bare(collection: Collection) -> Collection:
    if not len(collection.corpus):
        raise DataError(f"{collection.name}: the corpus has no documents")
    rules = collection.rules
    return replace(
        collection,
        queries=Texts.of([], []),
        qrels=_NO_QRELS,
        given=None,
        changes=None,
        rules=Rules(rules.instruction, rules.first_stage_instruction),
        counts=Counts(len(collection.corpus), 0, 0, 0, collection.counts.empty_documents, 0, 0, 0),
        fingerprint=corpus_fingerprint(collection.corpus),
    )

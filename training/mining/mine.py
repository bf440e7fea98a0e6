"""`harness train mine`: make a pool of candidates for queries on a corpus, for teachers to score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from adapters.errors import DataError, UsageError
from adapters.identity import file_digest
from adapters.protocols import Integers
from harness.data.collection import Collection
from harness.data.sources.beir_folder import Folder
from harness.data.sources.dirt import Dirt
from harness.data.sources.jsonl import records
from harness.scoring.retrieve import first_stage, retrieve
from harness.scoring.session import Session
from training.corpus import asking, rows_by_id
from training.job import begin, finish, write_lines
from training.mining.pool import ABSENT, contributions, save, union
from training.synthesis.synthesize import QUERIES

STAGE = "mine"
RETRIEVERS = ("bm25", "Qwen/Qwen3-Embedding-0.6B")
"""The default retrievers: a lexical one and a dense one."""
_VERSION = 1


@dataclass(frozen=True)
class SourcedQueries:
    """Queries with the documents that they were written from."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    sources: Integers
    """Rows of the corpus, -1 for a query that was not written from a document."""
    language: str | None
    """The language that all queries declare; None if they declare none or several."""
    digest: str
    """The digest of the file's bytes, or of the queries of a collection."""
    asked_in: Mapping[str, object] | None = None
    """For the queries of a collection: its name, split and fingerprint."""
    languages: tuple[str | None, ...] = ()
    """The declared language of each query, if not all declare the same; otherwise empty."""

    @property
    def declared(self) -> tuple[str | None, ...]:
        """The declared language of each query."""
        return self.languages or (self.language,) * len(self.ids)


def read_queries(file: Path, corpus: Collection) -> SourcedQueries:
    """Read queries of `train synthesize`, or of any JSONL file with `_id`, `text` and optionally `document` and
    `language`.

    Raises:
        DataError: a line has errors or names a document that the corpus lacks, or there are no queries.
        UsageError: the file does not exist.
    """
    file = file / QUERIES if file.is_dir() else file
    if not file.is_file():
        raise UsageError(f"no queries at {file}; write them with: harness train synthesize")
    rows = rows_by_id(corpus)
    ids: dict[str, str] = {}
    sources: list[int] = []
    languages: list[str | None] = []
    for record in records(Folder(file.parent), file.name):
        identifier, document = record.identifier("_id", Dirt({})), record.optional_text("document")
        if identifier in ids:
            raise DataError(f"{record.where}: the id '{identifier}' occurs twice; give each query its own id")
        if document is not None and document not in rows:
            raise DataError(
                f"{record.where}: the corpus has no document '{document}'; name the corpus of these queries"
            )
        ids[identifier] = record.text("text")
        sources.append(ABSENT if document is None else rows[document])
        languages.append(record.optional_text("language"))
    if not ids:
        raise DataError(f"{file}: the file has no queries; write them with: harness train synthesize")
    one = len(set(languages)) == 1
    return SourcedQueries(
        tuple(ids), tuple(ids.values()), np.array(sources, np.int64), languages[0] if one else None, file_digest(file),
        languages=() if one else tuple(languages),
    )  # fmt: skip


def mine(  # noqa: PLR0917
    corpus: Collection,
    target: str,
    queries: SourcedQueries,
    retrievers: Sequence[str],
    depth: int,
    out: Path,
    session: Session,
) -> dict[str, Any]:
    """Write `queries.jsonl`, `pool.npz` and `manifest.json`. The candidates of each retriever are kept in the
    workspace, so a killed run continues with the retriever that was not finished.

    Args:
        target: the name of the corpus as the user gave it; `train teach` opens the corpus by this name.

    Raises:
        UsageError: fewer than two different retrievers are named. The candidates of a single one would lack what it
            misses.
    """
    names = list(dict.fromkeys(retrievers or RETRIEVERS))
    if len(names) < 2:
        raise UsageError("name at least two different retrievers, such as bm25 and a dense one")
    collection = asking(replace(corpus, language=corpus.language or queries.language), queries.ids, queries.texts)
    stages = [first_stage(name, session.workspace) for name in names]
    for stage in stages:
        stage.check()
    identities = [dict(stage.identity(collection)) for stage in stages]
    about = {"version": _VERSION, "corpus": corpus.fingerprint, "queries": queries.digest, "retrievers": identities,
             "depth": depth, "language": collection.language}  # fmt: skip
    if finished := begin(out, STAGE, about):
        return finished
    pool = union([retrieve(collection, stage, depth, session) for stage in stages], queries.sources, len(corpus.corpus))
    write_queries(out, queries, corpus)
    save(pool, out)
    sizes = np.diff(pool.offsets)
    return finish(out, STAGE, {
        **about,
        "corpus_target": str(target), "corpus_name": corpus.name, "corpus_documents": len(corpus.corpus),
        "asked": len(queries.ids), "asked_in": queries.asked_in, "pairs": len(pool),
        "pool_size": {"smallest": int(sizes.min()), "mean": float(sizes.mean()), "largest": int(sizes.max())},
        "sources": int(pool.is_source.sum()),
        "sources_added": int((pool.is_source & (pool.ranks == ABSENT).all(axis=1)).sum()),
        "contributions": contributions(pool, names),
        "digest": pool.digest,
    })  # fmt: skip


def write_queries(out: Path, queries: SourcedQueries, corpus: Collection) -> None:
    """Write queries as `read_queries` reads them."""
    names = corpus.corpus.ids(queries.sources.clip(min=0))
    rows = (
        {"_id": name, "text": text, **({} if row == ABSENT else {"document": document}),
         **({"language": language} if language else {})}
        for name, text, row, document, language in zip(
            queries.ids, queries.texts, queries.sources.tolist(), names, queries.declared, strict=True
        )
    )  # fmt: skip
    write_lines(out / QUERIES, rows)

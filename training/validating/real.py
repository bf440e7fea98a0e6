"""Make the sets of queries that a validation compares from files and collections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError
from adapters.paths import user_path
from harness.data.collection import Collection
from harness.data.sources import load
from harness.workspace import Workspace
from training.corpus import corpus_of
from training.job import MANIFEST
from training.mining.mine import SourcedQueries, read_queries
from training.mining.pool import ABSENT
from training.validating.sets import QuerySet

Rows = npt.NDArray[np.int64]


def synthetic_set(name: str, sourced: SourcedQueries, corpus: Collection) -> QuerySet:
    """Queries with the documents that they were written from."""
    found = _set(name, sourced.texts, sourced.sources, corpus, sourced.language or corpus.language)
    return replace(found, languages=sourced.languages)


def real_set(name: str, collection: Collection) -> QuerySet:
    """The queries of a collection, each with its best judged document: the one with the highest grade above zero, or
    the first of equal ones. Grades are not used otherwise."""
    return _set(name, list(collection.queries), positives(collection), collection, collection.language)


def real_sets(name: str, collections: Sequence[Collection]) -> QuerySet:
    """The queries of one or more collections as one set. Queries of different collections share no document."""
    parts, start, groups = [real_set(name, one) for one in collections], 0, list[int]()
    for part in parts:
        groups += [start + group for group in part.groups]
        start = max(groups, default=-1) + 1
    texts = tuple(text for part in parts for text in part.texts)
    documents = tuple(text for part in parts for text in part.documents or [""] * len(part))
    return QuerySet(name, texts, documents if any(documents) else None, tuple(groups), collections[0].language)


def positives(collection: Collection) -> Rows:
    """The row of each query's best judged document, -1 if there is none; int64 [queries]."""
    qrels = collection.qrels
    order = np.lexsort((qrels.documents, -qrels.grades, qrels.queries))
    order = order[qrels.grades[order] > 0]
    judged_queries, first = np.unique(qrels.queries[order], return_index=True)
    found = np.full(len(collection.queries), ABSENT, np.int64)
    found[judged_queries] = qrels.documents[order][first]
    return found


def one_collection(
    target: str, split: str | None, language: str | None, workspace: Workspace, option: str
) -> Collection:
    """The collection that a target names, in the given language if there are several.

    Raises:
        UsageError: the target names several collections, or one without queries.
    """
    collections = load(target, workspace, split=split)
    if len(collections) > 1:
        collections = [one for one in collections if language is not None and one.language == language] or collections
    if len(collections) > 1:
        names = ", ".join(one.name for one in collections[:4])
        raise UsageError(f"{option} '{target}' names {len(collections)} collections; name one, such as {names}")
    if not len(collections[0].queries):
        raise UsageError(f"{option} '{target}' has no queries")
    return collections[0]


def wrong_set(target: str, corpus: str | None, language: str | None, workspace: Workspace) -> QuerySet:
    """Queries of another domain: a folder of `train synthesize` with its corpus, or a collection.

    Raises:
        UsageError: the target is unknown, or its corpus is not named.
    """
    folder = user_path(target)
    if not (folder / MANIFEST).is_file():
        return real_set("wrong", one_collection(target, None, language, workspace, "--wrong"))
    if corpus is None:
        raise UsageError(f"--wrong {target}: these are synthetic queries; name their corpus with --wrong-corpus")
    documents = corpus_of(corpus, workspace)
    return synthetic_set("wrong", read_queries(folder, documents), documents)


def _set(name: str, texts: Sequence[str], sources: Rows, corpus: Collection, language: str | None) -> QuerySet:
    source_rows = np.unique(sources[sources != ABSENT])
    text_by_row = dict(zip(source_rows.tolist(), corpus.corpus.take(source_rows), strict=True))
    # A query without a document is a group of its own, with a number that no document has.
    alone = len(corpus.corpus) + np.arange(len(sources))
    groups = np.where(sources == ABSENT, alone, sources)
    documents = tuple(text_by_row.get(row, "") for row in sources.tolist()) if text_by_row else None
    return QuerySet(name, tuple(texts), documents, tuple(groups.tolist()), language)

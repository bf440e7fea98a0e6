"""From files and collections to the sets of queries that a validation compares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.data.sources import load
from harness.workspace import Workspace
from training.corpus import corpus_of
from training.job import MANIFEST
from training.mining.mine import Asked, read_queries
from training.mining.pool import ABSENT
from training.validating.sets import QuerySet

Rows = npt.NDArray[np.int64]


def synthetic_set(name: str, asked: Asked, corpus: Collection) -> QuerySet:
    """Queries with the documents that they were written from."""
    return _set(name, asked.texts, asked.sources, corpus, asked.language or corpus.language)


def real_set(name: str, collection: Collection) -> QuerySet:
    """The queries of a collection, each with its best judged document: the highest grade above zero, of equal ones the
    first. Grades are used for nothing else."""
    return _set(name, list(collection.queries), positives(collection), collection, collection.language)


def real_sets(name: str, collections: Sequence[Collection]) -> QuerySet:
    """The queries of one or more collections as one set; queries of different collections share no document."""
    parts, start, groups = [real_set(name, one) for one in collections], 0, list[int]()
    for part in parts:
        groups += [start + group for group in part.groups]
        start = max(groups, default=-1) + 1
    texts = tuple(text for part in parts for text in part.texts)
    documents = tuple(text for part in parts for text in part.documents or [""] * len(part))
    return QuerySet(name, texts, documents if any(documents) else None, tuple(groups), collections[0].language)


def positives(collection: Collection) -> Rows:
    """The row of each query's best judged document, -1 for a query without any; int64 [queries]."""
    qrels = collection.qrels
    order = np.lexsort((qrels.documents, -qrels.grades, qrels.queries))
    order = order[qrels.grades[order] > 0]
    asked, first = np.unique(qrels.queries[order], return_index=True)
    found = np.full(len(collection.queries), ABSENT, np.int64)
    found[asked] = qrels.documents[order][first]
    return found


def one_collection(
    target: str, split: str | None, language: str | None, workspace: Workspace, option: str
) -> Collection:
    """The collection that a target names; of several languages the one that is asked for.

    Raises:
        UsageError: several collections remain, or it has no queries.
    """
    found = load(target, workspace, split=split)
    if len(found) > 1:
        found = [one for one in found if language is not None and one.language == language] or found
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:4])
        raise UsageError(f"{option} '{target}' names {len(found)} collections; name one, such as {names}")
    if not len(found[0].queries):
        raise UsageError(f"{option} '{target}' has no queries")
    return found[0]


def wrong_set(target: str, corpus: str | None, language: str | None, workspace: Workspace) -> QuerySet:
    """Queries of another domain: a folder of `train synthesize` with its corpus, or a collection.

    Raises:
        UsageError: the target is neither, or its corpus is not named.
    """
    folder = Path(target).expanduser()
    if not (folder / MANIFEST).is_file():
        return real_set("wrong", one_collection(target, None, language, workspace, "--wrong"))
    if corpus is None:
        raise UsageError(f"--wrong {target}: synthetic queries; name the corpus they are of with --wrong-corpus")
    documents = corpus_of(corpus, workspace)
    return synthetic_set("wrong", read_queries(folder, documents), documents)


def _set(name: str, texts: Sequence[str], sources: Rows, corpus: Collection, language: str | None) -> QuerySet:
    there = np.unique(sources[sources != ABSENT])
    known = dict(zip(there.tolist(), corpus.corpus.take(there), strict=True))
    # A query without a document stands alone: it gets a number that no document has.
    alone = len(corpus.corpus) + np.arange(len(sources))
    groups = np.where(sources == ABSENT, alone, sources)
    documents = tuple(known.get(row, "") for row in sources.tolist()) if known else None
    return QuerySet(name, tuple(texts), documents, tuple(groups.tolist()), language)

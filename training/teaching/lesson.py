"""The pool with its queries and its corpus, as teachers get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from adapters.errors import DataError
from adapters.typed_values import typed
from harness.data.collection import Collection
from training.corpus import asking
from training.job import MANIFEST, read_manifest
from training.mining import mine
from training.mining.pool import Pool, load


@dataclass(frozen=True)
class TeachingSet:
    """The pool with its queries, ready to be scored."""

    collection: Collection
    pool: Pool
    mined: dict[str, Any]
    """The manifest of the pool."""
    split: str | None = None
    """The split of the collection whose questions are asked; None for other queries."""
    languages: tuple[str | None, ...] = ()
    """The declared language of each query, if not all declare the same."""

    def language_of(self, query: int) -> str | None:
        """The language that a query declares, otherwise that of the collection."""
        return (self.languages[query] if self.languages else None) or self.collection.language


@dataclass(frozen=True)
class _AskedIn:
    open_keys: ClassVar[bool] = True
    split: str


@dataclass(frozen=True)
class _Mined:
    """The keys that are read from the manifest of `train mine`."""

    open_keys: ClassVar[bool] = True
    corpus: str
    """The fingerprint of the corpus."""
    corpus_target: str
    digest: str
    language: str | None
    asked_in: _AskedIn | None = None
    """The collection of the queries, if they are those of a collection."""


def target_of(pool: Path) -> str:
    """The corpus that a pool was mined from, by the name that the user gave.

    Raises:
        UsageError: the folder holds no finished pool.
        DataError: the manifest is damaged.
    """
    return _mined(pool, read_manifest(pool, mine.STAGE)).corpus_target


def _mined(pool: Path, manifest: Mapping[str, Any]) -> _Mined:
    return typed(_Mined, manifest, str(pool / MANIFEST), error=DataError, advice="mine the pool again")


def lesson_of(folder: Path, corpus: Collection) -> TeachingSet:
    """Read a pool together with its corpus.

    Raises:
        UsageError: the folder holds no finished pool.
        DataError: the corpus has changed since, or the pool is damaged.
    """
    mined = read_manifest(folder, mine.STAGE)
    manifest_keys = _mined(folder, mined)
    if corpus.fingerprint != manifest_keys.corpus:
        raise DataError(
            f"{folder}: mined from another corpus than the current '{corpus.name}'; name the right one with --corpus"
        )
    queries = mine.read_queries(folder, corpus)
    pool = load(folder)
    if pool.digest != manifest_keys.digest or len(pool.offsets) != len(queries.ids) + 1:
        raise DataError(f"{folder}: the pool does not match its manifest; mine it again into an empty folder")
    collection = replace(corpus, language=manifest_keys.language)
    split = None if manifest_keys.asked_in is None else manifest_keys.asked_in.split
    return TeachingSet(asking(collection, queries.ids, queries.texts), pool, mined, split, queries.languages)

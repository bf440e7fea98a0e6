"""What the teachers read: the texts of the pool, or the texts with the same ids in a parallel collection.

A teacher that is good in one language can label pairs of another: the score of the English pair is the label of the
parallel German pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from adapters.errors import DataError, UsageError
from adapters.protocols import Integers
from harness.data.collection import Collection
from harness.data.runs import Run, build
from harness.data.sources import load
from harness.workspace import Workspace
from training.corpus import asking, rows_by_id
from training.mining.pool import Pool

_SHOWN = 3


@dataclass(frozen=True)
class TaughtTexts:
    """The pairs that the teachers score. Row i of the run is row i of the pool."""

    collection: Collection
    """The texts, with the queries of the pool in their order."""
    run: Run
    parallel: Mapping[str, object] | None = None
    """Name, language and fingerprint of the parallel collection; None if the pool's own texts are scored."""


def own_texts(collection: Collection, pool: Pool) -> TaughtTexts:
    """The texts of the pool itself."""
    return TaughtTexts(collection, pool.run(collection.corpus.ids))


def parallel_texts(
    target: str, split: str | None, collection: Collection, pool: Pool, workspace: Workspace
) -> TaughtTexts:
    """The texts of a parallel collection, found by the ids of the queries and documents of the pool.

    Args:
        split: the split of the parallel collection that has the queries. Default: test, or its only split.
        collection: the corpus and the queries of the pool.

    Raises:
        UsageError: the target is unknown or names several collections.
        DataError: it lacks queries or documents of the pool.
    """
    found = load(target, workspace, split=split)
    if len(found) != 1:
        named = ", ".join(one.name for one in found[:4])
        raise UsageError(f"'{target}' names {len(found)} collections; name one parallel collection, such as {named}")
    parallel = found[0]
    queries = _rows(target, "queries", collection.queries.ids(), _by_id(parallel))
    documents, place = np.unique(pool.documents, return_inverse=True)
    rows = _rows(target, "documents", collection.corpus.ids(documents), rows_by_id(parallel))
    asked = asking(replace(parallel, given=None), collection.queries.ids(), parallel.queries.take(queries))
    run = build(pool.offsets, rows[place], np.zeros(len(pool), np.float32), asked.corpus.ids)
    facts = {"collection": parallel.name, "language": parallel.language, "fingerprint": parallel.fingerprint}
    return TaughtTexts(asked, run, facts)


def _by_id(collection: Collection) -> dict[str, int]:
    return {name: row for row, name in enumerate(collection.queries.ids())}


def _rows(target: str, what: str, ids: Sequence[str], known: Mapping[str, int]) -> Integers:
    if missing := [name for name in ids if name not in known]:
        named = ", ".join(f"'{name}'" for name in missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
        raise DataError(
            f"{target}: {len(missing):,} of the {len(ids):,} {what} of the pool are missing ({named}); name a "
            "collection that is parallel to the pool's, with the same ids"
        )
    return np.array([known[name] for name in ids], np.int64)

"""What a first stage finds for the queries of a set, kept in the workspace as every run is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from adapters.identity import text_digests
from harness.bench import Bench
from harness.collection import Collection
from harness.retrieve import first_stage, retrieve
from harness.runs import Run
from training.corpus import asking
from training.validating.sets import QuerySet

DEPTH = 100


def searched(one: QuerySet, corpus: Collection, spec: str, depth: int, bench: Bench) -> Run:
    """The candidates of every query of a set in the corpus, at most `depth` each.

    Raises:
        UsageError: the spec names no first stage that can search.
    """
    names = [f"{row:07d}" for row in range(len(one))]
    asked = asking(replace(corpus, language=corpus.language or one.language), names, one.texts)
    return retrieve(asked, first_stage(spec, bench.workspace), depth, bench)


def source_ranks(one: QuerySet, corpus: Collection, run: Run, depth: int) -> npt.NDArray[np.int64]:
    """The rank, from 1, of each query's own document, `depth` + 1 where it was not found, 0 for a query whose document
    is not in the corpus. Documents with the same text are the same document; the best rank counts."""
    own = text_digests(one.documents or ())
    order = run.order()
    rank = np.arange(len(order)) - np.repeat(run.offsets[:-1], np.diff(run.offsets)) + 1
    queries, documents = run.queries[order], run.documents[order]
    hit = (corpus.corpus.digests[documents] == own[queries]).all(axis=1)
    ranks = np.where(_known(own, corpus), depth + 1, 0)
    np.minimum.at(ranks, queries[hit], rank[hit])
    return np.asarray(ranks, np.int64)


def _known(own: npt.NDArray[np.uint64], corpus: Collection) -> npt.NDArray[np.bool_]:
    """Which documents the corpus has."""
    pairs = (np.ascontiguousarray(words, dtype="<u8").view("V16").ravel() for words in (own, corpus.corpus.digests))
    ours, theirs = pairs
    known = set(theirs.tolist()) if len(ours) else set()
    return np.array([word in known for word in ours.tolist()], bool)

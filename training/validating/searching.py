"""The candidates of a first stage for the queries of a set, kept in the workspace like all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from adapters.identity import text_digests
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.scoring.retrieve import first_stage, retrieve
from harness.scoring.session import Session
from training.corpus import asking
from training.validating.sets import QuerySet

DEPTH = 100


def searched(one: QuerySet, corpus: Collection, spec: str, depth: int, session: Session) -> Run:
    """The candidates in the corpus for each query of a set, at most `depth` each.

    Raises:
        UsageError: the spec does not name a first stage that can search.
    """
    return searched_together([one], corpus, spec, depth, session)[0]


def searched_together(
    sets: Sequence[QuerySet], corpus: Collection, spec: str, depth: int, session: Session
) -> list[Run]:
    """The candidates for one or more sets, from one search, so that the corpus is indexed once."""
    texts = [text for one in sets for text in one.texts]
    language = next((one.language for one in sets if one.language), None)
    names = [f"{row:07d}" for row in range(len(texts))]
    asked = asking(replace(corpus, language=corpus.language or language), names, texts)
    run = retrieve(asked, first_stage(spec, session.workspace), depth, session)
    ends = np.cumsum([0, *map(len, sets)]).tolist()
    return [_between(run, first, last) for first, last in pairwise(ends)]


def source_ranks(one: QuerySet, corpus: Collection, run: Run, depth: int) -> npt.NDArray[np.int64]:
    """The rank, from 1, of each query's document: `depth` + 1 if it was not found, 0 if it is not in the corpus.
    Documents with the same text count as one, with the best rank."""
    own = text_digests(one.documents or ())
    order = run.order()
    rank = np.arange(len(order)) - np.repeat(run.offsets[:-1], np.diff(run.offsets)) + 1
    queries, documents = run.queries[order], run.documents[order]
    hit = (corpus.corpus.digests[documents] == own[queries]).all(axis=1)
    ranks = np.where(in_corpus(one, corpus), depth + 1, 0)
    np.minimum.at(ranks, queries[hit], rank[hit])
    return np.asarray(ranks, np.int64)


def _between(run: Run, first: int, last: int) -> Run:
    """The run of the queries from `first` to before `last`."""
    start, end = run.offsets[first], run.offsets[last]
    return Run(
        run.offsets[first : last + 1] - start, run.documents[start:end], run.scores[start:end], run.tiebreaks[start:end]
    )


def in_corpus(one: QuerySet, corpus: Collection) -> npt.NDArray[np.bool_]:
    """Whether the text of each query's document is in the corpus; bool [queries]."""
    own = text_digests(one.documents or ())
    pairs = (np.ascontiguousarray(words, dtype="<u8").view("V16").ravel() for words in (own, corpus.corpus.digests))
    ours, theirs = pairs
    known = set(theirs.tolist()) if len(ours) else set()
    return np.array([word in known for word in ours.tolist()], bool)

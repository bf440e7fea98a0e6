"""Scores the same pairs in other ways: shuffled, alone, and next to long documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import ModelError
from adapters.protocols import Floats, IndexPairs, Integers, Reranker, StreamingReranker
from harness.scoring.ground import CandidatePool

_CALLS = 3
_NEIGHBOUR_CHARACTERS = 4000


@dataclass(frozen=True)
class Request:
    """The arguments of a reranker for the candidates of one collection. Pairs are aligned with the rows of the run."""

    queries: Sequence[str]
    documents: Sequence[str]
    pairs: IndexPairs


@dataclass(frozen=True)
class SeenDocuments:
    """How much of some documents reaches the model."""

    longest: int
    """The number of tokens of the longest document that reach the model; -1 if unknown."""
    cut: int
    """The number of truncated documents; -1 if unknown."""


Way = Callable[[Reranker, Request], Floats]


def request_of(ground: CandidatePool) -> Request:
    """Return the candidates of a collection, with each text once."""
    run = ground.candidates
    asked, query = np.unique(run.queries, return_inverse=True)
    held, document = np.unique(run.documents, return_inverse=True)
    pairs = np.stack([query, document], axis=1).astype(np.int64)
    return Request(ground.collection.queries.take(asked), ground.collection.corpus.take(held), pairs)


def natural(reranker: Reranker, request: Request) -> Floats:
    """Score the pairs as a run does.

    Raises:
        ModelError: a score is not finite, or the number of scores is wrong.
    """
    scores = np.asarray(reranker.score(request.queries, request.documents, request.pairs), np.float32)
    if scores.shape != (len(request.pairs),):
        raise ModelError(f"the model returned scores of shape {scores.shape} for {len(request.pairs)} pairs")
    if not np.isfinite(scores).all():
        raise ModelError(f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are not finite")
    return scores


def shuffled(reranker: Reranker, request: Request) -> Floats:
    """Score texts and pairs in another order, in three calls."""
    random = np.random.default_rng(0)
    queries, documents = (random.permutation(len(texts)) for texts in (request.queries, request.documents))
    moved = Request(
        [request.queries[row] for row in queries],
        [request.documents[row] for row in documents],
        np.stack([np.argsort(queries)[request.pairs[:, 0]], np.argsort(documents)[request.pairs[:, 1]]], axis=1),
    )
    return _in_parts(reranker, moved, np.array_split(random.permutation(len(request.pairs)), _CALLS))


def alone(reranker: Reranker, request: Request) -> Floats:
    """Score every pair in a separate call."""
    return _in_parts(reranker, request, [np.array([row]) for row in range(len(request.pairs))])


def next_to_long_ones(reranker: Reranker, request: Request) -> Floats:
    """Score every query with one additional document that is longer than all others, so that the others are padded."""
    long = " ".join(sorted(request.documents, key=len)[-3:])[:_NEIGHBOUR_CHARACTERS]
    added = [[query, len(request.documents)] for query in range(len(request.queries))]
    pairs = np.concatenate([np.array(added, np.int64).reshape(-1, 2), request.pairs])
    return natural(reranker, Request(request.queries, [*request.documents, long], pairs))[len(added) :]


def seen(reranker: Reranker, request: Request) -> SeenDocuments:
    """Return how much of the longest documents reaches the model, without scoring the others."""
    if not isinstance(reranker, StreamingReranker) or not len(request.pairs):
        return SeenDocuments(-1, -1)
    lengths = np.array([len(request.documents[document]) for document in request.pairs[:, 1]])
    rows = np.argsort(-lengths, kind="stable")[:8]
    parts = list(reranker.stream(request.queries, request.documents, request.pairs[rows]))
    tokens, kept = (np.concatenate([getattr(part, name) for part in parts]) for name in ("tokens", "kept"))
    return SeenDocuments(-1, -1) if (tokens < 0).any() else SeenDocuments(int(kept.max()), int((kept < tokens).sum()))


def _in_parts(reranker: Reranker, request: Request, parts: Sequence[Integers]) -> Floats:
    scores = np.empty(len(request.pairs), np.float32)
    for rows in parts:
        if len(rows):
            scores[rows] = natural(reranker, _only(request, request.pairs[rows]))
    return scores


def _only(request: Request, pairs: IndexPairs) -> Request:
    """Return some of the pairs, with only their texts."""
    asked, query = np.unique(pairs[:, 0], return_inverse=True)
    held, document = np.unique(pairs[:, 1], return_inverse=True)
    texts = [request.queries[row] for row in asked], [request.documents[row] for row in held]
    return Request(*texts, np.stack([query, document], axis=1).astype(np.int64))

"""Vectors of queries and of their documents, through an embedder and the workspace's own cache of vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adapters.embedding import EmbedderPart
from adapters.filling import fill
from adapters.identity import text_digests
from adapters.protocols import Floats, Role
from harness.data.collection import Collection
from harness.scoring.session import Session
from training.validating.embedder import kept_vectors
from training.validating.numbered import each
from training.validating.sets import QuerySet, Sets


def embedded(sets: Sets, spec: str | None, corpus: Collection, session: Session) -> Sets:
    """The sets with the vectors of their queries, and of their documents where they have any.

    Vectors are kept in the workspace where a dense first stage keeps its own: what either embedded is not embedded
    again. Nothing changes without a spec.

    Args:
        spec: an embedder, as a first stage is named.
        corpus: whose instruction for queries counts, as it does in a search.

    Raises:
        UsageError: the spec names something that makes no vectors.
        ModelError: the model cannot be loaded, or a vector is not finite.
    """
    if spec is None:
        return sets
    part = kept_vectors(spec, corpus, session).part
    return each(sets, lambda one: _with_vectors(one, part, session))


def _with_vectors(one: QuerySet, part: EmbedderPart, session: Session) -> QuerySet:
    queries = _vectors(list(one.texts), part, "query", f"vectors of {one.name} queries", session)
    if one.documents is None:
        return replace(one, vectors=queries)
    there = np.array([bool(text) for text in one.documents], bool)
    documents = np.zeros((len(one), queries.shape[1]), np.float32)
    if there.any():
        texts = [text for text in one.documents if text]
        documents[there] = _vectors(texts, part, "document", f"vectors of {one.name} documents", session)
    return replace(one, vectors=queries, document_vectors=documents)


def _vectors(texts: list[str], part: EmbedderPart, role: Role, title: str, session: Session) -> Floats:
    digests = text_digests(texts)
    with session.reporter.stage(title, len(texts)) as advance:
        fill(part.store(role), part.embedder, texts, digests, role, progress=advance)
    return part.store(role).gather(digests)

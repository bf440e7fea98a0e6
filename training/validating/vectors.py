"""Vectors of queries and of their documents, from an embedder and the workspace's cache of vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adapters.embedding import EmbedderPart
from adapters.filling import filled
from adapters.identity import text_digests
from adapters.protocols import Floats, Role
from harness.data.collection import Collection
from harness.scoring.session import Session
from training.validating.embedder import kept_vectors
from training.validating.numbered import each
from training.validating.sets import QuerySet, Sets


def embedded(sets: Sets, spec: str | None, corpus: Collection, session: Session) -> Sets:
    """The sets with the vectors of their queries and of their documents.

    Vectors share the workspace's cache with dense first stages, so that no text is embedded twice. Without a spec the
    sets do not change.

    Args:
        spec: the spec of an embedder, as for a first stage.
        corpus: the corpus whose instruction for queries is used, as in a search.

    Raises:
        UsageError: the spec does not name an embedder.
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
        return filled(part.store(role), part.embedder, texts, digests, role, progress=advance)

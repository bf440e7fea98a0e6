"""The dense retrievers of a run: its mining searches with them, and leaks are found and queries are validated with
their vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.scoring.retrieve import ModelStage, first_stage
from harness.scoring.session import Session
from training.validating.embedder import KeptVectors, kept_vectors

LETTERS_ONLY = "letters only"


def searching(specs: Iterable[str], session: Session) -> list[str]:
    """The first stages that search with a model, which leaves out `given` and `run:FILE`."""
    return [spec for spec in specs if isinstance(first_stage(spec, session.workspace), ModelStage)]


def dense(specs: Iterable[str], corpus: Collection, session: Session) -> list[str]:
    """Those of the first stages that make vectors."""
    return [spec for spec in searching(specs, session) if _vectors_of(spec, corpus, session) is not None]


def embedder_of(specs: Sequence[str], corpus: Collection, session: Session) -> KeptVectors | None:
    """The embedder of the first of these first stages that makes vectors; None if none does.

    Args:
        corpus: the corpus whose language and instruction the embedder uses, as in a search.
    """
    found = (_vectors_of(spec, corpus, session) for spec in searching(specs, session))
    return next((one for one in found if one is not None), None)


def searched_by(embedder: KeptVectors | None) -> str:
    """How leaks are searched, for the record."""
    return LETTERS_ONLY if embedder is None else f"letters and vectors of {embedder.name}"


def _vectors_of(spec: str, corpus: Collection, session: Session) -> KeptVectors | None:
    try:
        return kept_vectors(spec, corpus, session)
    except UsageError:  # a first stage without vectors
        return None

"""What judges that compute with a reranker have in common: its scores, turned into values in [0, 1]."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt

from adapters.batching import collect
from adapters.judges.pairs import distinct
from adapters.protocols import Floats, Identity, IndexPairs, Reranker, Scored, StreamingReranker
from adapters.spec import identity_of, remarks_of


class ScoreJudge:
    """A judge of the scores of a reranker. A subclass says how a value is made of a score.

    The premise is the document and the claim the query, unless `premise_first` is true.
    """

    kind = ""
    """The kind in the identity, with its version."""
    premise_first = False
    grades: tuple[float, ...] | None = None

    def __init__(self, scorer: Reranker) -> None:
        self.scorer = scorer

    @property
    def name(self) -> str:
        """The name of the model."""
        return str(getattr(self.scorer, "name", type(self.scorer).__name__))

    @property
    def identity(self) -> Identity:
        """The identity of the reranker, and how values are made of its scores."""
        return {"judge": self.kind, "scores": dict(identity_of(self.scorer))}

    @property
    def remarks(self) -> tuple[str, ...]:
        """Assumptions that a reader of the values should know."""
        return remarks_of(self.scorer)

    @abstractmethod
    def values(self, scores: Floats) -> Floats:
        """Values in [0, 1], float32, of raw scores."""

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> Floats:
        """Return float32 [len(claims)]; see `adapters.protocols.Judge`."""
        return collect(self.stream(premises, claims), len(claims))

    def stream(self, premises: Sequence[str], claims: Sequence[str]) -> Iterator[Scored]:
        """Yield values batch by batch."""
        for scored in self.raw(premises, claims):
            yield replace(scored, scores=self.values(scored.scores))

    def raw(self, premises: Sequence[str], claims: Sequence[str]) -> Iterator[Scored]:
        """Yield the scores of the reranker batch by batch."""
        queries, documents = (premises, claims) if self.premise_first else (claims, premises)
        if hasattr(self.scorer, "stream"):
            yield from cast(StreamingReranker, self.scorer).stream(*_paired(queries, documents))
        elif len(claims):
            scores = self.scorer.score(*_paired(queries, documents))
            unknown = np.full(len(scores), -1, np.int32)
            inputs = np.zeros(len(scores), np.uint64)
            yield Scored(np.arange(len(scores)), np.asarray(scores, np.float32), unknown, unknown, inputs)


def sigmoid(scores: npt.NDArray[np.floating]) -> Floats:
    """The logistic function, float32, computed in float64."""
    wide = np.clip(scores.astype(np.float64), -700, 700)
    return (1 / (1 + np.exp(-wide))).astype(np.float32)


def _paired(queries: Sequence[str], documents: Sequence[str]) -> tuple[list[str], list[str], IndexPairs]:
    """Texts without repeats, and the pairs of their numbers."""
    (left, left_of), (right, right_of) = distinct(queries), distinct(documents)
    return left, right, np.stack([left_of, right_of], axis=1)

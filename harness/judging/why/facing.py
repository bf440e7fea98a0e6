"""Two systems on one collection, as `harness why` compares them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.measuring.judged import Judged
from harness.measuring.measures import Measure
from harness.measuring.ranking import ranks
from harness.result.recall import Recalled

Indices = npt.NDArray[np.int64]
Floats64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ComparedSystem:
    """One system on a collection. `tokens` and `kept` are aligned with the rows of the run."""

    run: Run
    tokens: npt.NDArray[np.int32] | None = None
    """Document tokens before truncation, -1 if unknown; None for a system without tokens."""
    kept: npt.NDArray[np.int32] | None = None
    """Document tokens that reached the model."""

    @cached_property
    def ranks(self) -> Indices:
        """The rank of every row, from 1, by trec_eval's tie rule."""
        return ranks(self.run)

    @cached_property
    def lost(self) -> Floats64:
        """The share of document tokens that every row lost, 0..1; NaN if it is not known."""
        if self.tokens is None or self.kept is None:
            return np.full(len(self.run), np.nan)
        tokens, kept = self.tokens.astype(np.float64), self.kept.astype(np.float64)
        shares: Floats64 = np.where(tokens > 0, 1 - kept / np.maximum(tokens, 1), 0.0)
        return np.where(tokens < 0, np.nan, shares)


@dataclass(frozen=True, eq=False)
class PairedTexts:
    """A and B on one collection, with the measure of the comparison."""

    collection: Collection
    measure: Measure
    a: ComparedSystem
    b: ComparedSystem

    @property
    def sides(self) -> tuple[ComparedSystem, ComparedSystem]:
        """A, then B."""
        return self.a, self.b

    @cached_property
    def judged(self) -> tuple[Judged, Judged]:
        """The judgments over the candidates of A and of B."""
        qrels, queries = self.collection.qrels, len(self.collection.queries)
        return Judged(self.a.run, qrels, queries), Judged(self.b.run, qrels, queries)

    @property
    def same_candidates(self) -> bool:
        """Whether both systems ranked the same documents."""
        return self.a.run.candidates == self.b.run.candidates


def facing(a: Recalled, b: Recalled, measure: Measure) -> PairedTexts:
    """Pair two recalled evaluations.

    Raises:
        DataError: the evaluations have different texts, queries or judgments.
    """
    if a.collection.fingerprint != b.collection.fingerprint:
        raise DataError(
            f"{a.stored.id} was measured on {a.collection.name} {a.collection.fingerprint[:10]}, {b.stored.id} on "
            f"{b.collection.name} {b.collection.fingerprint[:10]}: name two evaluations of the same texts and queries"
        )
    sides = (ComparedSystem(one.run, one.tokens, one.kept) for one in (a, b))
    return PairedTexts(a.collection, measure, *sides)

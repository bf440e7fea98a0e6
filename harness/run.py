"""A run: for every query a list of (document, score), as ragged columns. One place decides how ties are ordered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from adapters.identity import array_digest

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """The rows of query q are documents[offsets[q]:offsets[q + 1]]. Their order in memory means nothing: scores and
    tie-breaks do."""

    offsets: Offsets
    """int64 [queries + 1]."""
    documents: npt.NDArray[np.int32]
    """Rows of the corpus."""
    scores: npt.NDArray[np.float32]
    tiebreaks: npt.NDArray[np.int32]
    """Position of the row's document id among the ids of this run in byte order. Equal scores are ordered by the
    larger one first, as in trec_eval."""

    @property
    def queries(self) -> npt.NDArray[np.int64]:
        """The query index of every row."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @cached_property
    def digest(self) -> str:
        """Identity of the run: candidates, scores and order."""
        return array_digest(self.offsets, self.documents, self.scores, self.tiebreaks)

"""The relation of scores and relevance: shares with intervals by bin of score, and the AUC within a query."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.measuring.statistics import proportion
from training.validating.logistic import auc

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
BINS = 16
"""The number of bins, the default of `Strata.bins`."""


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, Journal of the American Statistical Association 22); (0, 1) without
    data."""
    return proportion.wilson(hits / of if of else 0.0, of)


@dataclass(frozen=True)
class Bin:
    """The pairs whose scores lie in one range."""

    low: float
    high: float
    pairs: int
    relevant: int

    @property
    def share(self) -> float:
        """P(relevant | bin)."""
        return self.relevant / self.pairs

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share."""
        return wilson(self.relevant, self.pairs)

    def as_dict(self) -> dict[str, Any]:
        """The values for plots."""
        return asdict(self) | {"share": self.share, "interval": list(self.interval)}


def bins(scores: Values, relevant: Mask, count: int = BINS) -> list[Bin]:
    """Bins of equal width over the range of the scores, without empty ones."""
    if not len(scores):
        return []
    edges = np.linspace(scores.min(), scores.max(), count + 1)
    place = np.searchsorted(edges[1:-1], scores, side="right")
    pairs, hits = (np.bincount(place[mask], minlength=count) for mask in (np.ones(len(scores), bool), relevant))
    return [
        Bin(float(edges[row]), float(edges[row + 1]), int(pairs[row]), int(hits[row]))
        for row in np.flatnonzero(pairs).tolist()
    ]


def in_order(found: Sequence[Bin]) -> float:
    """The share of neighbouring bins in which the higher score is relevant at least as often; 1 for a single bin."""
    steps = [later.share >= earlier.share for earlier, later in itertools.pairwise(found)]
    return sum(steps) / len(steps) if steps else 1.0


def monotone(found: Sequence[Bin]) -> bool:
    """Whether no bin has a share whose interval lies below that of a bin with lower scores."""
    return not any(
        later.interval[1] < earlier.interval[0] for row, earlier in enumerate(found) for later in found[row + 1 :]
    )


def per_query_auc(offsets: npt.NDArray[np.int64], scores: Values, relevant: Mask, counted: Mask) -> Values:
    """AUC within each query over the counted rows, float64 [queries]; nan for a query without both kinds."""
    values = np.full(len(offsets) - 1, np.nan)
    for query, (start, end) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
        own, known, score = relevant[start:end], counted[start:end], scores[start:end]
        values[query] = auc(score[own & known], score[~own & known])
    return values

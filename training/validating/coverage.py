"""V7: which synthetic queries lie among the real ones, and which real ones have a synthetic one near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adapters.protocols import Floats
from training.validating.distance import squared_distances
from training.validating.documents import documents
from training.validating.measured import Name, ValidationRow
from training.validating.numbered import ENOUGH, compared, hindrance, limited, numbered, stacked, unmeasured
from training.validating.sets import Rows, Sets

OUTSIDE = Name("V7", "synthetic queries unlike any real one", "1 - precision", "share")
UNREACHED = Name("V7", "real queries unlike any synthetic one", "1 - recall", "share")
NEIGHBOURS = 3


def measure(sets: Sets, *, enough: int = ENOUGH) -> list[ValidationRow]:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991) with k = 3: the share of the synthetic
    queries inside the k-nearest-neighbour balls of the real ones, and the other way round.

    Both are told as what is missing from 1, so that more is worse, as for any other distance. `parts`: `precision`,
    `recall`, `neighbours`. Low precision: queries that nobody asks. Low recall: kinds of queries that are not written.
    """
    if (reason := hindrance(sets, enough)) is not None:
        return unmeasured((OUTSIDE, UNREACHED), reason)
    sets, told = limited(sets)
    known = numbered(sets)
    near = Neighbours(squared_distances(stacked(known)), documents(known))
    note = "; ".join(
        filter(
            None,
            (f"balls reach to the {NEIGHBOURS} nearest of other documents; the interval is from half samples", told),
        )
    )
    outside = compared(OUTSIDE, known, lambda first, second: 1 - near.inside(first, second), note=note)
    unreached = compared(UNREACHED, known, lambda first, second: 1 - near.inside(second, first), note=note)
    parts = {"precision": _rest(outside), "recall": _rest(unreached), "neighbours": NEIGHBOURS}
    return [ValidationRow(**{**vars(row), "parts": parts}) for row in (outside, unreached)]


@dataclass(frozen=True)
class Neighbours:
    """Squared distances of all queries, made once; float32 [n, n]."""

    squares: Floats
    documents: Rows
    """The number of each query's document."""
    neighbours: int = NEIGHBOURS

    def inside(self, points: Rows, balls: Rows) -> float:
        """The share of the points that lie in a ball around one of the others which reaches to its k-th nearest
        neighbour among them. A query of the same document is no such neighbour: three wordings of one question would
        have small balls, and seem to leave everything else out."""
        among = self.squares[np.ix_(balls, balls)]
        among[self.documents[balls][:, None] == self.documents[balls]] = np.inf
        place = min(self.neighbours, len(balls) - 1) - 1
        radii = np.partition(among, place, axis=1)[:, place]
        return float((self.squares[np.ix_(points, balls)] <= radii).any(axis=1).mean())


def _rest(row: ValidationRow) -> float | None:
    return None if row.value is None else 1 - row.value

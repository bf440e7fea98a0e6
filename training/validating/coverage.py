"""V7: the synthetic queries that lie among the real ones, and the real queries that have a synthetic one nearby."""

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
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991) with k = 3: the share of synthetic
    queries inside the k-nearest-neighbour balls of real ones, and the reverse.

    Both are given as 1 minus the value, so that larger is worse, as for other distances. `parts`: `precision`,
    `recall`, `neighbours`. Low precision means queries unlike real ones. Low recall means that kinds of real queries
    are missing.
    """
    if (reason := hindrance(sets, enough)) is not None:
        return unmeasured((OUTSIDE, UNREACHED), reason)
    sets, draw_note = limited(sets)
    known = numbered(sets)
    near = Neighbours(squared_distances(stacked(known)), documents(known))
    note = "; ".join(
        filter(
            None,
            (
                f"balls reach to the {NEIGHBOURS} nearest of other documents; the interval is from half samples",
                draw_note,
            ),
        )
    )
    outside = compared(OUTSIDE, known, lambda first, second: 1 - near.inside(first, second), note=note)
    unreached = compared(UNREACHED, known, lambda first, second: 1 - near.inside(second, first), note=note)
    parts = {"precision": _rest(outside), "recall": _rest(unreached), "neighbours": NEIGHBOURS}
    return [ValidationRow(**{**vars(row), "parts": parts}) for row in (outside, unreached)]


@dataclass(frozen=True)
class Neighbours:
    """Squared distances between all queries, float32 [n, n]."""

    squares: Floats
    documents: Rows
    """The number of each query's document."""
    neighbours: int = NEIGHBOURS

    def inside(self, points: Rows, balls: Rows) -> float:
        """The share of points that lie in a ball around one of `balls` that reaches to its k-th nearest neighbour among
        `balls`. Queries of the same document are not neighbours: otherwise three wordings of one question would have
        small balls that exclude everything else."""
        among = self.squares[np.ix_(balls, balls)]
        among[self.documents[balls][:, None] == self.documents[balls]] = np.inf
        place = min(self.neighbours, len(balls) - 1) - 1
        radii = np.partition(among, place, axis=1)[:, place]
        return float((self.squares[np.ix_(points, balls)] <= radii).any(axis=1).mean())


def _rest(row: ValidationRow) -> float | None:
    return None if row.value is None else 1 - row.value

"""How much scores change when the same pairs are scored in another way, and how much is too much.

Thresholds: if scores depend only on the pair, they change by rounding. In float32 that was below 1e-4 of a logit for
every model that was tried, in any batch. Half precision keeps 8 to 11 bits, and scores of 1 change by 1e-3 to 4e-3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from adapters.protocols import Floats
from harness.measuring.measures import parse
from harness.scoring.ground import CandidatePool

Verdict = Literal["OK", "suspicious", "broken", "not possible"]

SAME = 1e-4
"""The largest difference that rounding explains in float32."""
FEW_TURNED = 0.001
MANY_TURNED = 0.01
"""The largest accepted shares of swapped pairs of candidates: for the same input, and for another precision."""
_BROKEN_RELATIVE = 0.05
_BROKEN_POINTS = 0.001
_MEASURE = parse("nDCG@10")


@dataclass(frozen=True)
class Shift:
    """The changes between two scorings of the same pairs."""

    pairs: int
    largest: float
    """The largest absolute difference of scores; `mean` is the mean absolute difference."""
    mean: float
    relative: float
    """`largest` as a share of the standard deviation of the scores; 0 if all scores are equal."""
    turned: float
    """The share of swapped pairs of candidates of a query. Pairs that are tied in either scoring do not count."""
    tops: int
    """The number of queries with another best candidate that was not tied with the first before."""
    queries: int
    gain: float
    """The change of nDCG@10, a fraction, mean over the queries of all collections."""


def shift(
    grounds: Sequence[CandidatePool],
    first: Sequence[Floats],
    second: Sequence[Floats],
    extra: Sequence[npt.NDArray[np.float64]] = (),
    pairs: int | None = None,
) -> Shift:
    """Compare two scorings.

    Args:
        first, second: for each collection float32, aligned with the rows of its candidates.
        extra: score differences of pairs that are not candidates.
        pairs: the number of pairs that were compared. Default: all.
    """
    joined, moved = np.concatenate([np.empty(0), *first]), np.concatenate([np.empty(0), *second])
    deltas = np.abs(np.concatenate([moved - joined, *extra]))
    spread = float(joined.std()) if len(joined) else 0.0
    largest = float(deltas.max(initial=0.0))
    counted = [_turned(*lists) for lists in _lists(grounds, first, second)]
    turned, compared = sum(one[0] for one in counted), sum(one[1] for one in counted)
    values = [_values(grounds, scores) for scores in (first, second)]
    return Shift(
        pairs=len(deltas) if pairs is None else pairs,
        largest=largest,
        mean=float(deltas.mean()) if len(deltas) else 0.0,
        relative=largest / spread if spread else 0.0,
        turned=turned / compared if compared else 0.0,
        tops=sum(one[2] for one in counted),
        queries=sum(ground.judged.queries for ground in grounds),
        gain=float(values[1].mean() - values[0].mean()) if len(values[0]) else 0.0,
    )


def same_input(found: Shift) -> Verdict:
    """Judge a change in other batches: OK up to rounding, broken if it changes the measure."""
    if found.largest <= SAME and found.turned <= FEW_TURNED:
        return "OK"
    reached = found.relative > _BROKEN_RELATIVE or found.turned > MANY_TURNED or abs(found.gain) > _BROKEN_POINTS
    return "broken" if reached else "suspicious"


def other_numbers(found: Shift) -> Verdict:
    """Judge a change of precision or length, which makes another system: at most suspicious."""
    return "OK" if found.turned <= MANY_TURNED else "suspicious"


def values(ground: CandidatePool, scores: Floats) -> npt.NDArray[np.float64]:
    """Return nDCG@10, float64 [queries]."""
    return np.asarray(ground.judged.values([_MEASURE], scores)[0])


def _values(grounds: Sequence[CandidatePool], scores: Sequence[Floats]) -> npt.NDArray[np.float64]:
    each = [values(ground, some) for ground, some in zip(grounds, scores, strict=True)]
    return np.concatenate([np.empty(0), *each])


def _lists(
    grounds: Sequence[CandidatePool], first: Sequence[Floats], second: Sequence[Floats]
) -> Iterator[tuple[Floats, Floats]]:
    for ground, before, after in zip(grounds, first, second, strict=True):
        offsets = ground.candidates.offsets
        for start, stop in pairwise(offsets.tolist()):
            if stop > start:
                yield before[start:stop], after[start:stop]


def _turned(before: Floats, after: Floats) -> tuple[int, int, int]:
    """Return the number of swapped pairs, the number of all pairs, and 1 if the best candidate changed."""
    first, second = (np.sign(scores[:, None] - scores[None, :]) for scores in (before, after))
    turned = int((first * second < 0).sum()) // 2
    was, now = int(np.argmax(before)), int(np.argmax(after))
    other = bool(before[was] > before[now] and after[was] < after[now])
    return turned, len(before) * (len(before) - 1) // 2, int(other)

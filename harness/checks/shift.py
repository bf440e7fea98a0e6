"""How far scores move when the same pairs are scored in another way, and from where on that is too far.

Thresholds: a reranker whose scores depend on the pair alone moves by rounding. In float32 that is below 1e-4 of a logit
for every model that was tried, in any batch; half precision keeps 8 to 11 bits, and scores of 1 move by 1e-3 to 4e-3.
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
"""Of the pairs of candidates, so many may have the other order: for the same input, and for another precision."""
_BROKEN_RELATIVE = 0.05
_BROKEN_POINTS = 0.001
_MEASURE = parse("nDCG@10")


@dataclass(frozen=True)
class Shift:
    """What moved between two scorings of the same pairs."""

    pairs: int
    largest: float
    """Of the absolute score differences."""
    mean: float
    relative: float
    """`largest` as a share of the standard deviation of the scores; 0 where all are equal."""
    turned: float
    """Share of the pairs of candidates of one query that changed their order; ties, in either, did not."""
    tops: int
    """Queries whose best candidate is another one, and was not tied with it before."""
    queries: int
    gain: float
    """Difference of nDCG@10, a fraction, mean over the queries of all collections."""


def shift(
    grounds: Sequence[CandidatePool],
    first: Sequence[Floats],
    second: Sequence[Floats],
    extra: Sequence[npt.NDArray[np.float64]] = (),
    pairs: int | None = None,
) -> Shift:
    """Compare two scorings.

    Args:
        first, second: per collection float32, aligned with the rows of its candidates.
        extra: score differences of pairs that are no candidates.
        pairs: how many were really compared; None for all.
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
    """For the same pairs in other company: OK up to rounding, broken where it reaches the measure."""
    if found.largest <= SAME and found.turned <= FEW_TURNED:
        return "OK"
    reached = found.relative > _BROKEN_RELATIVE or found.turned > MANY_TURNED or abs(found.gain) > _BROKEN_POINTS
    return "broken" if reached else "suspicious"


def other_numbers(found: Shift) -> Verdict:
    """For another precision or length, which is another system: at most suspicious."""
    return "OK" if found.turned <= MANY_TURNED else "suspicious"


def values(ground: CandidatePool, scores: Floats) -> npt.NDArray[np.float64]:
    """nDCG@10, float64 [queries]."""
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
    """Pairs of candidates that turned, all pairs, and 1 if another one is the best."""
    first, second = (np.sign(scores[:, None] - scores[None, :]) for scores in (before, after))
    turned = int((first * second < 0).sum()) // 2
    was, now = int(np.argmax(before)), int(np.argmax(after))
    other = bool(before[was] > before[now] and after[was] < after[now])
    return turned, len(before) * (len(before) - 1) // 2, int(other)

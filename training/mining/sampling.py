"""Choose the candidates that a student is trained on: from strata of the teacher's scores, the best ones, or at random.
Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.identity import Digests
from adapters.protocols import Integers
from training.stages import Plan

Scores = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
DrawKeys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Sample:
    """The rows of the pool that are taken."""

    rows: Integers
    """Ascending."""
    bins: Integers
    """int64 [pool]: the bin of each candidate, from 0."""
    above: Mask
    """bool [pool]: candidates that `drop_above` counts as false negatives, at 0.95 if it is not set."""


def sample(  # noqa: PLR0917
    offsets: Integers, scores: Scores, is_source: Mask, keys: DrawKeys, plan: Plan, plausible: Scores | None = None
) -> Sample:
    """Draw at most `per_query` candidates of each query. The source document is always among them.

    Args:
        offsets: candidates of query q are rows offsets[q]:offsets[q + 1].
        scores: the teacher's scores, float64 [n].
        keys: pseudo-random numbers that decide draws, one for each candidate, uint64 [n]; see `draw_keys`.
        plausible: the scores on the scale from 0 to 1 to which `drop_above` applies. Default: `plausibility(scores)`.
    """
    scale = plausibility(scores) if plausible is None else plausible
    bins = bins_of(scores, offsets, plan)
    above = _above(offsets, scale, is_source, 0.95 if plan.drop_above is None else plan.drop_above)
    open_ = np.ones(len(scores), bool) if plan.drop_above is None else ~above
    chosen = [
        start + _of_query(slice(start, end), scores, bins, is_source, open_, keys, plan)
        for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]
    return Sample(np.sort(np.concatenate([np.empty(0, np.int64), *chosen])), bins, above)


def draw_keys(queries: Digests, documents: Digests, seed: int) -> DrawKeys:
    """A pseudo-random number for each pair that depends only on its two texts and the seed, not on the order of a file
    or on the rest of the pool.

    Args:
        queries, documents: text digests, uint64 [n, 2], one row for each pair.
    """
    state = np.full(len(queries), np.uint64(seed & 0xFFFFFFFFFFFFFFFF))
    for words in (queries[:, 0], queries[:, 1], documents[:, 0], documents[:, 1]):
        state = _mixed(state ^ words.astype(np.uint64))
    return state


def bins_of(scores: Scores, offsets: Integers, plan: Plan) -> Integers:
    """The bin of each score. Bins have equal widths between the smallest and the largest score, over all queries or per
    query."""
    if plan.scope == "global" or not len(scores):
        low = np.full(len(scores), scores.min(initial=np.inf))
        high = np.full(len(scores), scores.max(initial=-np.inf))
    else:
        sizes, filled = np.diff(offsets), np.diff(offsets) > 0
        starts = offsets[:-1][filled]
        low = np.repeat(np.minimum.reduceat(scores, starts), sizes[filled])
        high = np.repeat(np.maximum.reduceat(scores, starts), sizes[filled])
    width = np.where(high > low, high - low, 1.0)
    number = (scores - low) / width * plan.bins
    return np.asarray(np.minimum(number, plan.bins - 1).astype(np.int64))


def plausibility(scores: npt.NDArray[np.floating]) -> Scores:
    """Scores on a scale from 0 to 1, so that a share of a score has a meaning. Scores outside this range go through the
    logistic function, as a cross-encoder's logits do."""
    exact = scores.astype(np.float64)
    if not len(exact) or (exact.min() >= 0 and exact.max() <= 1):
        return exact
    return 0.5 * (1 + np.tanh(exact / 2))


def counts_per_bin(bins: Integers, rows: Integers, number: int) -> dict[str, list[int]]:
    """The number of candidates of each bin in the pool and in the sample."""
    return {
        "pool": np.bincount(bins, minlength=number).tolist(),
        "sample": np.bincount(bins[rows], minlength=number).tolist(),
    }


def _of_query(  # noqa: PLR0917
    rows: slice, scores: Scores, bins: Integers, is_source: Mask, open_: Mask, keys: DrawKeys, plan: Plan
) -> Integers:
    """Positions within the query's candidates, the source document first."""
    source = np.flatnonzero(is_source[rows])
    others = np.flatnonzero(open_[rows] & ~is_source[rows])
    key = keys[rows][others]
    if plan.strategy == "top":
        order = np.lexsort((key, -scores[rows][others]))
    elif plan.strategy == "random":
        order = np.argsort(key, kind="stable")
    else:
        order = _by_turns(bins[rows], source, others, key, plan)
    return np.concatenate([source, others[order][: plan.per_query - len(source)]])


def _by_turns(bins: Integers, source: Integers, others: Integers, keys: DrawKeys, plan: Plan) -> Integers:
    """Each bin gives one candidate per round. The keys decide within a bin and between the bins of a round. The source
    document counts as the first of its bin."""
    by_bin = np.lexsort((keys, bins[others]))
    ordered = bins[others][by_bin]
    starts = np.searchsorted(ordered, ordered)
    given = np.bincount(bins[source], minlength=plan.bins)
    turn = np.empty(len(others), np.int64)
    turn[by_bin] = np.arange(len(others)) - starts + given[ordered]
    return np.lexsort((keys, turn))


def _above(offsets: Integers, scale: Scores, is_source: Mask, share: float) -> Mask:
    queries = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    own = np.full(len(offsets) - 1, np.inf)
    own[queries[is_source]] = scale[is_source] * share
    limit = own[queries]
    return (scale > limit) & ~is_source


def _mixed(state: DrawKeys) -> DrawKeys:
    """The finaliser of splitmix64: each bit of the input affects each bit of the output."""
    with np.errstate(over="ignore"):
        state = state + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return state ^ (state >> np.uint64(31))

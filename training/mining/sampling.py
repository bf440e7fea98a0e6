"""Which candidates a student is shown: strata of the teacher's scores, the best ones, or a draw. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError
from adapters.identity import Digests
from adapters.protocols import Integers

Strategy = Literal["stratified", "top", "random"]
Scope = Literal["global", "query"]
Scores = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Lots = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SamplePlan:
    """How the sample is drawn."""

    strategy: Strategy = "stratified"
    per_query: int = 16
    """Documents of an example, with the source document."""
    bins: int = 16
    scope: Scope = "global"
    """Whether the bins share out the range of all scores, or that of each query's."""
    drop_above: float | None = None
    """Leave out documents whose plausibility is above this share of the source document's (NV-Retriever,
    arXiv 2407.15831, takes 0.95). None keeps them: with a teacher's own scores as labels a better document than the
    source is no false negative, and without it the source would be the best of every list."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.per_query < 2 or self.bins < 1:
            raise UsageError("--per-query is at least 2, --bins at least 1")
        if self.drop_above is not None and not 0 < self.drop_above <= 1:
            raise UsageError("--drop-above is a share of the source document's score, above 0 and at most 1")


@dataclass(frozen=True)
class Sample:
    """Which rows of the pool are taken."""

    rows: Integers
    """Ascending."""
    bins: Integers
    """int64 [pool]: the bin of every candidate, from 0."""
    above: Mask
    """bool [pool]: candidates that the rule `drop_above` would call false negatives, whether it is in force or not."""


def sample(  # noqa: PLR0917
    offsets: Integers, scores: Scores, is_source: Mask, lots: Lots, plan: SamplePlan, plausible: Scores | None = None
) -> Sample:
    """Draw at most `per_query` candidates of every query; the source document is always among them.

    Args:
        offsets: candidates of query q are rows offsets[q]:offsets[q + 1].
        scores: the teacher's, float64 [n].
        lots: a number for each candidate that decides draws, uint64 [n]; see `lots`.
        plausible: the scale from 0 to 1 on which `drop_above` is a share; default: `plausibility(scores)`.
    """
    scale = plausibility(scores) if plausible is None else plausible
    bins = bins_of(scores, offsets, plan)
    above = _above(offsets, scale, is_source, 0.95 if plan.drop_above is None else plan.drop_above)
    open_ = np.ones(len(scores), bool) if plan.drop_above is None else ~above
    chosen = [
        start + _of_query(slice(start, end), scores, bins, is_source, open_, lots, plan)
        for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]
    return Sample(np.sort(np.concatenate([np.empty(0, np.int64), *chosen])), bins, above)


def lots(queries: Digests, documents: Digests, seed: int) -> Lots:
    """A number for each pair that follows from its two texts and the seed alone, so that the order of a file, and what
    else is in the pool, decide nothing.

    Args:
        queries, documents: text digests, uint64 [n, 2], one row for each pair.
    """
    state = np.full(len(queries), np.uint64(seed & 0xFFFFFFFFFFFFFFFF))
    for words in (queries[:, 0], queries[:, 1], documents[:, 0], documents[:, 1]):
        state = _mixed(state ^ words.astype(np.uint64))
    return state


def bins_of(scores: Scores, offsets: Integers, plan: SamplePlan) -> Integers:
    """The bin of every score: equal widths between the smallest and the largest, over all scores or each query's."""
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
    """Scores on a scale from 0 to 1, on which a share of a score means something: as they are where all lie in it, else
    through the logistic function, which is what a cross-encoder's logits are made for."""
    exact = scores.astype(np.float64)
    if not len(exact) or (exact.min() >= 0 and exact.max() <= 1):
        return exact
    return 0.5 * (1 + np.tanh(exact / 2))


def counts_per_bin(bins: Integers, rows: Integers, number: int) -> dict[str, list[int]]:
    """How many candidates each bin has in the pool and in the sample."""
    return {
        "pool": np.bincount(bins, minlength=number).tolist(),
        "sample": np.bincount(bins[rows], minlength=number).tolist(),
    }


def _of_query(  # noqa: PLR0917
    rows: slice, scores: Scores, bins: Integers, is_source: Mask, open_: Mask, lots: Lots, plan: SamplePlan
) -> Integers:
    """Positions within the query, the source first."""
    source = np.flatnonzero(is_source[rows])
    others = np.flatnonzero(open_[rows] & ~is_source[rows])
    lot = lots[rows][others]
    if plan.strategy == "top":
        order = np.lexsort((lot, -scores[rows][others]))
    elif plan.strategy == "random":
        order = np.argsort(lot, kind="stable")
    else:
        order = _by_turns(bins[rows], source, others, lot, plan)
    return np.concatenate([source, others[order][: plan.per_query - len(source)]])


def _by_turns(bins: Integers, source: Integers, others: Integers, lot: Lots, plan: SamplePlan) -> Integers:
    """Every bin gives one candidate in each round; within a bin, and between the bins of a round, the lot decides. The
    source counts as the first of its bin."""
    by_bin = np.lexsort((lot, bins[others]))
    ordered = bins[others][by_bin]
    starts = np.searchsorted(ordered, ordered)
    given = np.bincount(bins[source], minlength=plan.bins)
    turn = np.empty(len(others), np.int64)
    turn[by_bin] = np.arange(len(others)) - starts + given[ordered]
    return np.lexsort((lot, turn))


def _above(offsets: Integers, scale: Scores, is_source: Mask, share: float) -> Mask:
    queries = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    own = np.full(len(offsets) - 1, np.inf)
    own[queries[is_source]] = scale[is_source] * share
    limit = own[queries]
    return (scale > limit) & ~is_source


def _mixed(state: Lots) -> Lots:
    """The finaliser of splitmix64: every bit of the input moves every bit of the output."""
    with np.errstate(over="ignore"):
        state = state + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return state ^ (state >> np.uint64(31))

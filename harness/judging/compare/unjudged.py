"""`harness compare --unjudged`: how far the labels of unjudged documents could move a difference in nDCG@k."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from adapters.errors import UsageError
from harness.judging.compare.comparison import canonical
from harness.judging.compare.selection import Chosen, StoredSelection, select
from harness.measuring.measures import parse
from harness.measuring.top_ranks import Rows, TopRanks, top_ranks
from harness.measuring.unjudged import Floats64, OpenLabels, bounds, measured
from harness.measuring.votes import shares
from harness.result.opening import stored_in
from harness.result.recall import Recalled, recall
from harness.result.select import ANY, Wanted
from harness.workspace import Workspace

ROUNDING = 1e-12
"""A bound this close to 0 is 0: sums over queries are not exact."""


@dataclass(frozen=True, eq=False)
class UnjudgedPart:
    """A baseline and a candidate on one collection. Differences are candidate - baseline, fractions."""

    baseline: Recalled
    candidate: Recalled
    measure: str
    weight: float
    """The weight of the collection in the macro average."""
    top: TopRanks

    @property
    def name(self) -> str:
        """The name of the collection."""
        return self.baseline.collection.name

    @cached_property
    def labels(self) -> OpenLabels:
        """What the bounds are computed from."""
        return self.top.open_labels()

    @cached_property
    def bounds(self) -> tuple[Floats64, Floats64]:
        """The smallest and the largest difference of each query, float64 [queries] twice."""
        return bounds(self.labels)

    @cached_property
    def measured(self) -> Floats64:
        """The difference of each query with the present judgments, float64 [queries]."""
        return measured(self.labels)

    @property
    def interval(self) -> tuple[float, float]:
        """The bounds of the mean: labels of different queries do not depend on each other."""
        low, high = self.bounds
        return float(low.mean()), float(high.mean())

    @property
    def unjudged(self) -> Rows:
        """The number of unjudged documents in either top k, int64 [queries]."""
        return self.labels.counts

    @property
    def gaps(self) -> Floats64:
        """How much the labels of each query can move the macro average, float64 [queries]."""
        low, high = self.bounds
        return (high - low) * (self.weight / len(low))

    def documents(self, query: int) -> Rows:
        """The unjudged documents of a query, as rows of the corpus: those that move the difference most come first."""
        rows = np.flatnonzero(self.top.unjudged & (self.top.queries == query))
        order = np.lexsort((self.top.documents[rows], -np.abs(self.top.steps[rows])))
        return self.top.documents[rows[order]]


@dataclass(frozen=True, order=True)
class ToJudge:
    """A query whose unjudged documents are to be judged."""

    part: int
    """The index of the collection."""
    query: int
    """The row of the query."""


@dataclass(frozen=True, eq=False)
class UnjudgedPair:
    """A baseline and a candidate on all their collections."""

    baseline: str
    candidate: str
    parts: tuple[UnjudgedPart, ...]

    @property
    def measured(self) -> float:
        """The measured difference, macro average: unjudged documents count as not relevant."""
        return float(sum(part.weight * part.measured.mean() for part in self.parts))

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The smallest and the largest difference over all labels: the weighted means of those of the collections."""
        ends = [np.array(part.interval) * part.weight for part in self.parts]
        low, high = np.sum(ends, axis=0).tolist()
        return low, high

    @property
    def settled(self) -> bool:
        """Whether the difference has the same sign under all labels."""
        return _is_settled(*self.interval)

    @property
    def unjudged(self) -> int:
        """The number of unjudged documents in the top k of all queries."""
        return sum(int(part.unjudged.sum()) for part in self.parts)

    @cached_property
    def order(self) -> tuple[ToJudge, ...]:
        """The queries in the order in which to judge: those whose labels can move the average most come first."""
        each = [(-part.gaps[query], ToJudge(at, query)) for at, part in enumerate(self.parts) for query in _open(part)]
        return tuple(one for _, one in sorted(each))

    @property
    def guaranteed(self) -> int:
        """How many judgments are certain to settle the sign: 0 if it is settled, otherwise all. Even then the
        difference can be exactly 0."""
        return 0 if self.settled else self.unjudged

    @cached_property
    def optimistic(self) -> int | None:
        """How many judgments, in the order of `order`, would settle the sign if all of them were "not relevant". None
        if the measured difference is 0, because no number would."""
        low, high = self.interval
        done = 0
        if _is_settled(low, high):
            return 0
        for one in self.order:
            part = self.parts[one.part]
            share = part.weight / len(part.measured)
            ends, size = part.bounds, int(part.unjudged[one.query])
            rest = [end - share * own[one.query] for end, own in zip((low, high), ends, strict=True)]
            low, high = (end + share * float(part.measured[one.query]) for end in rest)
            if _is_settled(low, high):
                return done + _within(part, one.query, rest, share)
            done += size
        return None


@dataclass(frozen=True, eq=False)
class Unjudged:
    """A baseline and each candidate, with the bounds of their differences."""

    pairs: tuple[UnjudgedPair, ...]
    notes: tuple[str, ...]
    """Lines about what was left out or chosen, and notes of the collections."""


def unjudged(
    workspace: Workspace, baseline: str, candidates: Sequence[str], measures: Sequence[str] = (), wanted: Wanted = ANY
) -> Unjudged:
    """Compare stored rankings over all labels of their unjudged documents.

    Args:
        workspace: it has the rankings.
        baseline, candidates: names of systems; see `harness.result.select`.
        measures: one nDCG@k. Default: the main measure of each collection.
        wanted: the evaluations to use. Default: all.

    Raises:
        UsageError: a name is wrong, or the measure is not nDCG@k.
        DataError: there is no common collection, or its stored texts or scores are missing.
    """
    named = [_ndcg(measure) for measure in measures]
    if len(named) > 1:
        raise UsageError(f"the bounds are of one measure, not of {len(named)}: {', '.join(named)}; name one")
    with stored_in(workspace.results) as results:
        selection = select(list(results.all()), baseline, candidates, wanted=wanted)
    pairs = tuple(_pair(workspace, selection, one, named) for one in selection.candidates)
    about = [note for one in selection.baseline.members[0] for note in one.collection.notes]
    return Unjudged(pairs, tuple(dict.fromkeys([*about, *selection.notes])))


def _pair(workspace: Workspace, selection: StoredSelection, candidate: Chosen, named: Sequence[str]) -> UnjudgedPair:
    both = list(zip(selection.baseline.members[0], candidate.members[0], strict=True))
    weights = shares([one.collection.group for one, _ in both])
    parts = []
    for (one, other), weight in zip(both, weights.tolist(), strict=True):
        measure = named[0] if named else _ndcg(one.collection.rules.main_measure, one.collection.name)
        parts.append(part_of(recall(workspace, one.id), recall(workspace, other.id), measure, weight))
    return UnjudgedPair(selection.baseline.label, candidate.label, tuple(parts))


def part_of(baseline: Recalled, candidate: Recalled, measure: str, weight: float = 1.0) -> UnjudgedPart:
    """Join the rankings of two evaluations of one collection.

    Args:
        measure: an nDCG@k.
        weight: of the collection in the macro average.
    """
    cutoff = parse(measure).cutoff or 0
    top = top_ranks(baseline.run, candidate.run, baseline.collection.qrels, cutoff)
    return UnjudgedPart(baseline, candidate, measure, weight, top)


def _ndcg(measure: str, collection: str = "") -> str:
    name = canonical(measure)
    if name.startswith("nDCG@"):
        return name
    what = f"{name} is the main measure of {collection}" if collection else f"not {name}"
    raise UsageError(f"--unjudged has exact bounds for nDCG@k only, {what}; add --measure nDCG@10")


def _open(part: UnjudgedPart) -> Iterator[int]:
    yield from np.flatnonzero(part.unjudged).tolist()


def _is_settled(low: float, high: float) -> bool:
    return low > ROUNDING or high < -ROUNDING


def _within(part: UnjudgedPart, query: int, rest: Sequence[float], share: float) -> int:
    """How many judgments of the query whose last one settles the sign are needed for that."""
    documents = part.documents(query)
    for done in range(1, len(documents)):
        low, high = bounds(_judged_as_zero(part, query, documents[:done]))
        if _is_settled(rest[0] + share * float(low[0]), rest[1] + share * float(high[0])):
            return done
    return len(documents)


def _judged_as_zero(part: UnjudgedPart, query: int, documents: Rows) -> OpenLabels:
    """The labels of one query that are open if some of its documents were judged as not relevant."""
    top, all_of = part.top, part.labels
    rows = np.flatnonzero(top.unjudged & (top.queries == query) & ~np.isin(top.documents, documents))
    steps = -np.sort(-top.steps[rows])[None]
    one = slice(query, query + 1)
    return replace(
        all_of, known=all_of.known[one], judged=all_of.judged[one], steps=steps, counts=np.array([len(rows)])
    )

"""Finds the queries that explain the difference: groups with one label or two, the best explanation first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.judging.why.facing import Floats64, Indices
from harness.judging.why.labels import Bools, QueryLabel

_LEAST = 3
_LEAST_SHARE = 0.005
"""A group and the other queries each need three queries and half a percent of all queries."""
_ALPHA = 0.05
_LEVELS = 2
"""Groups of one label and groups of two share the probability of a false alarm."""
_NOTHING = 1e-12
_Z = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Group:
    """The queries with one label or two, compared with all others. Values are fractions; deltas are B minus A."""

    labels: tuple[int, ...]
    """Indices in the list of labels."""
    also: tuple[int, ...]
    """Other labels of exactly the same queries."""
    queries: int
    mean: float
    """Mean delta of the group, with the weights of the macro average."""
    interval: tuple[float, float]
    """95 % interval, normal approximation; (NaN, NaN) with fewer than two queries."""
    rest: float
    """Mean delta of all other queries."""
    contribution: float
    """What the group adds to the macro delta: its weight times its mean. With that of the rest it sums to the delta."""
    score: float
    """How much better two means, of the group and of the rest, describe the deltas than one: N ln(SSE0 / SSE1), minus
    2 ln(number of groups tried) as a penalty (Foster & George 1994, the risk inflation criterion)."""
    stands_out: bool
    """Whether the contrast to the rest is significant, p < .05 after Bonferroni over all groups tried."""
    outcome: bool
    """Whether a label follows from A's own result. Such groups come last and are not used as the explanation."""


@dataclass(frozen=True, eq=False)
class _Measured:
    """The deltas and the weights of all queries."""

    deltas: Floats64
    weights: Floats64

    @property
    def mean(self) -> float:
        return float(self.weights @ self.deltas)

    @property
    def effective(self) -> float:
        """Kish's effective number of queries. Unequal weights reduce it."""
        return 1 / float(self.weights @ self.weights)

    @property
    def spread(self) -> float:
        return float(self.weights @ (self.deltas - self.mean) ** 2)


@dataclass(frozen=True, eq=False)
class _Tried:
    """Groups with the same number of labels, and their statistics."""

    places: Indices
    """int64 [groups, labels]."""
    queries: Floats64
    weight: Floats64
    mean: Floats64
    rest: Floats64
    fit: Floats64
    """N ln(SSE0 / SSE1); -1 for a group that is too small."""
    tries: int
    """The number of groups that were tried, including those that are not kept."""


def groups(
    labels: Sequence[QueryLabel], deltas: Floats64, weights: Floats64, direction: float, most: int = 40
) -> list[Group]:
    """Order the groups by how well they explain the difference.

    A group explains the difference if its mean lies further in the direction of the whole delta than the mean of the
    rest. The other groups follow, with those that depend on A's own result last. Two labels form a group only if they
    describe the deltas better than each label alone.

    Args:
        labels: labels whose `queries` are aligned with `deltas`.
        weights: the weight of each query in the macro average, summing to 1.
        direction: the sign of the whole delta; 0 if it could be chance, so that any contrast may come first.
        most: the largest number of groups of two labels. Default: 40.
    """
    if not labels or len(deltas) < 2 * _LEAST:
        return []
    measured = _Measured(deltas, weights)
    table = np.array([label.queries for label in labels], np.float64)
    rows = (np.ones(len(deltas)), weights, weights * deltas)
    single = _tried(np.arange(len(table))[:, None], [table @ row for row in rows], measured)
    double = _doubles([(table * row) @ table.T for row in rows], labels, single, measured)
    found = [*_kept(single, labels, measured), *_kept(double, labels, measured)[:most]]
    return sorted(_distinct(found, labels), key=lambda group: _order(group, direction))


def _doubles(sums: Sequence[Floats64], labels: Sequence[QueryLabel], single: _Tried, measured: _Measured) -> _Tried:
    """Return the pairs of labels that describe the deltas better than each label alone."""
    pairs = zip(*np.triu_indices(len(labels), 1), strict=True)
    places = np.array([(i, j) for i, j in pairs if _combine(labels[int(i)], labels[int(j)])], np.int64).reshape(-1, 2)
    first, second = places.T
    tried = _tried(places, [found[first, second] for found in sums], measured)
    same = (tried.queries[:, None] == single.queries[places]).any(axis=1)
    better = tried.fit > single.fit[places].max(axis=1) + 2 * math.log(len(labels))
    # Equal sets are kept: "in Thai" and "in Thai, truncated" may be the same queries, and the second explains why.
    better |= same & _mechanism(places, labels)
    columns = {key: column[better] for key, column in vars(tried).items() if key != "tries"}
    return replace(tried, **columns)


def _combine(one: QueryLabel, other: QueryLabel) -> bool:
    return one.dimension != other.dimension and not (one.outcome or other.outcome)


def _mechanism(places: Indices, labels: Sequence[QueryLabel]) -> Bools:
    """Whether exactly one of the two labels says that something was cut."""
    cuts = np.array([label.truncation for label in labels], bool)
    return np.asarray(cuts[places].sum(axis=1) == 1)


def _tried(places: Indices, sums: Sequence[Floats64], measured: _Measured) -> _Tried:
    """Return the statistics of groups. `sums` are the sums of 1, of the weights and of the weighted deltas over the
    queries of each group."""
    queries, weight, summed = sums
    rest_weight = 1 - weight
    mean = np.divide(summed, weight, out=np.zeros_like(summed), where=weight > _NOTHING)
    rest = np.divide(measured.mean - summed, rest_weight, out=np.zeros_like(summed), where=rest_weight > _NOTHING)
    spread = max(measured.spread, _NOTHING)
    explained = np.clip(weight * rest_weight * (mean - rest) ** 2 / spread, 0, 1 - 1e-9)
    least = max(_LEAST, _LEAST_SHARE * len(measured.deltas))
    enough = np.minimum(queries, len(measured.deltas) - queries) >= least
    fit = np.where(enough, -measured.effective * np.log1p(-explained), -1.0)
    return _Tried(places, queries, weight, mean, rest, fit, max(int(enough.sum()), 1))


def _kept(tried: _Tried, labels: Sequence[QueryLabel], measured: _Measured) -> list[Group]:
    best = np.argsort(-tried.fit, kind="stable")
    return [_group(tried, int(row), labels, measured) for row in best if tried.fit[row] >= 0]


def _group(tried: _Tried, row: int, labels: Sequence[QueryLabel], measured: _Measured) -> Group:
    places = tuple(int(place) for place in tried.places[row])
    fit, mean = float(tried.fit[row]), float(tried.mean[row])
    return Group(
        labels=places,
        also=(),
        queries=int(tried.queries[row]),
        mean=mean,
        interval=_interval(_members(places, labels), mean, measured),
        rest=float(tried.rest[row]),
        contribution=float(tried.weight[row]) * mean,
        score=fit - 2 * math.log(tried.tries),
        stands_out=math.erfc(math.sqrt(fit / 2)) * _LEVELS * tried.tries < _ALPHA,
        outcome=any(labels[place].outcome for place in places),
    )


def _members(places: Sequence[int], labels: Sequence[QueryLabel]) -> Bools:
    members: Bools = np.all([labels[place].queries for place in places], axis=0)
    return members


def _interval(members: Bools, mean: float, measured: _Measured) -> tuple[float, float]:
    inside, own = measured.deltas[members], measured.weights[members]
    if len(inside) < 2:
        return float("nan"), float("nan")
    error = math.sqrt(float(own**2 @ (inside - mean) ** 2) * len(inside) / (len(inside) - 1)) / float(own.sum())
    return mean - _Z * error, mean + _Z * error


def _distinct(found: Sequence[Group], labels: Sequence[QueryLabel]) -> list[Group]:
    """Return one group for every set of queries: the description that names a mechanism, else the shortest."""
    same: dict[bytes, list[Group]] = {}
    for group in found:
        same.setdefault(np.packbits(_members(group.labels, labels)).tobytes(), []).append(group)
    return [_merged(alike, labels) for alike in same.values()]


def _merged(alike: Sequence[Group], labels: Sequence[QueryLabel]) -> Group:
    def preference(group: Group) -> tuple[bool, bool, int, tuple[int, ...]]:
        telling = len(group.labels) == 2 and sum(labels[place].truncation for place in group.labels) == 1
        return group.outcome, not telling, len(group.labels), group.labels

    best = min(alike, key=preference)
    others = {place for group in alike if len(group.labels) == 1 for place in group.labels} - {*best.labels}
    return replace(best, also=tuple(sorted(others)), score=max(group.score for group in alike))


def _order(group: Group, direction: float) -> tuple[bool, bool, float, float]:
    against = direction * (group.mean - group.rest) < 0
    # A group and its complement have the same score; the one that changed more comes first.
    return group.outcome, against, -round(group.score, 6), -abs(group.mean)

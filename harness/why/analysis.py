"""The whole answer as one value: two systems over all collections that both were measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.statistics.intervals import stratified_interval
from harness.summary import votes
from harness.why.difference import Difference, difference
from harness.why.facing import Facing, Floats64
from harness.why.groups import Group, groups
from harness.why.headroom import Headroom, headroom, joined
from harness.why.labels import Label, labels

_SAME = 1e-12
"""Deltas below it are rounding."""


@dataclass(frozen=True, eq=False)
class Why:
    """A against B. Arrays of queries stand collection by collection; fractions; deltas are B minus A."""

    facings: tuple[Facing, ...]
    differences: tuple[Difference, ...]
    weights: Floats64
    """What each query weighs: an equal vote per collection, shared within a group. Sums to 1."""
    interval: tuple[float, float]
    """95 % stratified bootstrap interval of the delta; (nan, nan) where a collection has fewer than two queries."""
    headroom_a: Headroom
    headroom_b: Headroom
    labels: tuple[Label, ...]
    groups: tuple[Group, ...]

    @cached_property
    def deltas(self) -> Floats64:
        """float64 [queries]; exactly 0 where only rounding differs."""
        deltas = np.concatenate([one.deltas for one in self.differences])
        return np.where(abs(deltas) < _SAME, 0.0, deltas)

    @property
    def delta(self) -> float:
        """The macro delta."""
        return float(self.weights @ self.deltas)

    @property
    def decided(self) -> bool:
        """Whether the interval leaves out zero."""
        return bool(self.interval[0] > 0 or self.interval[1] < 0)

    @property
    def measures(self) -> tuple[str, ...]:
        """Each measure once."""
        return tuple(dict.fromkeys(str(one.measure) for one in self.facings))


def why(facings: Sequence[Facing], resamples: int = 10_000) -> Why:
    """Analyse two systems.

    Args:
        facings: one per collection, at least one.
        resamples: of the bootstrap.
    """
    differences = [difference(one) for one in facings]
    strata = [one.deltas for one in differences]
    shares = votes([one.collection for one in facings])
    weights = np.concatenate([np.full(len(one), share / len(one)) for one, share in zip(strata, shares, strict=True)])
    interval = stratified_interval(strata, shares, resamples=resamples)
    deltas = np.concatenate(strata)
    direction = float(np.sign(weights @ deltas)) if interval[0] > 0 or interval[1] < 0 else 0.0
    found = labels(facings, differences)
    a, b = (joined([headroom(one.sides[side], one.judged[side], one.measure) for one in facings]) for side in (0, 1))
    return Why(
        facings=tuple(facings),
        differences=tuple(differences),
        weights=weights,
        interval=interval,
        headroom_a=a,
        headroom_b=b,
        labels=tuple(found),
        groups=tuple(groups(found, deltas, weights, direction)),
    )

"""The whole explanation as one value: two systems over all collections that both were measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.judging.why.difference import QueryDifference, difference
from harness.judging.why.facing import Floats64, PairedTexts
from harness.judging.why.groups import Group, groups
from harness.judging.why.headroom import Headroom, headroom, joined
from harness.judging.why.labels import QueryLabel, labels
from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Design
from harness.measuring.statistics.difference import Difference as Tested
from harness.measuring.statistics.difference import difference as tested
from harness.measuring.votes import shares

_SAME = 1e-12
"""Smaller deltas are rounding."""


@dataclass(frozen=True, eq=False)
class Why:
    """A compared with B. Arrays of queries are ordered by collection. Values are fractions; deltas are B minus A."""

    facings: tuple[PairedTexts, ...]
    differences: tuple[QueryDifference, ...]
    weights: Floats64
    """The weight of each query: an equal vote per collection, shared within a group. They sum to 1."""
    tested: Tested
    """The macro delta with its test over questions and its interval, without correction."""
    questions: int
    """The number of distinct questions. A question in several languages is one."""
    headroom_a: Headroom
    headroom_b: Headroom
    labels: tuple[QueryLabel, ...]
    groups: tuple[Group, ...]

    @cached_property
    def deltas(self) -> Floats64:
        """float64 [queries]; exactly 0 if the difference is only rounding."""
        deltas = np.concatenate([one.deltas for one in self.differences])
        return np.where(abs(deltas) < _SAME, 0.0, deltas)

    @property
    def delta(self) -> float:
        """The macro delta."""
        return float(self.weights @ self.deltas)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the delta; (NaN, NaN) with fewer than 6 questions."""
        return self.tested.interval

    @property
    def decided(self) -> bool:
        """Whether the difference is significant. Then the interval excludes zero."""
        return self.tested.significant

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures, each once."""
        return tuple(dict.fromkeys(str(one.measure) for one in self.facings))


def why(facings: Sequence[PairedTexts]) -> Why:
    """Analyse two systems.

    Args:
        facings: the two systems on each collection, at least one.
    """
    differences = [difference(one) for one in facings]
    each = [one.deltas for one in differences]
    collections = [one.collection for one in facings]
    design = Design(tuple(map(questions_of, collections)), shares([one.group for one in collections]))
    sizes = list(map(len, each))
    weights = np.repeat(design.weights / sizes, sizes)
    whole = tested(design, each)
    deltas = np.concatenate(each)
    direction = float(np.sign(whole.value)) if whole.significant else 0.0
    found = labels(facings, differences)
    a, b = (joined([headroom(one.sides[side], one.judged[side], one.measure) for one in facings]) for side in (0, 1))
    return Why(
        facings=tuple(facings),
        differences=tuple(differences),
        weights=weights,
        tested=whole,
        questions=design.questions,
        headroom_a=a,
        headroom_b=b,
        labels=tuple(found),
        groups=tuple(groups(found, deltas, weights, direction)),
    )

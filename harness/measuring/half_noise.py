"""The noise floor of a number in half precision: what the batches alone change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class HalfNoise:
    """The differences between scorings of the same pairs in three batch plans: that of the run, one by one, and
    shuffled."""

    queries: int
    pairs: int
    """The number of pairs that were scored again: the best candidates of these queries."""
    largest: float
    """The largest absolute difference of a score."""
    typical: float
    """The mean absolute difference of a score."""
    turned: float
    """The share of pairs of candidates of a query whose order changes."""
    effects: Mapping[str, float] = field(default_factory=dict)
    """The largest absolute difference of the mean over these queries, a fraction, by measure."""

    def after(self, before: HalfNoise | None) -> HalfNoise:
        """Return this noise with the measures of an earlier evaluation of the same content."""
        return self if before is None else replace(self, effects={**before.effects, **self.effects})

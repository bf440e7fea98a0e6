"""The queries of each step: an epoch is cut into batches of queries whose inputs have about the same length.

Random batches of real pairs spend more on padding than on tokens. Here queries are shuffled, sorted by length within
windows of many batches, and the batches are shuffled again. Within a step the pairs go through the model in calls of
equal length (`adapters.batching.plan_batches`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batches:
    """How an epoch is cut into steps. Equal values give equal steps, whatever was trained before."""

    own: int
    """Examples 0..own-1 are trained on once per epoch."""
    replayed: int = 0
    """Examples own..own+replayed-1 are general data that an epoch draws from."""
    share: float = 0.0
    """The share of an epoch that is replayed, 0 <= share < 1."""
    queries: int = 8
    """Queries per step."""
    window: int = 50
    """Batches whose queries are sorted by length together; 1 makes batches random."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise UsageError(f"a replay share of {self.share} is not possible; take 0 or more, and less than 1")
        if self.queries < 1 or self.window < 1:
            raise UsageError("a step needs at least 1 query, and a window at least 1 batch")

    @property
    def drawn(self) -> int:
        """The number of replayed examples in an epoch, such that they are `share` of it."""
        return round(self.own * self.share / (1 - self.share)) if self.replayed else 0

    @property
    def per_epoch(self) -> int:
        """Steps per epoch; the last step may be smaller."""
        return -(-(self.own + self.drawn) // self.queries)

    def epoch(self, number: int, lengths: Rows) -> list[Rows]:
        """The examples of each step.

        Args:
            number: the number of the epoch, from 0.
            lengths: the mean number of input tokens of each example, own examples first, then replayed ones.
        """
        rng = np.random.default_rng((self.seed, number))
        members = rng.permutation(np.concatenate([np.arange(self.own), self._replay(rng)]))
        size = self.queries * self.window
        ordered = [_sorted(members[start : start + size], lengths) for start in range(0, len(members), size)]
        flat = np.concatenate([np.empty(0, np.int64), *ordered])
        steps = [flat[start : start + self.queries] for start in range(0, len(flat), self.queries)]
        return [steps[place] for place in rng.permutation(len(steps))]

    def _replay(self, rng: np.random.Generator) -> Rows:
        rounds = -(-self.drawn // self.replayed) if self.replayed else 0
        drawn = [rng.permutation(self.replayed) for _ in range(rounds)]
        return np.concatenate([np.empty(0, np.int64), *drawn]).astype(np.int64)[: self.drawn] + self.own


def _sorted(members: Rows, lengths: Rows) -> Rows:
    return members[np.argsort(lengths[members], kind="stable")]

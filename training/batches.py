"""The queries of each step: an epoch is cut into batches of queries whose inputs have about the same length.

Random batches of real pairs spend more on padding than on tokens. Here queries are shuffled, sorted by length within
windows of many batches, and the batches are shuffled again. Within a step the pairs go through the model in calls of
equal length (`adapters.batching.plan_batches`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import overload

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError

Rows = npt.NDArray[np.int64]


Lengths = Callable[[Rows], Rows]
"""The mean number of input tokens of some examples."""


class Steps(Sequence[Rows]):
    """The examples of each step, which are found when they are asked for."""

    @overload
    def __getitem__(self, step: int) -> Rows: ...
    @overload
    def __getitem__(self, step: slice) -> list[Rows]: ...
    def __getitem__(self, step: int | slice) -> Rows | list[Rows]:
        """The examples of a step, or of several."""
        return [self.at(one) for one in range(*step.indices(len(self)))] if isinstance(step, slice) else self.at(step)

    @abstractmethod
    def at(self, step: int) -> Rows:
        """The examples of a step."""


@dataclass(frozen=True)
class Epoch(Steps):
    """The examples of each step of an epoch. Only the window of a step that is asked for is sorted, so only its
    examples have to be tokenised."""

    members: Rows
    """All examples of the epoch, shuffled."""
    order: Rows
    """The place of each step's batch among all batches."""
    queries: int
    window: int
    lengths: Lengths

    def __len__(self) -> int:
        return len(self.order)

    def at(self, step: int) -> Rows:
        """The examples of a step."""
        window, place = divmod(int(self.order[step]), self.window)
        size = self.queries * self.window
        members = self.members[window * size : (window + 1) * size]
        ordered = members[np.argsort(self.lengths(members), kind="stable")]
        return ordered[place * self.queries : (place + 1) * self.queries]


@dataclass(frozen=True)
class StepPlan(Steps):
    """The examples of each step of a run over several epochs."""

    batches: Batches
    steps: int
    lengths: Lengths

    def __len__(self) -> int:
        return self.steps

    def at(self, step: int) -> Rows:
        """The examples of a step."""
        if not 0 <= step < self.steps:
            raise IndexError(step)
        epoch, place = divmod(step, self.batches.per_epoch)
        return self._epochs(epoch)[place]

    @cached_property
    def _epochs(self) -> Callable[[int], Epoch]:
        return lru_cache(1)(lambda number: self.batches.epoch(number, self.lengths))


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
    mixed: tuple[tuple[int, int], ...] = ()
    """For own examples from several sources: the size of each, and how many an epoch draws of it, `own` in all.
    Default: every example once."""
    replay_mixed: tuple[tuple[int, int], ...] = ()
    """The same for replayed examples. Only the proportions of the draws count. Default: all are equally likely."""

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
    def replay_counts(self) -> list[int]:
        """The replayed examples of each part of a mixture in an epoch, `drawn` in all."""
        return apportioned(self.drawn, [drawn for _, drawn in self.replay_mixed])

    @property
    def per_epoch(self) -> int:
        """Steps per epoch; the last step may be smaller."""
        return -(-(self.own + self.drawn) // self.queries)

    def epoch(self, number: int, lengths: Lengths) -> Epoch:
        """The examples of each step.

        Args:
            number: the number of the epoch, from 0.
            lengths: see `Epoch`; own examples are first, then replayed ones.
        """
        rng = np.random.default_rng((self.seed, number))
        members = rng.permutation(np.concatenate([self._own(rng), self._replay(rng)]))
        return Epoch(members, rng.permutation(self.per_epoch), self.queries, self.window, lengths)

    def _own(self, rng: np.random.Generator) -> Rows:
        return _of_parts(rng, self.mixed) if self.mixed else np.arange(self.own)

    def _replay(self, rng: np.random.Generator) -> Rows:
        if not self.replay_mixed:
            return _drawn(rng, self.replayed, self.drawn) + self.own
        sizes = [size for size, _ in self.replay_mixed]
        return _of_parts(rng, tuple(zip(sizes, self.replay_counts, strict=True))) + self.own


def _of_parts(rng: np.random.Generator, parts: Sequence[tuple[int, int]]) -> Rows:
    """Places of examples that are drawn from parts that follow each other."""
    starts = np.cumsum([0, *(size for size, _ in parts)])
    return np.concatenate([start + _drawn(rng, *part) for start, part in zip(starts, parts, strict=False)])


def apportioned(total: int, shares: Sequence[float]) -> list[int]:
    """A number divided in proportion to shares, with the largest remainders rounded up."""
    if not any(shares):
        return [0] * len(shares)
    exact = np.array(shares, np.float64) / sum(shares) * total
    whole = np.floor(exact).astype(int)
    left = total - int(whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[:left]] += 1
    return [int(one) for one in whole]


def _drawn(rng: np.random.Generator, size: int, count: int) -> Rows:
    """Places below `size`, drawn without replacement until all were drawn, then again."""
    rounds = -(-count // size) if size else 0
    drawn = [rng.permutation(size) for _ in range(rounds)]
    return np.concatenate([np.empty(0, np.int64), *drawn]).astype(np.int64)[:count]

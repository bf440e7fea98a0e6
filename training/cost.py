"""The cost of a training run before it starts: steps and tokens are counted, and a few steps are timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from adapters.batching import plan_batches
from training.encoded import Encoded, Rows, Stream
from training.rows import RowFacts
from training.stepping import Step

_TIMED = 3
_MOST, _SAMPLED = 2000, 100
"""Steps up to which all are counted, and the steps that are counted of more."""


@dataclass(frozen=True)
class TrainingCost:
    """The cost of a whole training run."""

    examples: int
    pairs: int
    """Pairs of the files, each counted once."""
    steps: int
    tokens: int
    """Tokens of all inputs over all steps, without padding."""
    padding: float
    """Padding tokens as a share of `tokens`."""
    truncated: float
    """The share of the steps' pairs whose document is truncated."""
    seconds: float
    """Estimated from the time per token of the timed steps; 0 without steps."""
    counted_steps: int = 0
    """The steps whose tokens were counted. Where these are fewer than `steps`, tokens, padding and cut documents are
    estimated from them."""

    def as_dict(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    def __str__(self) -> str:
        about = "" if self.counted_steps == self.steps else f"(estimated from {self.counted_steps}) "
        return (
            f"{self.examples} examples, {self.pairs} pairs ({self.truncated:.1%} of the documents cut); "
            f"{self.steps} steps, {about}{self.tokens} tokens + {self.padding:.1%} padding; "
            f"about {self.seconds:.0f} s on this machine"
        )


def cost_of(data: Stream, plan: Sequence[Rows], facts: RowFacts, budget: int, step: Step) -> TrainingCost:
    """Count all steps, or some of a long plan, and time a few of medium length. The timed steps change the weights; do
    not use them afterwards.

    Raises:
        ModelError: the loss of a timed step is not finite.
    """
    counted = _places(len(plan))
    found = [_counted(data.read(plan[place]), budget) for place in counted]
    sums = np.array(found, np.int64).reshape(-1, len(_Counts._fields)).sum(axis=0)
    whole = _Counts(*sums.tolist())
    medium = np.argsort([one.tokens for one in found], kind="stable")[len(found) // 2 :][: _TIMED + 1]
    timed = [data.read(plan[counted[place]]) for place in medium.tolist()]
    tokens = round(whole.tokens * len(plan) / len(counted)) if counted else 0
    return TrainingCost(
        examples=facts.examples,
        pairs=facts.pairs,
        steps=len(plan),
        tokens=tokens,
        padding=whole.padded / whole.tokens - 1 if tokens else 0.0,
        truncated=whole.cut / whole.pairs if counted else 0.0,
        seconds=_seconds_per_token(timed, step) * tokens,
        counted_steps=len(counted),
    )


class _Counts(NamedTuple):
    """Of a step, or of several."""

    tokens: int
    padded: int
    pairs: int
    cut: int


def _places(steps: int) -> list[int]:
    """The steps that are counted: all, or `_SAMPLED` at equal distances of a long plan."""
    if steps <= _MOST:
        return list(range(steps))
    return [int(place) for place in np.linspace(0, steps - 1, _SAMPLED)]


def _counted(data: Encoded, budget: int) -> _Counts:
    lengths, pairs = data.pairs.lengths, data.pairs
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in plan_batches(lengths, budget=budget))
    return _Counts(int(lengths.sum()), padded, len(lengths), int((pairs.kept < pairs.tokens).sum()))


def _seconds_per_token(timed: Sequence[Encoded], step: Step) -> float:
    if not timed:
        return 0.0
    step(0, timed[0])  # the first one is slower than the others
    measured = timed[1:] or timed
    start = time.perf_counter()
    for data in measured:
        step(0, data)
    return (time.perf_counter() - start) / sum(int(data.pairs.lengths.sum()) for data in measured)

"""The cost of a training run before it starts: steps and tokens are counted, and a few steps are timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from adapters.batching import plan_batches
from training.encoded import Encoded, Rows
from training.stepping import Step

_TIMED = 3


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
    """The share of pairs whose document was truncated."""
    seconds: float
    """Estimated from the time per token of the timed steps; 0 without steps."""

    def as_dict(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.examples} examples, {self.pairs} pairs ({self.truncated:.1%} of the documents cut); "
            f"{self.steps} steps, {self.tokens} tokens + {self.padding:.1%} padding; "
            f"about {self.seconds:.0f} s on this machine"
        )


def cost_of(data: Encoded, steps: Sequence[Rows], budget: int, step: Step) -> TrainingCost:
    """Count all steps and time a few of medium length. The timed steps change the weights; do not use them afterwards.

    Raises:
        ModelError: the loss of a timed step is not finite.
    """
    useful = np.array([int(data.pairs.lengths[data.rows(examples)].sum()) for examples in steps], np.int64)
    padded = sum(_padded(data, examples, budget) for examples in steps)
    timed = np.argsort(useful, kind="stable")[len(steps) // 2 :][: _TIMED + 1]
    tokens = int(useful.sum())
    return TrainingCost(
        examples=len(data.sizes),
        pairs=len(data.scores),
        steps=len(steps),
        tokens=tokens,
        padding=padded / tokens - 1 if tokens else 0.0,
        truncated=float((data.pairs.kept < data.pairs.tokens).mean()),
        seconds=_seconds_per_token(steps, timed.tolist(), useful, step) * tokens,
    )


def _seconds_per_token(steps: Sequence[Rows], timed: Sequence[int], useful: Rows, step: Step) -> float:
    if not timed:
        return 0.0
    step(0, steps[timed[0]])  # the first one is slower than the others
    measured = timed[1:] or timed
    start = time.perf_counter()
    for place in measured:
        step(0, steps[place])
    return (time.perf_counter() - start) / int(useful[list(measured)].sum())


def _padded(data: Encoded, examples: Rows, budget: int) -> int:
    lengths = data.pairs.lengths[data.rows(examples)]
    return sum(len(batch) * int(lengths[batch].max()) for batch in plan_batches(lengths, budget=budget))

"""The scores of a step and the gradient through them: at once, or in parts that are in memory one after the other.

Most losses are no sum over parts of a step: a pairwise loss is a mean over queries that have pairs, others compare all
pairs of the step. So in parts, all pairs are scored without a graph first, the loss is computed over all scores, and
each part is then scored again with its graph and receives the gradient of its scores (GradCache; Gao et al. 2021, arXiv
2101.06983). The gradient is that of the whole step for every loss, up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adapters.batching import ModelInputs
from adapters.errors import need
from adapters.protocols import Integers
from training.student import Student

if TYPE_CHECKING:
    from torch import Tensor

_APART = 433_494_437
"""The distance between the seeds of two parts, so that they draw different dropout."""


@dataclass(frozen=True)
class Scoring:
    """The pairs of one step."""

    student: Student
    pairs: ModelInputs
    rows: Integers
    parts: Sequence[Integers]
    """Positions in `rows`; together every position once."""
    seed: int

    def scores(self) -> Tensor:
        """The scores of all rows, float32 [rows]. They have a graph if there is one part."""
        if len(self.parts) == 1:
            return self._part(0)
        torch = need("torch", "models", "training")
        with torch.no_grad():
            found = torch.cat([self._part(number) for number in range(len(self.parts))])
        back = torch.from_numpy(np.argsort(np.concatenate(self.parts), kind="stable"))
        scores: Tensor = found[back.to(self.student.device)]
        return scores

    def backward(self, scores: Tensor, gradient: Tensor) -> None:
        """Add the gradient of the parameters.

        Args:
            scores: what `scores` returned.
            gradient: the gradient of the loss with respect to them, [rows].
        """
        torch = need("torch", "models", "training")
        if len(self.parts) == 1:
            torch.autograd.backward(scores, gradient)
            return
        for number, part in enumerate(self.parts):
            torch.autograd.backward(self._part(number), gradient[torch.from_numpy(part).to(gradient.device)])

    def _part(self, number: int) -> Tensor:
        """The scores of one part. Each call draws the same dropout."""
        need("torch", "models", "training").manual_seed(self.seed + number * _APART)
        return self.student.scores(self.pairs, self.rows[self.parts[number]])


def scoring_of(student: Student, pairs: ModelInputs, rows: Integers, seed: int) -> Scoring:
    """The pairs of a step, in as many parts as the student's machine wants, with about the same number of tokens.

    Args:
        seed: decides the dropout.
    """
    return Scoring(student, pairs, rows, parts_of(pairs.lengths[rows], student.parts), seed)


def parts_of(lengths: Integers, parts: int) -> list[Integers]:
    """Positions in parts of about the same number of tokens, longest pairs first. A part has at least one pair, so
    there may be fewer parts."""
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    if parts == 1 or len(order) < 2:
        return [np.arange(len(order), dtype=np.int64)]
    ends = np.cumsum(lengths[order], dtype=np.int64)
    of_part = np.minimum((ends - lengths[order]) * parts // ends[-1], parts - 1)
    return [order[of_part == number] for number in np.unique(of_part)]

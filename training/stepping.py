"""One training step: the scores of a batch of queries, the loss, its gradient, and the update of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.errors import ModelError, need
from training.by_source import BySource
from training.encoded import Encoded
from training.ranks import ALONE, Ranks
from training.scoring import scoring_of
from training.settings import Settings
from training.student import Student

if TYPE_CHECKING:
    from torch.optim import Optimizer

Step = Callable[[int, Encoded], dict[str, float | None]]
"""Takes the number of the step and its examples; returns its row of the history."""
_SEEDS_APART = 1_000_003


class Diverged(ModelError):
    """The loss, its gradient or a weight is not finite. `reason` says at which step, and what to try."""

    def __init__(self, step: int, what: str, value: float) -> None:
        way = "lower the learning rate (--lr), or check the teacher's scores and the scale of the loss"
        self.reason = f"step {step}: the {what} is {value}; {way}"
        super().__init__(f"{self.reason}; no checkpoint was written")


def optimizer_of(student: Student, settings: Settings) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101); biases and norms do not decay."""
    torch = need("torch", "models", "training")
    trained = list(student.trained.values())
    groups = [
        {"params": [one for one in trained if one.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer: Optimizer = torch.optim.AdamW([group for group in groups if group["params"]], lr=settings.learning_rate)
    return optimizer


def stepper(
    student: Student, optimizer: Optimizer, settings: Settings, total: int, *, ranks: Ranks = ALONE,
    by_source: BySource | None = None,
) -> Step:  # fmt: skip
    """The step function of a run of `total` steps. Dropout depends only on the number of the step, the part and the
    rank, so a run that continues after a kill makes the same steps.

    Args:
        by_source: adds the loss of each source to the row of the history.

    Raises:
        Diverged: by the step function, if the loss or its gradient is not finite. The weights are not updated.
    """
    torch = need("torch", "models", "training")
    parameters = list(student.trained.values())

    def step(number: int, data: Encoded) -> dict[str, float | None]:
        rows = np.arange(len(data.scores))
        teacher = torch.from_numpy(data.scores[rows]).to(student.device)
        share = ranks.share(data.pairs.lengths[rows])
        seed = settings.seed * _SEEDS_APART + number + ranks.seed_offset
        scoring = scoring_of(student, data.pairs, rows[share], seed)
        own = scoring.scores()
        scores = ranks.together(own, share, len(rows))
        loss = settings.loss(scores, teacher, data.sizes.tolist())
        value = float(loss.detach())
        _refuse_nonfinite(number, "loss", value)
        torch.autograd.backward(loss)
        if len(share) and scores.grad is not None:
            scoring.backward(own, scores.grad[torch.from_numpy(share).to(student.device)])
        ranks.sum_gradients(parameters)
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.clip))
        _refuse_nonfinite(number, "gradient", norm)
        _update(optimizer, settings.rate(number, total))
        spread = float(scores.detach().std(correction=0))
        sources = by_source.losses(settings.loss, scores, teacher, data) if by_source else {}
        return {"step": number + 1, "loss": value, "gradient": norm, "score_std": spread, **sources}

    return step


def check_weights(student: Student, step: int) -> None:
    """Refuse a student whose last steps made it useless, which its loss before them does not show.

    Raises:
        Diverged: a trained weight is not finite.
    """
    largest = (float(one.detach().abs().max()) for one in student.trained.values() if one.numel())
    if step and (wrong := [one for one in largest if not math.isfinite(one)]):
        raise Diverged(step, "largest weight", wrong[0])


def _update(optimizer: Any, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _refuse_nonfinite(number: int, what: str, value: float) -> None:
    if not math.isfinite(value):
        raise Diverged(number + 1, what, value)

"""Which step of a run with a dev evaluation is kept, and when the run stops. Pure functions of the history: a run that
continues after a kill decides the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from harness.result.secrets import public_values
from training.state import History

DEV = "dev"
"""The key of the history with the measure on dev; None for a checkpoint that could not be measured."""


class Evaluator(Protocol):
    """Measures checkpoints while they are trained; `training.dev.Dev`."""

    @property
    def every(self) -> int:
        """The number of steps between two evaluations."""
        ...

    @property
    def patience(self) -> int | None:
        """The number of evaluations in a row without a better one after which the run stops; None for no limit."""
        ...

    def describe(self) -> Mapping[str, object]:
        """Everything that decides which step is kept."""
        ...

    def value(self, checkpoint: Path) -> float:
        """The measure of a checkpoint; the higher, the better.

        Raises:
            ModelError: the checkpoint cannot be measured.
        """
        ...


def is_due(step: int, steps: int, every: int) -> bool:
    """Whether a step is evaluated: the start, every so often, and the last one."""
    return step % every == 0 or step == steps


def looks_in(history: History) -> list[tuple[int, float | None]]:
    """The evaluated steps and their values."""
    return [(int(row["step"] or 0), row[DEV]) for row in history if DEV in row]


def best_step(history: History) -> int | None:
    """The first of the steps with the highest value; None if no step could be measured."""
    values = [(value, -step) for step, value in looks_in(history) if value is not None]
    return -max(values)[1] if values else None


def is_stopped(history: History, patience: int | None) -> bool:
    """Whether the last `patience` evaluations were no better than one before them."""
    if patience is None:
        return False
    best, looks = best_step(history), looks_in(history)
    return sum(step > (-1 if best is None else best) for step, _ in looks) >= patience


def summary(history: History, evaluator: Evaluator, steps: int) -> dict[str, Any]:
    """The entry of the manifest.

    Args:
        steps: the steps that the run would have without a stop.
    """
    looks, best, made = looks_in(history), best_step(history), int(history[-1]["step"] or 0) if history else 0
    values = dict(looks)
    return {
        **public_values(evaluator.describe()),
        "looks": len(looks),
        "start": values.get(0),
        "best": None if best is None else values[best],
        "best_step": best,
        "made_steps": made,
        "stopped_early": made < steps,
    }

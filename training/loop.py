"""The steps of one training run, from where an earlier process left off to the written checkpoint."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.errors import ModelError
from harness.numbers import points
from harness.progress import Reporter
from training import watched
from training.batches import StepPlan
from training.encoded import Encoded, Stream, one_ahead
from training.fitted import adopt, write
from training.logs import Log
from training.ranks import Ranks
from training.settings import Machine
from training.state import Progress, load_state, save_state
from training.stepping import Step
from training.student import Student
from training.watched import DEV, Evaluator

if TYPE_CHECKING:
    from torch.optim import Optimizer


@dataclass
class Loop:
    """A training run on this machine."""

    run: str
    """The identity of the run."""
    about: Mapping[str, Any]
    """The entries of the manifest about the job."""
    out: Path
    student: Student
    optimizer: Optimizer
    data: Stream
    plan: StepPlan
    step: Step
    machine: Machine
    reporter: Reporter
    ranks: Ranks
    log: Log
    dev: Evaluator | None = None

    def train(self) -> None:
        """Make the steps that are left, and write the checkpoint. The state is removed at the end."""
        progress = load_state(state_folder(self.out), self.run, self.student.trained, self.optimizer)
        self._saved = time.monotonic()
        with self.reporter.stage(f"training {self.out.name}", len(self.plan)) as advance:
            advance(progress.step)
            self._begin(progress)
            read = (self.data.read(self.plan[step]) for step in range(progress.step, len(self.plan)))
            for examples in one_ahead(read):
                if self._is_stopped(progress):
                    break
                progress = self._next(progress, examples)
                advance(1)
        if self.ranks.is_first:
            self._write(progress)
            forget_state(self.out)

    def _begin(self, progress: Progress) -> None:
        """Evaluate the start of a run, once."""
        if self.dev and not progress.history:
            progress.history.append({"step": 0})
            self._look(progress)
            self.log.step(0, progress.history[-1])

    def _next(self, progress: Progress, examples: Encoded) -> Progress:
        progress.history.append({**self.step(progress.step, examples)})
        progress = Progress(progress.step + 1, progress.history)
        due = self.dev is not None and watched.is_due(progress.step, len(self.plan), self.dev.every)
        if self.ranks.is_first and self._is_kept(progress.step) and not due:
            self._checkpoint(progress)
        if due:
            self._look(progress)
        elif self.ranks.is_first and time.monotonic() - self._saved >= self.machine.resume_seconds:
            self._save(progress)
        self.log.step(progress.step, progress.history[-1])
        return progress

    def _look(self, progress: Progress) -> None:
        """Evaluate this step and save the state, so that no evaluation is lost by a kill. Only then are checkpoints
        removed that are not the best."""
        value = self._measured(progress) if self.ranks.is_first else None
        value = self.ranks.from_first(math.nan if value is None else value)
        progress.history[-1][DEV] = None if math.isnan(value) else value
        if self.ranks.is_first:
            self._save(progress)
            best = watched.best_step(progress.history)
            for step, _ in watched.looks_in(progress.history):
                if step != best and not self._is_kept(step):
                    shutil.rmtree(self._folder(step), ignore_errors=True)

    def _measured(self, progress: Progress) -> float | None:
        assert self.dev is not None
        try:
            value = self.dev.value(self._checkpoint(progress))
            self.reporter.note(f"step {progress.step}: {points(value, 1)} on dev")
            return value
        except ModelError as error:
            self.reporter.note(f"step {progress.step} cannot be measured on dev: {error}")
            return None

    def _is_stopped(self, progress: Progress) -> bool:
        return self.dev is not None and watched.is_stopped(progress.history, self.dev.patience)

    def _write(self, progress: Progress) -> None:
        best = watched.best_step(progress.history) if self.dev else None
        about = dict(self.about)
        if self.dev:
            about["dev"] = watched.summary(progress.history, self.dev, len(self.plan))
        if best is None or best == progress.step:
            write(self.out, about, self.student, progress)
        else:
            adopt(self._folder(best), self.out, about, self.student, progress, kept=best)
        for step, _ in watched.looks_in(progress.history):
            if not self._is_kept(step):
                shutil.rmtree(self._folder(step), ignore_errors=True)

    def _checkpoint(self, progress: Progress) -> Path:
        folder = self._folder(progress.step)
        write(folder, self.about, self.student, progress)
        return folder

    def _save(self, progress: Progress) -> None:
        save_state(state_folder(self.out), self.run, progress, self.student.trained, self.optimizer)
        self._saved = time.monotonic()

    def _is_kept(self, step: int) -> bool:
        """Whether the user wants the checkpoint of a step."""
        return bool(self.machine.save_every) and step > 0 and step % (self.machine.save_every or 1) == 0

    def _folder(self, step: int) -> Path:
        return steps_folder(self.out) / f"step-{step:06d}"


def forget_state(out: Path) -> None:
    """Remove the state from which a killed run would continue; saved checkpoints stay."""
    shutil.rmtree(state_folder(out), ignore_errors=True)
    with suppress(OSError):
        steps_folder(out).rmdir()  # where no checkpoints are kept it is empty


def state_folder(out: Path) -> Path:
    """The folder with the state from which a killed run continues."""
    return steps_folder(out) / ".state"


def steps_folder(out: Path) -> Path:
    """The folder with the state and the checkpoints of a run."""
    return out.with_name(f"{out.name}.steps")

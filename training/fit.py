"""Stage 1 and adaptation: a base, labelled examples and a loss become a checkpoint that the harness can judge."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.models import ModelFolder, open_folder
from harness.progress import Reporter, Silent
from harness.workspace import new_folder, replace_folder
from training.batches import Batches
from training.cost import Cost, cost_of
from training.encoded import Encoded, Rows, encode
from training.examples import Examples
from training.losses import check_targets
from training.settings import Machine, Settings
from training.state import Progress, load_state, save_state
from training.stepping import optimizer_of, stepper
from training.student import Student, load_student, write_model

MANIFEST = "manifest.json"
_VERSION = 1
_NOTHING = Examples(())


@dataclass(frozen=True)
class Job:
    """What is trained on what. Equal jobs have equal identities, and on one machine equal results."""

    base: ModelFolder
    examples: Examples
    replay: Examples
    settings: Settings

    def describe(self) -> dict[str, object]:
        """Everything that decides the result."""
        return {
            "version": _VERSION,
            "base": self.base.identity(),
            "examples": self.examples.digest,
            "replay": self.replay.digest if len(self.replay) else None,
            "settings": self.settings.describe(),
        }

    @property
    def batches(self) -> Batches:
        """How its epochs are cut."""
        one = self.settings
        own, replayed = len(self.examples), len(self.replay)
        return Batches(own, replayed, one.replay_share if replayed else 0.0, one.queries, one.window, one.seed)

    @property
    def steps(self) -> int:
        """Of the whole run."""
        whole = self.batches.per_epoch * self.settings.epochs
        return whole if self.settings.max_steps is None else min(whole, self.settings.max_steps)

    def plan(self, data: Encoded) -> list[Rows]:
        """The examples of every step."""
        lengths, steps = data.mean_lengths, self.steps
        epochs = -(-steps // self.batches.per_epoch)
        return [rows for number in range(epochs) for rows in self.batches.epoch(number, lengths)][:steps]


def job(base: str, examples: Examples, settings: Settings, replay: Examples | None = None) -> Job:
    """Find the base and check that the loss takes the labels.

    Raises:
        ModelError: there is no such base.
        DataError: the loss cannot take the labels.
    """
    found = Job(open_folder(base), examples, replay or _NOTHING, settings)
    for part in (found.examples, found.replay):
        if len(part):
            check_targets(settings.loss, part)
    return found


def cost(work: Job, machine: Machine | None = None) -> Cost:
    """What `fit` would cost. Some steps are made on a model that is thrown away."""
    machine = machine or Machine()
    student, data = _prepared(work, machine)
    step = stepper(student, data, optimizer_of(student, work.settings), work.settings, work.steps)
    return cost_of(data, work.plan(data), student.budget, step)


def fit(work: Job, out: Path, machine: Machine | None = None, reporter: Reporter | None = None) -> Mapping[str, Any]:
    """Train, and write a folder that the cross-encoder adapter loads, its manifest last.

    A killed run goes on where it was, to the same weights. Kept checkpoints are in `OUT.steps/step-N`. A run that is
    finished already is not made again.

    Returns:
        The manifest.

    Raises:
        UsageError: `out` holds something else.
        ModelError: the base cannot be trained, or the loss is not finite; nothing finished is written.
        OSError: the disk is full; nothing finished is written.
    """
    machine, reporter = machine or Machine(), reporter or Silent()
    run = digest(work.describe())
    if (done := _finished(out, run)) is not None:
        reporter.note(f"{out}: trained already")
        return done
    beside = out.with_name(f"{out.name}.steps")
    student, data = _prepared(work, machine)
    optimizer = optimizer_of(student, work.settings)
    progress = load_state(beside / ".state", run, student.trained, optimizer)
    saved = time.monotonic()
    step = stepper(student, data, optimizer, work.settings, work.steps)
    with reporter.stage(f"training {out.name}", work.steps) as advance:
        advance(progress.step)
        for number, examples in list(enumerate(work.plan(data)))[progress.step :]:
            progress.history.append(step(number, examples))
            progress = Progress(number + 1, progress.history)
            if machine.save_every and progress.step % machine.save_every == 0:
                _write(beside / f"step-{progress.step:06d}", work, student, progress)
            if time.monotonic() - saved >= machine.resume_seconds:
                save_state(beside / ".state", run, progress, student.trained, optimizer)
                saved = time.monotonic()
            advance(1)
    manifest = _write(out, work, student, progress)
    shutil.rmtree(beside / ".state", ignore_errors=True)
    with suppress(OSError):
        beside.rmdir()  # where no checkpoints are kept it is empty
    return manifest


def _prepared(work: Job, machine: Machine) -> tuple[Student, Encoded]:
    student = load_student(work.base, work.settings, machine)
    return student, encode([*work.examples.rows, *work.replay.rows], student.encoder)


def _finished(out: Path, run: str) -> Mapping[str, Any] | None:
    if not out.exists():
        return None
    with suppress(OSError, ValueError, KeyError, TypeError):
        manifest: dict[str, Any] = json.loads((out / MANIFEST).read_text("utf-8"))
        if manifest["run"] == run:
            return manifest
    raise UsageError(f"{out} exists and is not this training run; name another --out, or remove it")


def _write(folder: Path, work: Job, student: Student, progress: Progress) -> Mapping[str, Any]:
    with new_folder(folder) as unfinished:
        write_model(student, unfinished)
        history = "".join(f"{json.dumps(row)}\n" for row in progress.history)
        (unfinished / "history.jsonl").write_text(history, "utf-8")
        manifest = _manifest(work, student, progress, ModelFolder(folder.name, unfinished))
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), "utf-8")
        replace_folder(unfinished, folder)
    return manifest


def _manifest(work: Job, student: Student, progress: Progress, model: ModelFolder) -> dict[str, Any]:
    described = work.describe()
    losses = [row["loss"] for row in progress.history]
    tenth = max(1, len(losses) // 10)
    return {
        "made_by": "harness train fit",
        "run": digest(described),
        "base": {"name": work.base.name, **work.base.identity()},
        "examples": work.examples.counts(),
        "replay": work.replay.counts() | {"share": work.batches.share} if len(work.replay) else None,
        "settings": work.settings.describe(),
        "max_length": student.encoder.max_length,
        "bfloat16": student.half,
        "new_tensors": list(student.grown),
        "trained_parameters": sum(parameter.numel() for parameter in student.trained.values()),
        "steps": progress.step,
        "of_steps": work.steps,
        "loss": {"first": _mean(losses[:tenth]), "last": _mean(losses[-tenth:])},
        "score_std": {end: progress.history[at]["score_std"] for end, at in (("first", 0), ("last", -1)) if losses},
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "safetensors")},
        "weights": model.identity()["weights"],
    }


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None

"""Train checkpoints, check them and report. A checkpoint whose training diverged is refused, and the run continues."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from adapters.errors import HarnessError
from adapters.identity import digest
from adapters.typed_file import read_json
from harness.numbers import points
from harness.progress import Reporter
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import EventState, Stage
from training import fit as fitting
from training.adapting.integrity import check
from training.adapting.watching import Finished, Watch, watched
from training.job import write_json
from training.loop import forget_state
from training.settings import Machine
from training.stepping import Diverged


@dataclass(frozen=True)
class Making:
    """Makes the checkpoints of a run."""

    reporter: Reporter
    machine: Machine
    watch: Watch

    def fit(self, work: fitting.Job, one: ArmRecord, stage: Stage) -> ArmRecord:
        """Train a checkpoint, if that is not done yet. If its training diverged, it is refused with the reason.

        A divergence is recorded in a file next to the checkpoint's folder, so that the training is not repeated.
        """
        begun, path, run = monotonic(), Path(one.path), digest(work.describe())
        path.parent.mkdir(parents=True, exist_ok=True)
        reason = _recorded(path, run)
        if reason is None:
            try:
                self._fit(work, path, stage)
            except Diverged as error:
                reason = error.reason
                write_json(_refusal(path), {"run": run, "refused": reason})
        if reason is None:
            return one
        forget_state(path)
        self.watch(Finished(stage, one.name, "refused", monotonic() - begun, reason))
        return replace(one, refused=(reason,))

    def checked(self, before: ArmRecord, one: ArmRecord) -> ArmRecord:
        """Check a checkpoint against the one that its training started from. If it is broken, it is refused with the
        reasons."""
        if one.refused:
            return one
        begun = monotonic()
        checkpoint = check(before, one)
        detail = "; ".join(checkpoint.refused) or f"sound compared with {before.name}"
        state: EventState = "refused" if checkpoint.refused else "pass"
        self.watch(Finished("integrity", one.name, state, monotonic() - begun, detail))
        return checkpoint

    def _fit(self, work: fitting.Job, path: Path, stage: Stage) -> None:
        watched(
            self.watch, stage, path.name, path, lambda: fitting.fit(work, path, self.machine, self.reporter),
            _outcome,
        )  # fmt: skip


def _outcome(made: Mapping[str, Any]) -> str:
    """The steps of a training, and which one was kept on dev."""
    dev = made.get("dev")
    if dev is None:
        return f"{made['steps']:,} steps"
    stopped = ", stopped early" if dev["stopped_early"] else ""
    if dev["best_step"] == 0 and dev["made_steps"]:
        at = f"no step was better on dev than the start: {points(dev['start'], 1)}"
        return f"{dev['made_steps']:,} steps{stopped}; kept the start, of {dev['looks']} evaluated; {at}"
    best = "no step could be measured" if dev["best"] is None else f"{points(dev['best'], 1)} on dev"
    return f"{dev['made_steps']:,} steps{stopped}; kept step {made['steps']:,} of {dev['looks']} evaluated: {best}"


@dataclass(frozen=True)
class _Refused:
    """The record of a training that diverged."""

    run: str
    refused: str
    """The reason."""


def _refusal(path: Path) -> Path:
    return path.with_name(f"{path.name}.refused.json")


def _recorded(path: Path, run: str) -> str | None:
    """The recorded reason why this training was refused; None if there is none or the file cannot be read."""
    with suppress(HarnessError):
        known = read_json(_refusal(path), _Refused)
        return known.refused if known.run == run else None
    return None

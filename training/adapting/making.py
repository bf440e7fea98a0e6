"""Trains checkpoints and checks them, and tells of it. One whose training diverged is refused, and the others go on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from adapters.errors import HarnessError
from adapters.identity import digest
from adapters.typed_file import read_json
from harness.progress import Reporter
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import EventState, Stage
from training import fit as fitting
from training.adapting.integrity import check
from training.adapting.watching import Finished, Watch, watched
from training.job import write_json
from training.settings import Machine
from training.stepping import Diverged


@dataclass(frozen=True)
class Making:
    """How the checkpoints of a run are made."""

    reporter: Reporter
    machine: Machine
    watch: Watch

    def fit(self, work: fitting.Job, one: ArmRecord, stage: Stage) -> ArmRecord:
        """Train, where that is not done; the checkpoint, with the reason if its training diverged.

        That is written down beside the folder that never came to be, so a training that diverges does so once.
        """
        begun, path, run = monotonic(), Path(one.path), digest(work.describe())
        path.parent.mkdir(parents=True, exist_ok=True)
        reason = _written(path, run)
        if reason is None:
            try:
                self._fit(work, path, stage)
            except Diverged as error:
                reason = error.reason
                write_json(_refusal(path), {"run": run, "refused": reason})
        if reason is None:
            return one
        fitting.forget_state(path)
        self.watch(Finished(stage, one.name, "refused", monotonic() - begun, reason))
        return replace(one, refused=(reason,))

    def checked(self, before: ArmRecord, one: ArmRecord) -> ArmRecord:
        """The checkpoint, held against the one that its training started from, with the reasons of a refusal."""
        if one.refused:
            return one
        begun = monotonic()
        found = check(before, one)
        told = "; ".join(found.refused) or f"sound beside {before.name}"
        state: EventState = "refused" if found.refused else "pass"
        self.watch(Finished("integrity", one.name, state, monotonic() - begun, told))
        return found

    def _fit(self, work: fitting.Job, path: Path, stage: Stage) -> None:
        watched(
            self.watch, stage, path.name, path, lambda: fitting.fit(work, path, self.machine, self.reporter),
            lambda made: f"{made['steps']:,} steps",
        )  # fmt: skip


@dataclass(frozen=True)
class _Refused:
    """What is kept of a training that was refused."""

    run: str
    refused: str
    """Why."""


def _refusal(path: Path) -> Path:
    return path.with_name(f"{path.name}.refused.json")


def _written(path: Path, run: str) -> str | None:
    """Why this very training was refused before; None if it was not, or the file cannot be read."""
    with suppress(HarnessError):
        known = read_json(_refusal(path), _Refused)
        return known.refused if known.run == run else None
    return None

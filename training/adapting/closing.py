"""How a run ends: the accepted model in its place, what a reader has to know, the manifest last."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from adapters.contents import Contents
from adapters.errors import HarnessError
from adapters.models import open_folder
from harness.result.adaptation.record import AdaptationRecord, ArmRecord
from harness.result.adaptation.vocabulary import FIRST_STAGE, State, Tier
from harness.result.adaptation.writing import write_record
from harness.workspace import Workspace, new_folder, replace_folder
from training.adapting.claims import merging
from training.job import finish

STAGE = "adapt"
MODEL = "model"
EXIT: Mapping[State, int] = {"accepted": 0, "refused": 1, "invalid": 3, "inconclusive": 4}
"""What the command line returns."""


class Ended(Exception):
    """The run is over without an accepted checkpoint."""

    def __init__(self, state: State, reasons: Sequence[str]) -> None:
        super().__init__(*reasons)
        self.state, self.reasons = state, tuple(reasons)


def keep_model(accepted: ArmRecord, out: Path) -> None:
    """Copy the accepted folder: `out/model` appears when it is whole.

    Raises:
        OSError: the disk is full; there is no such folder then.
    """
    with new_folder(out / MODEL) as unfinished:
        shutil.copytree(open_folder(accepted.path).path, unfinished, dirs_exist_ok=True)
        replace_folder(unfinished, out / MODEL)


def beside(
    record: AdaptationRecord, *, accepted: str | None, general: bool, anchor: str, left_out: Sequence[str] = ()
) -> list[str]:
    """What a reader has to know beside the verdict.

    Args:
        accepted: the arm that is accepted, if one is.
        general: whether there was a stage 1.
        anchor: what was odd about the anchor.
        left_out: which queries are no part of a tier.
    """
    lines = [f"{one.name} was refused: {one.refused[0]}" for one in record.arms if one.refused]
    if record.claims:
        arm = merging(record.claims)
        lines.append(
            f"merging helped: {arm} is ahead of the union and of the linear soup on the final split"
            if arm
            else "merging is not claimed: no merged arm is ahead of both the union and the linear soup"
        )
    if not general:
        lines.append("stage 1 is the base: no general data was given")
    lines += [*_blocked(record), *left_out, *_behind_first_stage(record, accepted)]
    return [*lines, anchor] if anchor else lines


def _blocked(record: AdaptationRecord) -> Iterator[str]:
    """Queries that a validation would not use. They were trained on all the same: the gate decides."""
    told = {one.name: one.detail for one in record.timeline if one.stage == "validate"}
    for one in record.tasks:
        if one.validated == "blocked":
            reason = told.get(one.name, "").partition(": ")[2]
            yield f"the queries of {one.name} are blocked by their validation, which stops nothing here: {reason}"


def _behind_first_stage(record: AdaptationRecord, accepted: str | None) -> Iterator[str]:
    """Better than its base may still be worse than no reranking, and a teacher that is so cannot lift a student."""
    asked: list[tuple[str, Tier]] = [(one, "dev") for one in record.teacher_arms]
    if accepted is not None:
        asked.append((accepted, "final"))
    for name, tier in asked:
        own, first = record.value(name, tier), record.value(FIRST_STAGE, tier)
        if own is not None and first is not None and own < first:
            yield f"{name} is behind its first stage on {tier} ({100 * own:.1f} to {100 * first:.1f})"


def publish(record: AdaptationRecord, workspace: Workspace) -> None:
    """Keep the record where `harness report` looks for adaptations."""
    workspace.adaptations.mkdir(exist_ok=True)
    write_record(record, workspace.adaptations / f"{record.run}.json")


def write_manifest(record: AdaptationRecord, out: Path, job: Mapping[str, object]) -> None:
    """Counts, identities, rejections, versions: its existence means that the run is over."""
    finish(out, STAGE, {
        **job, "run": record.run, "state": record.state, "accepted": record.accepted, "reasons": record.reasons,
        "counts": {"arms": len(record.arms), "looks": len(record.looks)},
        "tasks": [asdict(one) for one in record.tasks],
        "rejected": {one.name: one.refused for one in record.arms if one.refused},
        "models": {one.name: {"path": one.path, **_identity(one)} for one in record.arms},
    })  # fmt: skip


def _identity(one: ArmRecord) -> Mapping[str, object]:
    if one.refused and one.kind != "given" and not Path(one.path).is_dir():
        return {}  # it diverged; its relative path may look like the name of a model on the hub
    try:
        return Contents(open_folder(one.path)).identity()
    except (HarnessError, OSError):  # a refused one may not be readable at all
        return {}

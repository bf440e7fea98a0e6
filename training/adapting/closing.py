"""The end of a run: the accepted model, remarks for the reader, and the manifest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from adapters.contents import Contents
from adapters.errors import HarnessError
from adapters.models import open_folder
from harness.numbers import points
from harness.result.adaptation.record import AdaptationRecord, ArmRecord
from harness.result.adaptation.vocabulary import FIRST_STAGE, MERGED, State, Tier
from harness.result.adaptation.writing import write_record
from harness.workspace import Workspace, new_folder, replace_folder
from training.adapting.claims import merging
from training.adapting.dense import LETTERS_ONLY
from training.job import finish

STAGE = "adapt"
MODEL = "model"
DESPITE = "write better queries, or set synthesis.despite_validation = true"
EXIT: Mapping[State, int] = {"accepted": 0, "refused": 1, "invalid": 3, "inconclusive": 4}
"""The exit code of the command line."""


class Ended(Exception):
    """The run ended without an accepted checkpoint."""

    def __init__(self, state: State, reasons: Sequence[str]) -> None:
        super().__init__(*reasons)
        self.state, self.reasons = state, tuple(reasons)


def keep_model(accepted: ArmRecord, out: Path) -> None:
    """Copy the accepted checkpoint to `out/model`, which appears when it is complete.

    Raises:
        OSError: the disk is full; `out/model` is not made.
    """
    with new_folder(out / MODEL) as unfinished:
        shutil.copytree(open_folder(accepted.path).path, unfinished, dirs_exist_ok=True)
        replace_folder(unfinished, out / MODEL)


def remarks_of(
    record: AdaptationRecord, *, accepted: str | None, general: bool, anchor: str, left_out: Sequence[str] = (),
    bags: float = 0.0,
) -> list[str]:  # fmt: skip
    """Remarks for the reader that are shown with the verdict.

    Args:
        accepted: the accepted arm; None if there is none.
        general: whether there was general data for stage 1.
        anchor: a remark about the anchor, or ''.
        left_out: remarks about queries that were left out of a tier.
        bags: the sum of the shares of the bags.
    """
    lines = [f"{one.name} was refused: {one.refused[0]}" for one in record.arms if one.refused]
    lines += [
        f"{one.name} is {one.twin}, so it is no merge"
        for one in record.arms
        if one.kind in MERGED and one.twin is not None and not record.arm(one.twin).parts
    ]
    if record.claims:
        lines.append(_about_merging(record))
    if round(bags, 2) > 1 and record.of_kind("bag"):
        lines.append(f"the bags together had {bags:.3g} times the union's budget of steps")
    if not general:
        lines.append("stage 1 is the base: no general data was given")
    lines += [
        f"it is unknown which queries {one.name} was trained on: no manifest, or one that cannot be compared"
        for one in record.arms
        if one.queries_known is False and not one.refused
    ]
    if any(one.leaks_by == LETTERS_ONLY for one in record.tasks):
        lines.append(
            "evaluation queries were searched in the training queries by letters only, so paraphrases may have stayed; "
            "name a retriever that makes vectors"
        )
    lines += [*_blocked(record), *left_out, *_behind_first_stage(record, accepted)]
    return [*lines, anchor] if anchor else lines


def _about_merging(record: AdaptationRecord) -> str:
    if arm := merging(record.claims):
        return f"merging helped: {arm} is ahead of the union and of every linear soup on the final split"
    if not any(one.is_merge for one in record.arms if one.kind in MERGED):
        return "merging is not claimed: no arm is a merge"
    return "merging is not claimed: no merged arm is ahead of the union and of every linear soup"


def _blocked(record: AdaptationRecord) -> Iterator[str]:
    """Tasks whose queries are blocked by their validation: left out, or trained on because the user says so."""
    details = {one.name: one.detail for one in record.timeline if one.stage == "validate"}
    for one in record.tasks:
        if one.validated == "blocked":
            reason = details.get(one.name, "").partition(": ")[2]
            what = "and were left out" if one.left_out else "but were used here"
            yield f"the queries of {one.name} are blocked by their validation, {what}: {reason}"


def _behind_first_stage(record: AdaptationRecord, accepted: str | None) -> Iterator[str]:
    """Teachers and accepted arms that are worse than no reranking."""
    checked: list[tuple[str, Tier]] = [(one, "dev") for one in record.teacher_arms]
    if accepted is not None:
        checked.append((accepted, "final"))
    for name, tier in checked:
        value, first = record.value(name, tier), record.value(FIRST_STAGE, tier)
        if value is not None and first is not None and value < first:
            yield f"{name} is behind its first stage on {tier} ({points(value, 1)} against {points(first, 1)})"


def publish(record: AdaptationRecord, workspace: Workspace) -> None:
    """Write the record to the workspace, where `harness report` finds it."""
    workspace.adaptations.mkdir(exist_ok=True)
    write_record(record, workspace.adaptations / f"{record.run}.json")


def write_manifest(record: AdaptationRecord, out: Path, job: Mapping[str, object]) -> None:
    """Write counts, identities, rejections and versions. The manifest exists only if the run is over."""
    finish(out, STAGE, {
        **job, "run": record.run, "state": record.state, "accepted": record.accepted, "reasons": record.reasons,
        "counts": {"arms": len(record.arms), "looks": len(record.looks)},
        "tasks": [asdict(one) for one in record.tasks],
        "rejected": {one.name: one.refused for one in record.arms if one.refused},
        "models": {one.name: {"path": one.path, **_identity(one)} for one in record.arms},
    })  # fmt: skip


def _identity(one: ArmRecord) -> Mapping[str, object]:
    if one.refused and one.kind != "given" and not Path(one.path).is_dir():
        return {}  # the training diverged; a relative path may look like the name of a model on the hub
    try:
        return Contents(open_folder(one.path)).identity()
    except (HarnessError, OSError):  # a refused checkpoint may not be readable
        return {}

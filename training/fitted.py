"""A trained checkpoint as a folder: the model, its history, and the manifest, which is written last."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from adapters.adapted import KEY
from adapters.contents import Contents
from adapters.errors import HarnessError, UsageError
from adapters.identity import digest
from adapters.models import ModelFolder
from adapters.typed_file import read_json
from harness.result.secrets import public_values
from harness.workspace import new_folder, replace_folder
from training.card import FILE, card
from training.job import difference, write_json
from training.state import Progress
from training.stepping import check_weights
from training.student import Student, write_model

MANIFEST = "manifest.json"
MADE_BY = "harness train fit"


def finished(out: Path, described: Mapping[str, Any], adapted_on: Iterable[str] = ()) -> dict[str, Any] | None:
    """The manifest of a finished run; None if the folder does not exist. Corpora that the manifest does not name yet
    are added to it.

    Args:
        described: everything that decides the result; see `training.fit.Job.describe`.

    Raises:
        UsageError: the folder is not this run.
    """
    if not out.exists():
        return None
    manifest: dict[str, Any] = {}
    with suppress(HarnessError):
        manifest = read_json(out / MANIFEST, dict)
    if manifest.get("run") != digest(described):
        what = _difference(manifest, described)
        raise UsageError(f"{out} exists and is not this training run ({what}); name another --out, or remove it")
    known = manifest.get(KEY, [])
    if set(adapted_on) - set(known):
        manifest[KEY] = sorted({*known, *adapted_on})
        write_json(out / MANIFEST, manifest)
    return manifest


def _difference(manifest: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    """What another training has otherwise, in words."""
    base, examples, settings = (manifest.get(name) for name in ("base", "examples", "settings"))
    if not (isinstance(base, dict) and isinstance(examples, dict) and isinstance(settings, dict)):
        return f"it has no {MANIFEST} of train fit"
    there = {"base": base.get("weights"), "examples": examples.get("digest"), "settings": public_values(settings)}
    here = {
        "base": described["base"]["weights"], "examples": described["examples"],
        "settings": public_values(described["settings"]),
    }  # fmt: skip
    return difference(there, here)


def write(folder: Path, about: Mapping[str, Any], student: Student, progress: Progress) -> None:
    """Write a checkpoint. The folder appears when it is complete.

    Args:
        about: the entries of the manifest about the job.

    Raises:
        Diverged: a weight is not finite.
        OSError: the disk is full.
    """
    check_weights(student, progress.step)
    with new_folder(folder) as unfinished:
        write_model(student, unfinished)
        _finish(unfinished, folder, about, student, progress, kept=progress.step)


def adopt(
    checkpoint: Path, folder: Path, about: Mapping[str, Any], student: Student, progress: Progress, *, kept: int
) -> None:
    """Write the checkpoint of an earlier step as the result of a run, with the history of the whole run.

    Args:
        checkpoint: what `write` wrote after step `kept`.

    Raises:
        OSError: the disk is full.
    """
    with new_folder(folder) as unfinished:
        shutil.copytree(checkpoint, unfinished, dirs_exist_ok=True)
        _finish(unfinished, folder, about, student, progress, kept=kept)


def _finish(
    unfinished: Path, folder: Path, about: Mapping[str, Any], student: Student, progress: Progress, *, kept: int
) -> None:
    """Write history, card and manifest next to a model, and let the folder appear."""
    history = "".join(f"{json.dumps(row)}\n" for row in progress.history)
    (unfinished / "history.jsonl").write_text(history, "utf-8")
    manifest = _manifest(about, student, progress, kept, ModelFolder(folder.name, unfinished))
    (unfinished / FILE).write_text(card(folder.name, manifest, student.folder), "utf-8")
    (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), "utf-8")
    replace_folder(unfinished, folder)


def _manifest(
    about: Mapping[str, Any], student: Student, progress: Progress, kept: int, model: ModelFolder
) -> dict[str, Any]:
    rows = [row for row in progress.history if 0 < (row["step"] or 0) <= kept]
    losses = [float(row["loss"] or 0.0) for row in rows]
    tenth = max(1, len(losses) // 10)
    return {
        "made_by": MADE_BY,
        **about,
        "model": dict(student.scorer.about),
        "max_length": student.encoder.max_length,
        "bfloat16": student.half,
        "new_tensors": list(student.scorer.grown),
        "trained_parameters": sum(parameter.numel() for parameter in student.trained.values()),
        "steps": kept,
        "loss": {"first": _mean(losses[:tenth]), "last": _mean(losses[-tenth:])},
        "score_std": {end: rows[at]["score_std"] for end, at in (("first", 0), ("last", -1)) if rows},
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "safetensors")},
        "weights": Contents(model).identity()["weights"],
    }


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None

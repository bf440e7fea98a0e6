"""A stage of training as a folder: its identity is written first, its manifest last."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from adapters.errors import DataError, UsageError, class_of
from adapters.identity import digest
from adapters.typed_file import read_json
from harness.result.secrets import public_values
from harness.workspace import write_atomically

MANIFEST = "manifest.json"
JOB = "job.json"


def begin(out: Path, stage: str, about: Mapping[str, object]) -> dict[str, Any] | None:
    """Make the folder of a stage, or continue in it. Return the manifest if the stage is finished already.

    Raises:
        UsageError: the folder holds another job, or cannot be made.
    """
    job = {"stage": stage, "id": digest({"stage": stage, **about})}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise class_of(error, UsageError)(f"--out {out}: no folder can be made there ({error.strerror})") from None
    if (out / JOB).exists():
        if _json(out / JOB) != job:
            raise UsageError(
                f"{out} holds another job (other texts, models or settings); name an empty folder with --out"
            )
    elif any(out.iterdir()):
        raise UsageError(f"{out} is not empty and holds no job of this stage; name an empty folder with --out")
    else:
        write_json(out / JOB, job)
    return read_manifest(out, stage) if (out / MANIFEST).exists() else None


def finish(out: Path, stage: str, content: Mapping[str, object]) -> dict[str, Any]:
    """Write the manifest. Its existence means that everything else is complete."""
    manifest = {"stage": stage, **public_values(content), "versions": _versions()}
    write_json(out / MANIFEST, manifest)
    return read_manifest(out, stage)  # as a second call returns it


def read_manifest(folder: Path, stage: str) -> dict[str, Any]:
    """The manifest of a finished stage.

    Raises:
        UsageError: the folder has no manifest, or that of another stage.
        DataError: the manifest is damaged.
    """
    file = folder / MANIFEST
    if not folder.is_dir():
        found = "is a file" if folder.is_file() else "there is no such folder"
        raise UsageError(f"{folder}: {found}; name the folder that 'harness train {stage} --out' wrote")
    if not (folder / JOB).is_file() and not file.is_file():
        raise UsageError(f"{folder}: not made by 'harness train {stage}'; name the folder that it wrote")
    if not file.is_file():
        raise UsageError(f"{folder}: no {MANIFEST}; finish it first with: harness train {stage} --out {folder}")
    manifest = _json(file)
    if manifest.get("stage") != stage:
        raise UsageError(f"{folder}: made by 'train {manifest.get('stage')}'; name a folder of 'train {stage}'")
    return manifest


def write_json(file: Path, content: Mapping[str, object]) -> None:
    """Write a JSON file atomically."""
    with write_atomically(file) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", "utf-8")


def write_lines(file: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a JSONL file atomically."""
    with write_atomically(file) as temporary, temporary.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


def _json(file: Path) -> dict[str, Any]:
    return read_json(file, dict, error=DataError, advice=f"damaged; delete the folder {file.parent} and run again")


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("rerank-harness", "numpy", "torch", "transformers"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions

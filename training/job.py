"""A stage of training as a folder: its identity is written first, its manifest last."""

from __future__ import annotations

import json
import platform
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
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
_LISTED = 4
"""The largest number of differences that an error names."""


def begin(out: Path, stage: str, about: Mapping[str, object]) -> dict[str, Any] | None:
    """Make the folder of a stage, or continue in it. Return the manifest if the stage is finished already.

    Raises:
        UsageError: the folder holds another job, or cannot be made.
    """
    job = {"stage": stage, "id": digest({"stage": stage, **about}), "about": public_values(dict(about))}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise class_of(error, UsageError)(f"--out {out}: no folder can be made there ({error.strerror})") from None
    if (out / JOB).exists():
        stored = _json(out / JOB)
        if (stored.get("stage"), stored.get("id")) != (stage, job["id"]):
            raise UsageError(f"{out} holds another job ({_difference(stored, job)}); name an empty folder with --out")
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


def read_manifest(folder: Path, stage: str, *others: str) -> dict[str, Any]:
    """The manifest of a finished stage.

    Args:
        others: stages whose folders are accepted too. They are parts of an adaptation and no commands.

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
    if manifest.get("stage") not in (stage, *others):
        raise UsageError(f"{folder}: made by the stage '{manifest.get('stage')}'; name a folder of 'train {stage}'")
    return manifest


def write_json(file: Path, content: Mapping[str, object]) -> None:
    """Write a JSON file atomically."""
    with write_atomically(file) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", "utf-8")


def write_lines(file: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a JSONL file atomically."""
    with write_atomically(file) as temporary, temporary.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


def _difference(stored: Mapping[str, Any], job: Mapping[str, Any]) -> str:
    if stored.get("stage") != job["stage"]:
        return f"that of train {stored.get('stage')}"
    return difference(stored.get("about"), job["about"])


def difference(stored: object, asked: object) -> str:
    """What a stored job has otherwise than the one that is asked for, in words. Digests are named and not shown."""
    there, here = (dict(_leaves(one)) for one in (stored, asked))
    names = [name for name in dict.fromkeys((*here, *there)) if there.get(name) != here.get(name)]
    if not there or not names:
        return "other texts, models or settings"
    shown = [_shown(name, there.get(name), here.get(name)) for name in names[:_LISTED]]
    return "; ".join([*shown, *([f"and {len(names) - _LISTED} more"] if len(names) > _LISTED else [])])


def _leaves(value: object, way: str = "") -> Iterator[tuple[str, object]]:
    """Nested values by dotted keys, as JSON reads them back."""
    rows: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        rows = value.items()
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping | list | tuple) for one in value):
        rows = enumerate(value)
    elif way:
        yield way, list(value) if isinstance(value, tuple) else value
    for name, inner in rows:
        yield from _leaves(inner, f"{way}.{name}" if way else str(name))


def _shown(name: str, there: object, here: object) -> str:
    if any(isinstance(one, str) and re.fullmatch(r"[0-9a-f]{16,}", one) for one in (there, here)):
        return f"another {name}"
    before, now = (textwrap.shorten(json.dumps(one, ensure_ascii=False), 60) for one in (there, here))
    return f"{name} is {before} there and {now} here"


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

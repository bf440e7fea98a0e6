"""Recomputes the digests of the models that the stored evaluations used, and verifies files in the cache of the hub."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from adapters.budgets import CallRecord, recorded
from adapters.contents import Contents
from adapters.errors import HarnessError
from adapters.models import ModelFolder
from adapters.spec import open_ranker, open_retriever
from harness.checks.former import digests_in, folder_of, models_of
from harness.result.store import Results
from harness.workspace import Workspace

_CHUNK = 1 << 22
_SHA256, _GIT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class ModelFinding:
    """What was found of one model."""

    spec: str
    state: Literal["ok", "absent", "warning", "broken"]
    detail: str


def examined(workspace: Workspace) -> Iterator[ModelFinding]:
    """Examine the model of every spec that an evaluation names and that has files.

    Raises:
        DataError: the results store cannot be read.
    """
    wanted: dict[tuple[str, str], list[Mapping[str, object]]] = {}
    calls: dict[tuple[str, str], set[CallRecord]] = {}
    with Results(workspace.results) as results:
        for one in results.all():
            for key, identity in models_of(one):
                wanted.setdefault(key, []).append(digests_in(identity))
                calls.setdefault(key, set()).update(recorded(workspace.cache, identity))
    for (spec, part), stored in sorted(wanted.items()):
        found = _examined(spec, part, stored)
        said = "; ".join(sorted(map(str, calls[spec, part])))
        yield replace(found, detail=f"{found.detail}; {said}") if said else found


def _examined(spec: str, part: str, stored: list[Mapping[str, object]]) -> ModelFinding:
    try:
        folder = folder_of(open_retriever(spec) if part == "retriever" else open_ranker(spec))
        if folder is None:
            return ModelFinding(spec, "absent", "it has no folder of its own, so its files are not verified")
        contents = Contents(folder, pickle=True)
        damaged = list(_damaged(folder, contents))
        now = contents.identity()
    except (HarnessError, OSError) as error:
        return ModelFinding(spec, "absent", f"not verified: {error}")
    if damaged:
        advice = "not what the hub published; delete it, and fetch the model again"
        return ModelFinding(spec, "broken", f"{', '.join(damaged)}: {advice}")
    others = [one for one in stored if any(now.get(key) != value for key, value in one.items())]
    if not others:
        return ModelFinding(spec, "ok", f"its files are those of {len(stored)} evaluations")
    parts = sorted({key for one in others for key, value in one.items() if now.get(key) != value})
    return ModelFinding(
        spec, "warning",
        f"{folder.path}: its {', '.join(parts)} are not those of {len(others)} of {len(stored)} evaluations; if nobody "
        "changed them, they are damaged: restore them",
    )  # fmt: skip


def _damaged(folder: ModelFolder, contents: Contents) -> Iterator[str]:
    """Files in the cache of the hub that are not what their names say: the cache names a file by its digest."""
    for name in (*contents.weights, *contents.tokenizer, *contents.settings):
        file = (folder.path / name).resolve()
        if file.parent.name == "blobs" and not _is_sound(file):
            yield str(file)


def _is_sound(file: Path) -> bool:
    if _SHA256.fullmatch(file.name):
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == file.name
    if _GIT.fullmatch(file.name):
        state = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                state.update(chunk)
        return state.hexdigest() == file.name
    return True

"""Carries out what `harness forget` has planned."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from adapters.errors import HarnessError
from adapters.typed_file import read_object
from harness.data.sources.request import FOLDER
from harness.data.sources.stored import MARKER
from harness.result.forgetting.plan import Removal
from harness.result.forgetting.rows import remove_rows
from harness.result.sizes import bytes_by_kind
from harness.scoring.ledger.store import Ledger
from harness.workspace import Workspace


def carried_out(workspace: Workspace, plan: Removal) -> int:
    """Remove what is planned, and return how many bytes the workspace lost.

    The rows of the results go last. After a kill everything that is left can be read, and the same request removes the
    rest.

    Raises:
        EnvironmentFailure: the workspace is read-only, or another process has locked a store.
    """
    before = sum(bytes_by_kind(workspace).values())
    for folder in plan.folders:
        _remove_collection(workspace, folder)
    for file in plan.files:
        _remove(file)
    if plan.rerankers and workspace.ledger.exists():
        with Ledger(workspace.ledger) as ledger:
            ledger.forget(plan.rerankers)
            ledger.shrink()
    if plan.results:
        remove_rows(workspace.results, [one.id for one in plan.results])
    return before - sum(bytes_by_kind(workspace).values())


def _remove_collection(workspace: Workspace, folder: Path) -> None:
    """Remove a collection. Without its marker it is not there, however much of it is left."""
    for entry in workspace.collections.glob("seen/*.json"):
        with suppress(HarnessError):
            about = read_object(entry).get("description")
            if isinstance(about, dict) and about.get("fingerprint") == folder.name:
                entry.unlink()
    (workspace.collections / FOLDER / f"{folder.name}.json").unlink(missing_ok=True)
    (folder / MARKER).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

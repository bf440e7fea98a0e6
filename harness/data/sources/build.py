"""Make a collection from a source: convert it once into the workspace, then open the result."""

from __future__ import annotations

from pathlib import Path

from adapters.errors import DataError
from harness.data.collection import Collection
from harness.data.sources import seen, stored
from harness.data.sources.dirt import Dirt
from harness.data.sources.source import Source
from harness.data.sources.stored import Description
from harness.workspace import Workspace, new_folder, replace_folder


def collection_of(source: Source, workspace: Workspace) -> Collection:
    """The collection of a source. Its files are read only if they are new or changed.

    Raises:
        DataError: something in the files cannot be trusted, or they changed while they were read.
    """
    files, began = seen.stamp(source.files()), seen.now_ns()
    known = seen.look_up(workspace, source, files)
    if known is None or not stored.is_current(workspace.collections / known.fingerprint, known):
        known = _convert(source, workspace)
        _check_unchanged(source, files)
        if seen.settled(files, began):
            seen.remember(workspace, source, files, known)
    return stored.read(workspace.collections / known.fingerprint, known)


def _convert(source: Source, workspace: Workspace) -> Description:
    dirt = Dirt(source.declared.rules.allow)
    with new_folder(workspace.collections / source.name.replace("/", "-")) as folder:
        converted = source.convert(folder, dirt)
        description = stored.describe(source, folder, converted, dirt)
        stored.write(folder, converted, description)
        _keep(folder, workspace.collections / description.fingerprint, description)
    return description


def _keep(folder: Path, final: Path, description: Description) -> None:
    if stored.is_current(final, description):
        return
    try:
        replace_folder(folder, final)
    except OSError:
        # Another process finished the same collection in the meantime.
        if not stored.is_current(final, description):
            raise


def _check_unchanged(source: Source, files: seen.Stamp) -> None:
    after = seen.stamp(source.files())
    for before, now in zip(files, after, strict=True):
        if before != now:
            raise DataError(f"{now[0]}: changed while it was read; run again")

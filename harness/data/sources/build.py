"""Make a collection from a source: convert it once into the workspace, then open the result."""

from __future__ import annotations

from pathlib import Path

from adapters.errors import DataError
from adapters.sums import DAMAGED, DamagedFile, set_aside
from harness.data.collection import Collection
from harness.data.detection import carry_over
from harness.data.label_versions import version_called, with_labels
from harness.data.sources import seen, stored
from harness.data.sources.dirt import Dirt
from harness.data.sources.labelled import LabelledSource
from harness.data.sources.source import Source
from harness.data.sources.stored import Description, Renew
from harness.workspace import Workspace, new_folder, replace_folder

_AGAIN = "its source is read again"


def collection_of(source: Source, workspace: Workspace) -> Collection:
    """The collection of a source. Its files are read only if they are new or changed, or if what was stored of them is
    damaged: then it is set aside with a warning.

    Raises:
        UsageError: the collection has no label version of that name.
        DataError: something in the files cannot be trusted, or they changed while they were read.
    """
    if isinstance(source, LabelledSource):
        place = workspace if source.versions is None else Workspace(source.versions)
        published = collection_of(source.inner, workspace)
        return with_labels(published, version_called(place, published, source.labels), place)
    files, began = seen.stamp(source.files()), seen.now_ns()
    known = seen.look_up(workspace, source, files)
    found = None if known is None else _stored(workspace, known, _renew(source, workspace, known))
    if found is not None:
        return found
    known = _convert(source, workspace)
    _check_unchanged(source, files)
    if seen.settled(files, began):
        seen.remember(workspace, source, files, known)
    found = _stored(workspace, known, _renew(source, workspace, known))
    if found is None:
        raise DataError(f"{workspace.collections / known.fingerprint}: damaged while it was written; run again")
    return found


def _stored(workspace: Workspace, known: Description, renew: Renew | None = None) -> Collection | None:
    """The stored collection; None if there is none, or none that can be trusted."""
    folder = workspace.collections / known.fingerprint
    try:
        there = stored.current(folder, known)
        return None if there is None else stored.read(folder, there, renew)
    except DamagedFile as damage:
        set_aside(folder, damage, _AGAIN)
        return None


def _renew(source: Source, workspace: Workspace, known: Description) -> Renew:
    folder = workspace.collections / known.fingerprint

    def renew(damage: DamagedFile) -> Path:
        try:
            stored.verify(
                folder, stored.description_in(folder)
            )  # another file of the folder may have been renewed before
        except DamagedFile:
            set_aside(folder, damage, _AGAIN)
            again = _convert(source, workspace)
            if again.fingerprint != known.fingerprint:
                raise DataError(f"{known.name}: its source has changed since it was read; run again") from None
        return folder

    return renew


def _convert(source: Source, workspace: Workspace) -> Description:
    dirt = Dirt(source.declared.rules.allow)
    with new_folder(workspace.collections / source.name.replace("/", "-")) as folder:
        converted = source.convert(folder, dirt)
        description = stored.describe(source, folder, converted, dirt)
        stored.write(folder, converted, description)
        _keep(folder, workspace, description)
    return description


def _keep(folder: Path, workspace: Workspace, description: Description) -> None:
    final = workspace.collections / description.fingerprint
    if _stored(workspace, description) is not None:
        stored.seal(final, description)
        return
    carry_over(final.with_name(f"{final.name}{DAMAGED}"), folder, final.name)
    try:
        replace_folder(folder, final)
    except OSError:
        # Another process finished the same collection in the meantime.
        if _stored(workspace, description) is None:
            raise


def _check_unchanged(source: Source, files: seen.Stamp) -> None:
    after = seen.stamp(source.files())
    for before, now in zip(files, after, strict=True):
        if before != now:
            raise DataError(f"{now[0]}: changed while it was read; run again")

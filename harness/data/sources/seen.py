"""Remember which collection a source became, so that an unchanged source is not read again.

There is one small file per source, split and rules. It is written atomically, so processes do not overwrite each
other's entries.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.errors import DataError, class_of
from adapters.identity import digest
from adapters.sums import DamagedFile, read_sealed, save_sealed, set_aside
from harness.data.sources.source import Source
from harness.data.sources.stored import FORMAT, Description, description_in, is_there, write_description
from harness.workspace import Workspace

Stamp = list[list[object]]
"""Resolved path, size, mtime, ctime and inode of every file that was read."""
_SETTLED_NS = 2_000_000_000
_READING = 4
"""Raise this number when the same files would be read differently; sources are then read again."""


def stamp(files: Sequence[Path]) -> Stamp:
    """The stamp of files, from the file system.

    Raises:
        DataError: a file cannot be accessed.
    """
    try:
        found = [(file.resolve(), file.stat()) for file in files]
    except OSError as error:
        raise class_of(error, DataError)(f"{error.filename}: cannot be read ({error.strerror})") from error
    return [[str(path), s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino] for path, s in found]


def settled(files: Stamp, since_ns: int) -> bool:
    """Whether a later edit is certain to change the stamp. Clocks of file systems are coarse: a file that was written
    less than two seconds before it was read could change again with the same time."""
    return all(isinstance(file[2], int) and since_ns - file[2] > _SETTLED_NS for file in files)


@dataclass(frozen=True)
class SourceEntry:
    """What is stored of a source."""

    files: object
    description: Description


def look_up(workspace: Workspace, source: Source, files: Stamp) -> Description | None:
    """The collection that the source became when its files had this stamp; None if it is not known. A damaged entry is
    set aside with a warning."""
    file = _entry(workspace, source)
    if not file.exists():
        return None
    try:
        entry, proven = read_sealed(file, SourceEntry, file.stem)
    except DamagedFile as damage:
        set_aside(file, damage, "its source is read again")
        return None
    if entry.files != files or not (proven or _is_stored_twice(workspace, entry.description)):
        return None
    if not proven:
        with suppress(OSError):
            remember(workspace, source, files, entry.description)
    return entry.description


def _is_stored_twice(workspace: Workspace, description: Description) -> bool:
    """Whether the folder of the collection has the same description, which proves an entry without a digest."""
    folder = workspace.collections / description.fingerprint
    try:
        if not is_there(folder) or description_in(folder) != description:
            return False
        write_description(folder, description)
    except (DamagedFile, OSError):
        return False
    return True


def remember(workspace: Workspace, source: Source, files: Stamp, description: Description) -> None:
    """Store which collection the source became."""
    entry = _entry(workspace, source)
    entry.parent.mkdir(parents=True, exist_ok=True)
    save_sealed(entry, entry.stem, {"files": files, "description": asdict(description)})


def now_ns() -> int:
    """The current time in nanoseconds, to compare with file times."""
    return time.time_ns()


def _entry(workspace: Workspace, source: Source) -> Path:
    declared = asdict(source.declared)
    for of_set in ("parallel", "within", "in_set", "files"):  # they do not change what is read, or are in the origin
        del declared[of_set]
    made_of = {
        "format": FORMAT,
        "reading": _READING,
        "origin": source.origin,
        "name": source.name,
        "split": source.split,
        "declared": declared,
    }
    return workspace.collections / "seen" / f"{digest(made_of)}.json"

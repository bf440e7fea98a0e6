"""Remember which collection a source became, so that an unchanged source is not read again.

There is one small file per source, split and rules. It is written atomically, so processes do not overwrite each
other's entries.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.errors import DataError, HarnessError, class_of
from adapters.identity import digest
from adapters.typed_file import read_json
from harness.data.sources.source import Source
from harness.data.sources.stored import FORMAT, Description
from harness.workspace import Workspace, write_atomically

Stamp = list[list[object]]
"""Resolved path, size, mtime, ctime and inode of every file that was read."""
_SETTLED_NS = 2_000_000_000
_READING = 3
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
class _Entry:
    """The file of a source."""

    files: object
    description: Description


def look_up(workspace: Workspace, source: Source, files: Stamp) -> Description | None:
    """The collection that the source became when its files had this stamp; None if it is not known."""
    with suppress(HarnessError):
        entry = read_json(_entry(workspace, source), _Entry)
        return entry.description if entry.files == files else None
    return None


def remember(workspace: Workspace, source: Source, files: Stamp, description: Description) -> None:
    """Store which collection the source became."""
    entry = _entry(workspace, source)
    entry.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(entry) as path:
        content = {"files": files, "description": asdict(description)}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")


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

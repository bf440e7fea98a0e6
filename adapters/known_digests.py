"""Digests of large model files, kept in the workspace so that not every command reads gigabytes.

An entry holds for a file as long as its place, size, times and inode are those at which it was read. A program that
writes into a file changes its ctime, even if it restores the mtime. A disk that gives other bytes than were written
changes nothing of these, so `harness doctor`, `reproduce` and `gate` read all bytes again and compare.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path

from adapters.errors import EnvironmentFailure, ModelError
from adapters.identity import digest, file_digest
from adapters.sums import DamagedFile, read_sealed, save_sealed

FOLDER = "digests"
"""The folder of the entries, in the caches of a workspace."""
_LEAST = 64 << 20
"""Smaller files are always read, in bytes."""
_SETTLED = 3 * 10**9
"""A file that changed within this time before it was read may change again without another time, in nanoseconds."""


class ChangedFile(ModelError):
    """A file has other bytes than when it was read before, although nothing says that it was written."""


@dataclass(frozen=True)
class FileState:
    """What tells one state of a file from another."""

    path: str
    """The real path."""
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, file: Path) -> FileState:
        """The present state of a file."""
        real = file.resolve()
        found = real.stat()
        return cls(str(real), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    @property
    def settled(self) -> bool:
        """Whether the last change is long enough ago that another one would have another time."""
        return time.time_ns() - max(self.mtime_ns, self.ctime_ns) >= _SETTLED


@dataclass(frozen=True)
class KnownDigest:
    """An entry: a state of a file and the digest of its bytes."""

    state: FileState
    digest: str


@dataclass
class _Use:
    """How this process uses the entries."""

    folder: Path | None = None
    again: bool = False
    """Whether files are read even if they have an entry."""
    read: dict[FileState, str] = field(default_factory=dict)
    """What was read since then."""


_use = _Use()


def keep_in(cache: Path) -> None:
    """Use the entries in the caches of a workspace from now on, except within `read_again`."""
    if not _use.again:
        _use.folder = cache / FOLDER


@contextmanager
def read_again(cache: Path) -> Iterator[None]:
    """Within the block, read each file once and compare it with its entry."""
    before = _use.__dict__.copy()
    _use.folder, _use.again, _use.read = cache / FOLDER, True, {}
    try:
        yield
    finally:
        _use.__dict__.update(before)


def files_digest(folder: Path, names: Iterable[str]) -> str:
    """32 hex digits over the names and bytes of the files of a folder; the order of `names` does not matter.

    Raises:
        OSError: a file cannot be read.
        ChangedFile: as `known_digest`.
    """
    return digest({name: known_digest(folder / name) for name in sorted(names)})


def known_digest(file: Path) -> str:
    """The digest of the bytes of a file, as `file_digest` gives it, from its entry if there is one.

    Raises:
        OSError: the file cannot be read.
        ChangedFile: the file is read again, and is not what it was. Its entry is removed.
    """
    state = FileState.of(file)
    if _use.folder is None or state.size < _LEAST:
        return file_digest(file)
    known = _entry(_use.folder, state.path)
    known = known if known is not None and known.state == state else None
    if known is not None and not _use.again:
        return known.digest
    if state in _use.read:
        return _use.read[state]
    return _read(file, state, known, _use.folder)


def changed_files(cache: Path) -> Iterator[str]:
    """Read every file that has an entry again, and yield a line for each that is not what it was. Files that are gone
    or were written since are left out. To be called within `read_again`."""
    for place in sorted((cache / FOLDER).glob("*.json")):
        try:
            path = Path(read_sealed(place, KnownDigest, place.stem)[0].state.path)
            known_digest(path)
        except ChangedFile as changed:
            yield str(changed)
        except (DamagedFile, EnvironmentFailure, OSError):
            continue


def _read(file: Path, state: FileState, known: KnownDigest | None, folder: Path) -> str:
    found = file_digest(file)
    settled = state.settled and FileState.of(file) == state
    place = _place(folder, state.path)
    if known is not None and settled and known.digest != found:
        with suppress(OSError):
            place.unlink(missing_ok=True)
        raise ChangedFile(
            f"{file}: its bytes are not those that were read before, and nothing has written it since: the disk or "
            "the memory is faulty; fetch or copy the file again"
        )
    if _use.again:
        _use.read[state] = found
    if settled and known is None:
        with suppress(OSError):  # a workspace that can only be read, or a full disk: it is read each time
            folder.mkdir(parents=True, exist_ok=True)
            save_sealed(place, place.stem, asdict(KnownDigest(state, found)))
    return found


def _entry(folder: Path, path: str) -> KnownDigest | None:
    """The entry of a file; None if there is none, or none that can be trusted."""
    place = _place(folder, path)
    try:
        known, proven = read_sealed(place, KnownDigest, place.stem)
    except (DamagedFile, EnvironmentFailure):
        return None
    return known if proven else None


def _place(folder: Path, path: str) -> Path:
    name = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return folder / f"{name}.json"

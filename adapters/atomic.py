"""Files and folders that are there whole or not at all, after a kill and on a full disk too.

There is one rule for all of them: the content is on the disk (fsync) before it has its name, and the name is on the
disk before the function returns, with the names of the folders above it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from adapters import processes
from adapters.full_disk import naming_full_disk

_UNFINISHED = ".unfinished-"
_A_DAY = 86_400
_SWEPT: set[Path] = set()
"""Folders in which this process has looked for left-overs."""


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; if the block succeeds, its file becomes `path` in one step.

    If the block fails or the process is killed, `path` is unchanged. The first write into a folder removes what killed
    processes left there. A replaced file keeps its permissions; a new one has those of the umask.
    For a symbolic link, its target is replaced. For a device or a pipe, such as /dev/stdout, `path` itself is yielded.

    Raises:
        OSError: the disk is full, with `path` as its file name; or `path` is a folder.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with naming_full_disk(path):
            yield path
        return
    final = _target(path) if path.is_symlink() else path
    _sweep_once(final.parent)
    unfinished = _next_to(final)
    try:
        with naming_full_disk(final, unfinished):
            yield unfinished
            if final.exists():
                unfinished.chmod(final.stat().st_mode & 0o7777)
            sync(unfinished)
            unfinished.replace(final)
            sync(final.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _target(link: Path) -> Path:
    """The file that a symbolic link leads to; the link itself if it leads nowhere, so that it is replaced."""
    try:
        return link.resolve()
    except (OSError, RuntimeError):  # a loop; the class depends on the version of Python
        return link


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """Yield an empty folder next to `final`, to be filled and given to `replace_folder`; remove what is left of it."""
    sweep(final.parent)
    unfinished = _next_to(final)
    with naming_full_disk(final, unfinished):
        unfinished.mkdir(parents=True)
    settle(final.parent)
    try:
        with naming_full_disk(final, unfinished):
            yield unfinished
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def replace_folder(tmp: Path, final: Path) -> None:
    """Rename the filled folder `tmp` to `final`, after all its files are on the disk.

    An existing folder is replaced; a process that has mapped its files keeps them.
    """
    for file in tmp.rglob("*"):
        sync(file)
    sync(tmp)
    old = _next_to(final)
    with suppress(FileNotFoundError):
        final.rename(old)
    tmp.rename(final)
    sync(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def _next_to(path: Path) -> Path:
    return path.with_name(f"{_UNFINISHED}{path.name[:100]}-{_place()}-{os.getpid()}-{secrets.token_hex(4)}")


def sync(path: Path) -> None:
    """Write the content of a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle(folder: Path) -> None:
    """Write the names of a folder and of those above it on the same disk to the disk. Some of them may be new."""
    device = folder.stat().st_dev
    for above in folder.resolve().parents:
        if above.stat().st_dev != device:
            break
        with suppress(OSError):  # another user's
            sync(above)


def _sweep_once(folder: Path) -> None:
    if folder not in _SWEPT:
        _SWEPT.add(folder)
        sweep(folder)
        settle(folder)


def sweep(folder: Path) -> None:
    """Remove unfinished files and folders that killed programs left in a folder: those of processes of this machine
    that are gone, and those that are more than a day old."""
    for left in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            if _is_of_the_dead(left.name) or time.time() - left.stat().st_mtime > _A_DAY:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _is_of_the_dead(name: str) -> bool:
    """Whether the process that an unfinished file is named after ran here and has ended."""
    _, *place = name.rsplit("-", 3)
    if len(place) != 3 or place[0] != _place() or not place[1].isdecimal():
        return False
    return processes.seen(int(place[1]), None) == "gone"


def _place() -> str:
    """A short digest of where process ids have a meaning."""
    return blake2b(processes.place().encode(), digest_size=4).hexdigest()

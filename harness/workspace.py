"""The workspace: one folder with everything the harness keeps. A file that exists there is a finished file."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from adapters.errors import UsageError

VARIABLE = "HARNESS_WORKSPACE"
DEFAULT = ".harness"
_UNFINISHED = ".unfinished-"
_A_DAY = 86_400


class Workspace:
    """The layout of the folder. Making the value touches no disk; `open` makes the folders."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.collections = path / "collections"
        self.cache = path / "cache"
        self.downloads = path / "downloads"
        self.runs = path / "runs"
        self.scored = path / "scored"
        self.references = path / "references"
        self.adaptations = path / "adaptations"
        self.ledger = path / "ledger.sqlite"
        self.results = path / "results.sqlite"

    @classmethod
    def open(cls, path: Path | None = None) -> Workspace:
        """The workspace at `path`, else where the variable HARNESS_WORKSPACE says, else in `./.harness`.

        Raises:
            UsageError: the path is a file, or nothing can be written there.
        """
        workspace = cls(path or Path(os.environ.get(VARIABLE) or DEFAULT))
        workspace._make_writable()
        return workspace

    @staticmethod
    def write_atomically(path: Path) -> AbstractContextManager[Path]:
        """`write_atomically` for those who hold a workspace."""
        return write_atomically(path)

    def _make_writable(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"the workspace '{self.path}' is a file; name a folder with --workspace or {VARIABLE}")
        try:
            for folder in (self.collections, self.cache, self.runs, self.scored):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise UsageError(
                f"cannot write in the workspace '{self.path}' ({error.strerror}); "
                f"name another folder with --workspace or {VARIABLE}"
            ) from error


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Hand out a temporary path beside `path`; when the block ends well, its file becomes `path` in one step.

    A block that fails leaves `path` as it was.
    """
    unfinished = _beside(path)
    try:
        yield unfinished
        _sync(unfinished)
        unfinished.replace(path)
        _sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """Hand out an empty folder beside `final` to be filled and given to `replace_folder`; what is left of it goes."""
    _sweep(final.parent)
    unfinished = _beside(final)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def replace_folder(tmp: Path, final: Path) -> None:
    """Make the filled folder `tmp` the folder `final`, with all its files on the disk before it has the name.

    A folder that has the name already is exchanged; whoever mapped its files keeps them.
    """
    for file in tmp.rglob("*"):
        _sync(file)
    _sync(tmp)
    old = _beside(final)
    with suppress(FileNotFoundError):
        final.rename(old)
    tmp.rename(final)
    _sync(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path) -> Path:
    return path.with_name(f"{_UNFINISHED}{path.name[:100]}-{os.getpid()}-{secrets.token_hex(4)}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    # A killed conversion leaves its folder behind; one that is a day old belongs to nobody.
    for left in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _A_DAY:
                shutil.rmtree(left)

"""The workspace: the folder with everything the harness keeps. Every file in it is complete."""

from __future__ import annotations

import os
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from adapters.atomic import new_folder, replace_folder, settle, sweep, write_atomically
from adapters.errors import UsageError, class_of

VARIABLE = "HARNESS_WORKSPACE"
DEFAULT = ".harness"
__all__ = ["DEFAULT", "VARIABLE", "Workspace", "new_folder", "readable_size", "replace_folder", "write_atomically"]


class Workspace:
    """The paths in a workspace. The constructor does not touch the disk; `open` makes the folders."""

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
        """Open the workspace at `path`.

        Args:
            path: the folder. Default: the environment variable HARNESS_WORKSPACE, else `./.harness`.

        Raises:
            UsageError: the path is a file.
            EnvironmentFailure: the folder is not writable, or its disk is full.
        """
        from adapters.known_digests import keep_in  # loads numpy

        workspace = cls(path or Path(os.environ.get(VARIABLE) or DEFAULT))
        workspace._make_writable()
        keep_in(workspace.cache)
        return workspace

    @staticmethod
    def write_atomically(path: Path) -> AbstractContextManager[Path]:
        """As the function `write_atomically`."""
        return write_atomically(path)

    def _make_writable(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"the workspace '{self.path}' is a file; name a folder with --workspace or {VARIABLE}")
        try:
            for folder in (self.collections, self.cache, self.runs, self.scored):
                folder.mkdir(parents=True, exist_ok=True)
                sweep(folder)
            sweep(self.path)
            settle(self.collections)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise class_of(error, UsageError)(
                f"cannot write in the workspace '{self.path}' ({error.strerror}); "
                f"name another folder with --workspace or {VARIABLE}"
            ) from error


def readable_size(size: int) -> str:
    """A number of bytes in units of a thousand, as in "1.2 MB"."""
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size} bytes"

"""Opens a results store that must exist, with the same error in every command if it does not."""

from __future__ import annotations

from pathlib import Path

from adapters.errors import UsageError
from harness.result.store import Results


def stored_in(file: Path, option: str = "--workspace") -> Results:
    """Open an existing store. Nothing is created.

    Args:
        option: the option that named its workspace, for messages.

    Raises:
        UsageError: there is no store.
        DataError: the file is not a results store, or was written by a newer version.
    """
    folder = file.parent
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"the workspace '{folder}' is a file; name a folder with {option}")
    if not file.is_file():
        raise UsageError(f"no results in '{folder}' yet; use `harness run`, or name another {option}")
    return Results(file)


def is_same_store(one: Path, other: Path) -> bool:
    """Whether two paths are the same file."""
    return one.resolve() == other.resolve()

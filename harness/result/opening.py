"""A results store that has to be there: one answer for every verb where it is not."""

from __future__ import annotations

from pathlib import Path

from adapters.errors import UsageError
from harness.result.store import Results


def stored_in(file: Path, option: str = "--workspace") -> Results:
    """Open a store; nothing is made.

    Args:
        option: what named its workspace.

    Raises:
        UsageError: there is none.
        DataError: the file is not a results store, or was written by a newer version.
    """
    folder = file.parent
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"the workspace '{folder}' is a file; name a folder with {option}")
    if not file.is_file():
        raise UsageError(f"no results in '{folder}' yet; `harness run` makes them, or name another {option}")
    return Results(file)


def is_same_store(one: Path, other: Path) -> bool:
    """Whether two paths are one file."""
    return one.resolve() == other.resolve()

"""The path that a user wrote, with `~` for the home folder."""

from __future__ import annotations

import os
from pathlib import Path

from adapters.errors import HarnessError, UsageError


def user_path(name: str | Path, error: type[HarnessError] = UsageError) -> Path:
    """The path that a name means. There may be no such file.

    Raises:
        HarnessError: of the class `error`: no file can have that name, or `~user` names an unknown user.
    """
    text = str(name)
    if "\0" in text:
        raise error(f"'{text}' has a NUL character, which no file name can have; write the name without it")
    path = Path(os.path.expanduser(text))  # noqa: PTH111  (a Path does not keep the ./ of ./~x)
    if text.startswith("~") and str(path).startswith("~"):
        raise error(f"'{text}': '{text.partition('/')[0]}' is not the home folder of a user; write ./{text}")
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, UnicodeEncodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not a text in the encoding of file names"
        raise error(f"'{text[:200]}' cannot be a file: {reason}; check the name") from None
    return path


def is_folder(path: Path) -> bool:
    """Whether a path is a folder. False for names that no file can have."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether a path is a file. False for names that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False

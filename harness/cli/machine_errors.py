"""The lines about errors of the machine that no part of the program has put in words."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from pathlib import Path

from adapters.full_disk import FULL, full_message, has_no_space
from harness.sqlite_file import in_words, is_full
from harness.workspace import DEFAULT, VARIABLE

_CACHES = ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "TORCH_HOME")

_UNNAMED = "standard output, or a file that the system does not name"


def in_one_line(error: Exception) -> str:
    """What happened to the machine, with the file or folder where it is known, and what to do."""
    if isinstance(error, sqlite3.Error) and isinstance(file := getattr(error, "file", None), Path):
        return in_words(file, error)
    if _is_full(error):
        place = _place(error)
        if place == _UNNAMED:
            return f"{place}: the disk is full ({_reason(error)}); finished work is kept, run the same command again"
        return full_message(place, _reason(error))
    reason = "there is not enough memory" if isinstance(error, MemoryError) else str(error) or type(error).__name__
    return f"{reason}; finished work is kept, run the same command again"


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL
    return isinstance(error, sqlite3.Error) and is_full(Path.cwd() / "database", error)


def _place(error: Exception) -> str:
    """The file of an error; else the folders that the command writes to and whose disk is full."""
    if isinstance(error, OSError) and error.filename is not None:
        return str(error.filename)
    full = (str(folder) for folder in _written() if has_no_space(folder))
    return next(full, _UNNAMED)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _written() -> list[Path]:
    """The folders that a command may write to: those of its options, the workspace, and those of the system."""
    named = [word.rpartition("=")[2] for word in sys.argv[1:]]
    given = [Path(name) for name in named if name and len(name) < 4096 and "\0" not in name]
    workspace = Path(os.environ.get(VARIABLE) or DEFAULT)
    caches = [Path(os.environ[name]) for name in _CACHES if os.environ.get(name)]
    places = [*given, workspace, Path.cwd(), Path(tempfile.gettempdir()), *caches, Path.home()]
    return [folder for place in places for folder in (place, place.parent) if os.path.isdir(folder)]  # noqa: PTH112 a name may be too long

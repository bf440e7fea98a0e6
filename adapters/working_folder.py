"""Code in the working folder runs only in a process that was given a spec `module:Class`."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from pathlib import Path

_BEFORE = ("torch", "transformers.modeling_utils")
"""Imported before the working folder is on `sys.path`: while they are imported, they run the entry points of every
package there, and whatever has the name of an optional package such as accelerate."""
_allowed: list[str] = []


def allow_working_folder() -> None:
    """Put the working folder last on `sys.path`, so that it replaces no module of a library."""
    folder = str(Path.cwd())
    if folder in sys.path or "" in sys.path:
        return
    for name in _BEFORE:
        with suppress(Exception):  # not installed, or broken: a plug-in may not need it
            importlib.import_module(name)
    sys.path.append(folder)
    _allowed.append(folder)


def paths_of_libraries() -> list[str]:
    """`sys.path` for processes that run no code of the working folder."""
    return [str(place) for place in sys.path if place and str(place) not in _allowed]

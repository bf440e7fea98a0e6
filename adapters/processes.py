"""Whether a process still runs: its number, when it started, and the place where both have a meaning."""

from __future__ import annotations

import os
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import Literal

Seen = Literal["running", "gone", "unknown"]
_PROC = Path("/proc")
_GONE = ("Z", "X", "x")
"""The states of processes that have ended but are still listed."""


@cache
def place() -> str:
    """Where process numbers have a meaning: this machine since it was started, and this container on it."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def started(pid: int) -> str | None:
    """When a process started, in the words of the operating system; None if it is not listed or has ended."""
    state, start = _listed(pid) or ("X", None)
    return None if state in _GONE else start


def seen(pid: int, start: str | None) -> Seen:
    """Whether a process of this place runs. One that may not be inspected, or whose start is not known, is "unknown".

    Args:
        start: when it started. A later process with the same number started at another time.
    """
    listed = _listed(pid)
    if listed is None:
        return "unknown" if _exists(pid) else "gone"
    if listed[0] in _GONE:
        return "gone"
    return "unknown" if not start else "running" if listed[1] == start else "gone"


def _listed(pid: int) -> tuple[str, str] | None:
    """The state of a process, a letter, and its start; None if it is not listed."""
    return _listed_in_proc(pid) if (_PROC / "self/stat").exists() else _listed_by_ps(pid)


def _listed_in_proc(pid: int) -> tuple[str, str] | None:
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return fields[0], fields[19]  # see proc(5): fields 3 and 22
    except (OSError, IndexError):
        return None


def _listed_by_ps(pid: int) -> tuple[str, str] | None:
    command = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    try:
        fields = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split(maxsplit=1)
    except OSError:
        return None
    return (fields[0][0], fields[1].strip()) if len(fields) == 2 else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return True

"""The process that holds a reservation, and whether it is still running."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

BEAT_SECONDS = 30.0
"""How often a running gate renews its reservation."""
STALE_SECONDS = 600.0
"""A reservation that was not renewed for this time has ended, if its process cannot be seen from here."""
_PROC = Path("/proc")
_GONE = ("Z", "X", "x")
"""The states of processes that have ended but are still listed."""
_Seen = Literal["running", "gone", "unknown"]


@dataclass(frozen=True)
class Holder:
    """A process, with what is needed to find it again."""

    host: str
    place: str
    """Processes of the same place see each other: one boot of a machine, and one container on it."""
    pid: int
    started: str
    """When the process started. A later process with the same number started at another time."""
    at: float
    """When the reservation was made, in seconds since 1970; likewise `beat`."""
    beat: float
    """When the reservation was renewed last."""

    def is_running(self, now: float) -> bool:
        """Whether the process still runs, as far as can be seen from here.

        A process of another place, or one that may not be inspected, counts as running while its reservation is
        renewed.

        Args:
            now: the current time, in seconds since 1970.
        """
        seen = _seen(self.pid, self.started) if self.place == _place() else "unknown"
        return seen == "running" or (seen == "unknown" and abs(now - self.beat) < STALE_SECONDS)

    def __str__(self) -> str:
        """The process, the host and the time, for messages."""
        since = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {self.pid} on host {self.host} since {since}"

    @property
    def is_elsewhere(self) -> bool:
        """Whether the process cannot be seen from here."""
        return self.place != _place()


def this_process() -> Holder:
    """Return the current process, as the holder of a reservation that is made now."""
    now, pid = time.time(), os.getpid()
    return Holder(socket.gethostname(), _place(), pid, _started(pid) or "", now, now)


@cache
def _place() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _seen(pid: int, started: str) -> _Seen:
    if not started:
        return "unknown"
    now = _started(pid)
    if now is not None:
        return "running" if now == started else "gone"
    return "unknown" if _is_hidden(pid) else "gone"


def _started(pid: int) -> str | None:
    """Return when a process started; None if it is not listed or has ended."""
    return _started_of_proc(pid) if (_PROC / "self/stat").exists() else _started_of_ps(pid)


def _started_of_proc(pid: int) -> str | None:
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in _GONE else fields[19]  # see proc(5): fields 3 and 22


def _started_of_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split(maxsplit=1)
    return None if len(listed) < 2 or listed[0][0] in _GONE else listed[1].strip()


def _is_hidden(pid: int) -> bool:
    """Whether a process exists that is not listed, because it belongs to another user."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return False  # it is listed, and has ended

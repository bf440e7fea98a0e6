"""The process that holds a reservation, and whether it is still running."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters import processes

BEAT_SECONDS = 30.0
"""How often a running gate renews its reservation."""
STALE_SECONDS = 600.0
"""A reservation that was not renewed for this time has ended, if its process cannot be seen from here."""


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
        seen = "unknown" if self.is_elsewhere else processes.seen(self.pid, self.started)
        return seen == "running" or (seen == "unknown" and abs(now - self.beat) < STALE_SECONDS)

    def __str__(self) -> str:
        """The process, the host and the time, for messages."""
        since = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {self.pid} on host {self.host} since {since}"

    @property
    def is_elsewhere(self) -> bool:
        """Whether the process cannot be seen from here."""
        return self.place != processes.place()


def this_process() -> Holder:
    """Return the current process, as the holder of a reservation that is made now."""
    now, pid = time.time(), os.getpid()
    return Holder(socket.gethostname(), processes.place(), pid, processes.started(pid) or "", now, now)

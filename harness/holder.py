"""Who writes a database: a small file next to it, which messages to waiting processes name.

The file exists only during a write. A file that a killed process left is recognised by its process, which is gone.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters import processes

_SUFFIX = ".writer"
_PROCESSES = Path("/proc")


@dataclass(frozen=True)
class Writer:
    """A process that writes."""

    host: str
    pid: int
    command: str
    """The program and its verb, without arguments, which may be secret."""
    since: str
    """ISO 8601, in UTC."""
    started: str | None = None
    """When the process started, in the words of the operating system, because process ids are used again."""

    def __str__(self) -> str:
        place = "" if self.host == socket.gethostname() else f" on {self.host}"
        return f"process {self.pid}{place} ({self.command}), writing since {self.since}"

    @property
    def is_gone(self) -> bool:
        """Whether the process is known to have ended. Processes of other hosts are not known."""
        return self.host == socket.gethostname() and processes.seen(self.pid, self.started) == "gone"


@contextmanager
def recorded(database: Path) -> Iterator[None]:
    """Name this process as the writer of a database while the block runs. Call it inside a write transaction."""
    file = _file(database)
    with suppress(OSError):  # on a full disk there is no record, and the write itself says so
        file.write_text(json.dumps(asdict(_this_process())), "utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)


def holder(database: Path) -> str:
    """Return who writes a database, for messages; 'another program' if that cannot be found out."""
    with suppress(OSError, ValueError, TypeError):
        found = Writer(**json.loads(_file(database).read_text("utf-8")))
        if not found.is_gone:
            return str(found)
    others = list(_others_with_open(database))
    return f"process {' or '.join(others)}" if others else "another program"


def _file(database: Path) -> Path:
    return database.with_name(f"{database.name}{_SUFFIX}")


def _this_process() -> Writer:
    verb = next((word for word in sys.argv[1:2] if word.isalpha()), "")
    program = "harness" if Path(sys.argv[0]).name == "__main__.py" else Path(sys.argv[0]).name or "python"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Writer(socket.gethostname(), os.getpid(), f"{program} {verb}".strip(), now, processes.started(os.getpid()))


def _others_with_open(database: Path) -> Iterator[str]:
    """Other processes that have the file open, as far as /proc shows them."""
    with suppress(OSError):
        wanted = database.stat()
        for folder in _PROCESSES.glob("[0-9]*"):
            if int(folder.name) != os.getpid() and _has_open(folder, wanted):
                with suppress(OSError):
                    yield f"{folder.name} ({(folder / 'comm').read_text('utf-8', 'replace').strip()})"


def _has_open(process: Path, wanted: os.stat_result) -> bool:
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                if os.path.samestat(link.stat(), wanted):
                    return True
    return False

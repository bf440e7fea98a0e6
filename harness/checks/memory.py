"""The peak memory of a block of code, if the system reports it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MIB = 1 << 20
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


@dataclass
class Peak:
    """Peak memory in MiB, set when the block ends: of the GPU if torch used one, else of this process."""

    megabytes: float | None = None


@contextmanager
def watched() -> Iterator[Peak]:
    """Measure the peak memory of a block.

    On Linux the peak of the process is reset first, so earlier peaks do not count, but memory that is still in use
    does. On other systems it is the peak since the process began.
    """
    peak = Peak()
    with suppress(OSError):
        _RESET.write_text("5")
    cuda = _cuda()
    if cuda is not None:
        cuda.reset_peak_memory_stats()
    try:
        yield peak
    finally:
        peak.megabytes = _gpu() or _process()


def _process() -> float | None:
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) / 1024
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # not on Windows
        return None
    highest = getrusage(RUSAGE_SELF).ru_maxrss
    return highest / _MIB if sys.platform == "darwin" else highest / 1024


def _gpu() -> float | None:
    cuda = _cuda()
    return cuda.max_memory_allocated() / _MIB or None if cuda is not None else None


def _cuda() -> Any:
    torch: Any = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_available() else None

"""Readers that hang, fill the memory or end their process. They show that the driver notices; they are no files."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.fuzz.kinds import Kind, constant


def _hangs(_: Path) -> object:
    while True:
        pass


def _fills(_: Path) -> object:
    return bytearray(1 << 40)


def _dies(_: Path) -> object:
    os.kill(os.getpid(), signal.SIGKILL)
    return None


KINDS = {
    name: Kind(name, "mine/file", constant(b""), "text", read, share=0, sound=False, prepared=False)
    for name, read in (("driver-hangs", _hangs), ("driver-fills", _fills), ("driver-dies", _dies))
}

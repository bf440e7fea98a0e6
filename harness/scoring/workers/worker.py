"""A worker as the process that started it sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from multiprocessing import Pipe
from typing import cast

from harness.scoring.engine import AdapterSource, Key, PairChunk, TextChunk
from harness.scoring.workers.machine import variables
from harness.scoring.workers.messages import Message

_PROGRAM = (
    "import json, os, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, json.loads(sys.argv[2])); "
    "from harness.scoring.workers.main import main; main(int(sys.argv[3]))"
)
"""The modules are found as in this process, which need not have a main module that can be imported."""
_ENDING_SECONDS = 5.0


class Worker:
    """Starts a process with its own cores and, if there are any, its own GPU.

    Args:
        number: of the worker, from 0.
        group: the cores that it may use.
        devices: the number of GPUs.
    """

    def __init__(self, number: int, group: list[int], devices: int) -> None:
        self.number = number
        self.served = False
        """Whether it has finished a chunk."""
        self._known: set[Key] = set()
        self.connection, theirs = Pipe()
        places = json.dumps([place for place in sys.path if isinstance(place, str)])
        command = [sys.executable, "-P", "-c", _PROGRAM, places, json.dumps(group), str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env=variables(number, group, devices),
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def start(self, source: AdapterSource, chunk: PairChunk | TextChunk) -> None:
        """Send a chunk.

        Raises:
            OSError: the process is gone.
        """
        self.connection.send((source.key, None if source.key in self._known else source, chunk))
        self._known.add(source.key)

    def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            EOFError, OSError: the process is gone.
        """
        return cast(Message, self.connection.recv())

    def end(self, *, at_once: bool) -> str:
        """End the process, or wait until it ended. Return how it ended, for a message.

        Args:
            at_once: do not let it finish.
        """
        self.connection.close()
        try:
            code = self._process.wait(0 if at_once else _ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return _ending(code)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    memory = "; the system does this when memory is short" if name == "SIGKILL" and os.name == "posix" else ""
    return f"was ended by {name}{memory}"

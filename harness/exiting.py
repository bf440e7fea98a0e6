"""How the command line exits. Imports only the standard library: it has to work where nothing else can be imported.

Exit code 1 means that a check or a gate said no. Python exits with 1 after an uncaught exception, and with 120 if
its output cannot be written, so every way out goes through here.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import NoReturn

from harness.installation import failed_import

ENVIRONMENT = 6
DEFECT = 70
"""A bug: the EX_SOFTWARE of sysexits."""
INTERRUPTED = 130
"""Ctrl-C: 128 and the number of the signal, as in a shell."""
STOPPED = "stopped; run the same command again to continue"


def ensure_streams() -> None:
    """Open the standard streams that the caller has closed. Otherwise the next file that is opened, perhaps a database,
    takes the place of one, and what a library prints goes into it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 it stays open


def leave(message: str, code: int) -> NoReturn:
    """Print one line to stderr, and exit. Output that cannot be written does not change the code."""
    with suppress(Exception):
        print(f"harness: {' '.join(message.splitlines())} (exit {code})", file=sys.stderr, flush=True)  # noqa: T201
    for stream in (sys.stdout, sys.stderr):
        _emptied(stream)
    sys.exit(code)


def leave_after(error: BaseException) -> NoReturn:
    """Exit after an error that nobody expected: one line if a package of others cannot be imported, else the traceback.
    Code of others that calls `sys.exit` in the middle of a command is such an error too."""
    broken = failed_import(error)
    if broken is not None:
        leave(broken, ENVIRONMENT)
    with suppress(Exception):
        traceback.print_exception(error)
    leave("this is a bug in rerank-harness or in a plug-in; please report the lines above", DEFECT)


def _emptied(stream: object) -> None:
    """Write what a stream still holds. If that fails, drop it, because Python would fail again when it exits."""
    try:
        stream.flush()  # type: ignore[attr-defined]
    except Exception:
        with suppress(Exception):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[attr-defined]

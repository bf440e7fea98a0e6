"""The client of the process that runs the code of a model's folder: requests, answers, time limits, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

from adapters.errors import ModelError, UsageError, class_of
from adapters.paths import user_path
from adapters.working_folder import paths_of_libraries

_PROCESS = Path(__file__).with_name("own_code_process.py")
LOAD_SECONDS = 1800.0
"""The time limit for importing the libraries and loading a model."""
REQUEST_SECONDS, SECONDS_A_PAIR = 600.0, 10.0
"""The time limit of a request, and the time added for each pair that it scores."""
_ENDING_SECONDS = 10.0
_LONGEST = 300
_SECRET = re.compile(r"(^|_)(TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIALS?|(API|ACCESS|SECRET|PRIVATE)_?KEY)(_|$)")
"""Variables that the code of a model does not need, because nothing is fetched from a hub."""
_VERSIONS = (
    "import sys; sys.path[:] = filter(None, sys.path); "  # '' is the working folder, whose code must not run
    "import importlib.metadata, json; print(json.dumps(['.'.join(map(str, sys.version_info[:2])), "
    "importlib.metadata.version('transformers')]))"
)
_OTHER = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")
"""Variables that belong to this Python, not to another one."""


class CallFailed(ModelError):
    """The model answered a request with an error. The process keeps running."""


class OwnCodeProcess:
    """A process that starts and loads its model with the first request.

    Args:
        name: of the model, for messages.
        call: how the folder is called; the value of `load` in the first request.
        folder: where the process may write; removed with it.
        python: the interpreter; None for this one.
        advice: the end of the message if the model cannot be loaded.
    """

    def __init__(
        self, name: str, call: Mapping[str, Any], folder: Path, python: str | None = None, advice: str = ""
    ) -> None:
        self._name, self._call, self._folder, self._python, self._advice = name, call, folder, python, advice
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes]
        self._failure: ModelError | None = None
        self.device = "cpu"

    def ask(self, request: Mapping[str, Any], seconds: float = REQUEST_SECONDS) -> dict[str, Any]:
        """Send a request and return the answer.

        Args:
            seconds: the time limit.

        Raises:
            CallFailed: the code of the folder raised an error, or returned something other than scores.
            ModelError: the process ended, or took too long.
        """
        if self._failure is not None:  # it would fail again, perhaps after the same long time
            raise self._failure
        if self._process is None:
            self._start()
        return self._answered(request, seconds, "")

    def close(self) -> None:
        """End the process, if it runs. The next request starts a new one."""
        if self._process is not None:
            _end(self._process, self._errors)
        self._process = None

    def _start(self) -> None:
        python = self._python or sys.executable
        in_main_thread = threading.current_thread() is threading.main_thread()  # the system would end it with any other
        command = [python, str(_PROCESS), *(["--end-with-parent"] if in_main_thread else [])]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 it lives as long as the process
        try:
            self._process = subprocess.Popen(
                command, env=_environment(self._folder, other=self._python is not None),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
            )  # fmt: skip
        except OSError as error:
            self._errors.close()
            kind = class_of(error, UsageError)
            raise kind(f"{python}: cannot be started ({error.strerror}); check ?python=") from None
        weakref.finalize(self, _end, self._process, self._errors)
        path = [] if self._python else paths_of_libraries()
        try:
            found = self._answered({"load": self._call, "path": path}, LOAD_SECONDS, " while loading")
        except CallFailed as error:
            self.close()
            self._failure = ModelError(f"{error}{self._advice}")
            raise self._failure from None
        self.device = str(found["device"])

    def _answered(self, request: Mapping[str, Any], seconds: float, when: str) -> dict[str, Any]:
        process, late = self._process, threading.Event()
        assert process is not None

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            line = _exchanged(process, json.dumps(request).encode() + b"\n")
        except BaseException:  # a late answer must not be taken for the next one
            self.close()
            raise
        finally:
            timer.cancel()
        if line.endswith(b"\n"):
            return self._checked(json.loads(line), when)
        with contextlib.suppress(subprocess.TimeoutExpired):  # its end may take a moment longer than that of its output
            process.wait(_ENDING_SECONDS)
        process.kill()
        process.wait()
        limit = f"took longer than {seconds / 60:.0f} minutes and was ended" if late.is_set() else ""
        why = limit or self._why(process.returncode)
        self.close()
        self._failure = ModelError(f"'{self._name}': the process of its own code {why}{when}")
        raise self._failure

    def _checked(self, found: dict[str, Any], when: str) -> dict[str, Any]:
        if "error" in found:
            raise CallFailed(f"'{self._name}': its own code fails{when}: {found['error'][:_LONGEST]}")
        return found

    def _why(self, code: int) -> str:
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return f"ended with {code}{f' ({lines[-1].strip()[:_LONGEST]})' if lines else ''}"


def versions_of(python: str | None) -> dict[str, str]:
    """The versions of Python and transformers that the code of a folder runs with, for identities.

    Args:
        python: an interpreter; None for this one.

    Raises:
        UsageError: there is no such interpreter, or it has no transformers.
    """
    return dict(zip(("python", "transformers"), _versions(python or sys.executable, python is not None), strict=True))


@cache
def _versions(python: str, other: bool) -> tuple[str, str]:
    named = user_path(python)
    if not named.is_file():
        raise UsageError(f"?python={python}: there is no such file; name the interpreter of an environment")
    environment = {name: value for name, value in os.environ.items() if not other or name not in _OTHER}
    try:
        found = subprocess.run(
            [str(named), "-c", _VERSIONS], env=environment, capture_output=True, timeout=60, check=False
        )
        first, second = json.loads(found.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise UsageError(
            f"{python}: is no Python with the packages transformers and torch; install them there, or name another "
            "interpreter with ?python="
        ) from None
    return str(first), str(second)


def _exchanged(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """Send a request and read the answer; an answer without a line end is incomplete."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # it ended, and its errors say why
        process.stdin.write(request)
        process.stdin.flush()
    return process.stdout.readline()


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, errors):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _environment(folder: Path, *, other: bool) -> dict[str, str]:
    """Environment variables that keep the process off the hub and put its copies of the code into `folder`."""
    left_out: Sequence[str] = _OTHER if other else ()
    kept = {name: value for name, value in os.environ.items() if name not in left_out and not _SECRET.search(name)}
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_MODULES_CACHE": str(folder / "modules")}
    return {**kept, **offline, "TOKENIZERS_PARALLELISM": "false", "PYTHONDONTWRITEBYTECODE": "1"}

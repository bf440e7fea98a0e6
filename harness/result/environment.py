"""What is stored with every result to explain it: versions, hardware, the command."""

from __future__ import annotations

import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness.result.secrets import public_command

_PACKAGES = ("numpy", "pytrec-eval-terrier", "torch", "transformers", "sentence-transformers", "tokenizers")


def command_line() -> str:
    """Return the current command, quoted for a shell, with `~` for the home folder and `***` for secrets.

    It explains a result and is not part of its id.
    """
    module = Path(sys.argv[0]).name == "__main__.py"  # python -m harness
    return public_command(["harness", *sys.argv[1:]] if module else sys.argv)


def environment() -> dict[str, object]:
    """Return the versions of packages and the machine, which are stored with every result."""
    return {"python": platform.python_version(), "machine": machine(), "packages": dict(_versions())}


@cache
def _versions() -> tuple[tuple[str, str | None], ...]:
    """Read once per process, because each package is looked up in every folder of `sys.path`."""
    return tuple((name, _version(name)) for name in ("rerank-harness", *_PACKAGES))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def machine() -> str:
    """Return the hardware that explains a speed: system, architecture, processors."""
    return f"{platform.system()} {platform.machine()}, {_processor()}"


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(models)} x {models[0]}" if models else "unknown processor"

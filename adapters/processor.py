"""The processor features that affect the last digits of an engine with its own arithmetic."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

_DECIDING = (
    "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8",
    "asimd", "asimddp", "i8mm", "bf16", "sve", "sve2",
)  # fmt: skip
"""Extensions for which engines of quantised models have special kernels."""


@cache
def instruction_set() -> str:
    """The architecture with the extensions that matter, such as `x86_64+avx+avx2+fma`; only the architecture if the
    system does not list extensions."""
    flags = _flags()
    return "+".join([platform.machine(), *(name for name in _DECIDING if name in flags)])


def _flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    named = (line.partition(":")[2] for line in lines if line.lower().startswith(("flags", "features")))
    return set(next(named, "").split())

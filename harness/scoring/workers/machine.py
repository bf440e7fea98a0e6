"""What each process may use: GPUs, cores and memory of this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

from adapters.batching import DEVICE, cores, named_device
from adapters.errors import HarnessError, need
from adapters.models import ModelFolder, open_folder
from adapters.spec import parse

_MEMORY = Path("/proc/meminfo")
_GROUP_LIMIT, _GROUP_USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
_GPU_FILES = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
"""One of these exists where there is a GPU, so torch need not be imported to find none."""
_WEIGHTS = (".safetensors", ".bin", ".onnx", ".onnx_data")
_HALF = ("float16", "bfloat16")


def automatic(spec: str) -> int:
    """The number of processes for a model: one for each GPU; without a GPU one for each core, as long as all models
    together take at most half of the available memory."""
    if found := gpus(parse(spec).options.get("device")):
        return found
    size = model_bytes(spec)
    fit = available_bytes() // 2 // size if size else cores()
    return max(1, min(cores(), fit))


def gpus(device: str | None = None) -> int:
    """The number of GPUs that models are spread over; 0 if they run on another device.

    Args:
        device: the device that a spec names. Default: that of HARNESS_DEVICE, else a GPU if there is one.
    """
    seen = "torch" in sys.modules or any(file.exists() for file in _GPU_FILES)
    if (named_device(device) or "cuda") != "cuda" or not seen or importlib.util.find_spec("torch") is None:
        return 0
    return int(need("torch", "models", "running a model").cuda.device_count())


def core_groups(workers: int) -> list[list[int]]:
    """The cores of each process: as equal in number as possible, at least one; shared if there are too few cores."""
    mine = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(cores()))
    if workers >= len(mine):
        return [[mine[number % len(mine)]] for number in range(workers)]
    bounds = [number * len(mine) // workers for number in range(workers + 1)]
    return [mine[bounds[number] : bounds[number + 1]] for number in range(workers)]


def variables(number: int, group: list[int], devices: int) -> dict[str, str]:
    """The environment of a process: its threads, and its GPU if there are any.

    Args:
        number: of the process, from 0.
        group: its cores.
        devices: the number of GPUs.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    threads = min(int(asked), len(group)) if asked.isdecimal() and int(asked) else len(group)
    device = {DEVICE: f"cuda:{number % devices}"} if devices else {}
    return {**os.environ, "OMP_NUM_THREADS": str(threads), **device}


def model_bytes(spec: str) -> int:
    """Bytes of a model's weights in memory; 0 if the spec names no folder with weights."""
    parsed = parse(spec)
    if parsed.kind == "object" or not parsed.model:
        return 0
    try:
        folder = open_folder(parsed.model, parsed.revision)
        base = folder.base
    except HarnessError:
        return 0
    half = parsed.options.get("dtype") in _HALF
    return sum(_bytes(one, half=half) for one in (folder, base) if one is not None)


def _bytes(folder: ModelFolder, *, half: bool) -> int:
    files = (file for file in folder.path.rglob("*") if file.suffix in _WEIGHTS and file.is_file())
    size = sum(file.stat().st_size for file in files)
    stored_half = str(folder.config.get("torch_dtype") or folder.config.get("dtype")) in _HALF
    return size * 2 if stored_half and not half else size


def available_bytes() -> int:
    """Memory that new processes can use, within the limit of a container."""
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError):
        found = re.search(r"^MemAvailable:\s+(\d+) kB", _MEMORY.read_text(), re.MULTILINE)
        free = int(found[1]) * 1024 if found else free
    with suppress(OSError, ValueError):  # "max" is no limit
        free = min(free, int(_GROUP_LIMIT.read_text()) - int(_GROUP_USED.read_text()))
    return max(free, 0)

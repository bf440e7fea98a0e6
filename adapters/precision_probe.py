"""`--dtype auto`: which number format a model is fastest in on this device. It is measured once, and kept.

Half precision is several times faster on some processors and many times slower on others, so nothing is concluded from
the device's name. A product of matrices of the model's width comes first: if half precision does not win there, no
model is loaded. If it does, the model itself scores a few made-up pairs in both formats.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adapters.batching import pick_device
from adapters.errors import ModelError, UsageError, need
from adapters.identity import digest
from adapters.models import open_folder
from adapters.precision import WHOLE, Dtype, refuse_impossible
from adapters.processor import instruction_set
from adapters.protocols import Reranker
from adapters.spec import Spec, kinds, open_reranker, parse, with_option
from adapters.sums import DamagedFile, read_sealed, save_sealed, set_aside

FOLDER = "precision"
"""The folder in the workspace's cache with one file for each device and architecture."""
FASTER = 1.3
"""Half precision is chosen if it is this many times faster."""
_SECONDS = 0.25
"""How long each of the four measurements goes on, apart from its first call."""
_ROWS, _PAIRS, _WORDS = 256, 16, 120
_WIDTHS = ("hidden_size", "dim", "d_model", "n_embd", "emb_dim")
_USUAL_WIDTH = 768


@dataclass(frozen=True)
class PrecisionChoice:
    """The number format that `auto` became, and why."""

    dtype: Dtype
    half: Dtype
    """The half precision that was tried."""
    speedup: float
    """How many times faster it was than float32; 0 if it failed."""
    by: Literal["products of matrices", "the model", "an error"]
    """What was measured last. An error of half precision means float32."""
    device: str

    def __str__(self) -> str:
        return f"{self.dtype} ({self.half} is {self.speedup:.3g} times as fast as float32 here, by {self.by})"


@dataclass(frozen=True)
class Timers:
    """How the two measurements are made; tests pass their own."""

    product: Callable[[Dtype, str, int], float]
    """Seconds of one product, from format, device and width."""
    model: Callable[[str], float]
    """Seconds of one call of the model, from a spec."""


def resolve(spec: str, folder: Path | None, timers: Timers | None = None) -> PrecisionChoice:
    """The format to load a model in. A stored answer is used; a damaged one is set aside and measured again.

    Args:
        spec: of an embedder or a reranker with the option `dtype`, which it does not set.
        folder: the cache folder that keeps the answer. Checkpoints of one architecture share it. None: measure now.

    Raises:
        HarnessError: the model cannot be used in float32 either.
    """
    parsed = parse(spec)
    device = pick_device(parsed.options.get("device"))
    numbers, name = _numbers(parsed), _device_name(device)
    key = digest({"device": name, "torch": need("torch", "models", "running a model").__version__, "model": numbers})
    file = None if folder is None else folder / FOLDER / f"{key}.json"
    if file is not None and (kept := _kept(file)) is not None:
        return kept
    found = _measured(spec, device, name, _width(numbers), timers or Timers(time_product, time_model))
    if file is not None:
        with suppress(OSError):  # in a read-only workspace it is measured every time
            file.parent.mkdir(exist_ok=True)
            save_sealed(file, file.stem, asdict(found))
    return found


def read_choice(file: Path) -> PrecisionChoice:
    """A stored answer.

    Raises:
        DamagedFile: the file is not what was written.
    """
    found, proven = read_sealed(file, PrecisionChoice, file.stem, complete=True)
    if not proven:
        raise DamagedFile(f"{file}: it has no digest")
    return found


def _kept(file: Path) -> PrecisionChoice | None:
    if not file.exists():
        return None
    try:
        return read_choice(file)
    except DamagedFile as damage:
        set_aside(file, damage, "the number format is measured again")
        return None


def _measured(spec: str, device: str, name: str, width: int, timers: Timers) -> PrecisionChoice:
    half = _half_of(device)
    try:
        refuse_impossible(half, device)
    except UsageError:
        return PrecisionChoice(WHOLE, half, 0.0, "an error", name)
    speedup = timers.product(WHOLE, device, width) / timers.product(half, device, width)
    if speedup < FASTER:
        return PrecisionChoice(WHOLE, half, speedup, "products of matrices", name)
    whole = timers.model(spec)
    try:
        speedup = whole / timers.model(with_option(spec, "dtype", half))
    except ModelError:  # scores that are not finite, or a network without operations in half precision
        return PrecisionChoice(WHOLE, half, 0.0, "an error", name)
    return PrecisionChoice(half if speedup >= FASTER else WHOLE, half, speedup, "the model", name)


def _half_of(device: str) -> Dtype:
    """bfloat16, except on GPUs that only emulate it."""
    if not device.startswith("cuda"):
        return "bfloat16"
    torch = need("torch", "models", "running a model")
    return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"


def _device_name(device: str) -> str:
    """What decides about the speed of a device: the GPU's name, or the processor's extensions."""
    if device.startswith("cuda"):
        return str(need("torch", "models", "running a model").cuda.get_device_name(device))
    return instruction_set() if device.startswith("cpu") else device


def _numbers(spec: Spec) -> Mapping[str, object]:
    """What decides about the speed of a model: its kind and the numbers in its config.json, such as widths and layers.
    A class without a folder has its name."""
    plugged = spec.kind is not None and spec.kind not in kinds()
    if plugged or spec.kind == "object" or not spec.model:
        return {"spec": spec.text}
    config = open_folder(spec.model, spec.revision).config
    return {"kind": spec.kind, "options": dict(spec.options), **_whole_numbers(config)}


def _whole_numbers(config: Mapping[str, Any]) -> dict[str, object]:
    inner = {key: _whole_numbers(value) for key, value in config.items() if isinstance(value, Mapping)}
    plain = {key: value for key, value in config.items() if isinstance(value, int) and not isinstance(value, bool)}
    return {**plain, **{key: value for key, value in inner.items() if value}, "type": config.get("model_type")}


def _width(numbers: Mapping[str, object]) -> int:
    found = next((numbers[name] for name in _WIDTHS if name in numbers), _USUAL_WIDTH)
    return found if isinstance(found, int) and found > 0 else _USUAL_WIDTH


def time_product(dtype: Dtype, device: str, width: int) -> float:
    """Seconds of a product of matrices in a network of this width."""
    torch = need("torch", "models", "running a model")
    like = {"dtype": getattr(torch, dtype), "device": device}
    rows, weights = torch.ones(_ROWS, width, **like), torch.ones(4 * width, width, **like)
    return _seconds_of(lambda _: torch.nn.functional.linear(rows, weights)[0, 0].item())


def time_model(spec: str) -> float:
    """Seconds in which a model scores a few pairs, or embeds their documents."""
    try:
        opened = open_reranker(spec)
    except UsageError as error:
        raise UsageError(f"{error}; --dtype auto times pairs, so write ?dtype= for this model") from None
    seconds = _seconds_of(_call_of(opened))
    del opened
    gc.collect()  # gives the memory of the model back, also that of a GPU
    torch = need("torch", "models", "running a model")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return seconds


def _call_of(opened: Reranker) -> Callable[[int], object]:
    pairs = np.arange(_PAIRS, dtype=np.int64)[:, None].repeat(2, axis=1)

    def call(turn: int) -> object:
        queries, documents = ([_text(turn, number, words) for number in range(_PAIRS)] for words in (8, _WORDS))
        embedder = getattr(opened, "embedder", None)  # a reranker would keep the vectors
        return opened.score(queries, documents, pairs) if embedder is None else embedder.encode(documents, "document")

    return call


def _text(turn: int, number: int, words: int) -> str:
    return " ".join(f"word {(turn + 3 * number + 7 * place) % 1009}" for place in range(words // 2))


def _seconds_of(call: Callable[[int], object]) -> float:
    """Seconds of one call: the shortest of all that fit into the time. The first one warms up."""
    call(0)
    began, taken = time.perf_counter(), list[float]()
    while not taken or time.perf_counter() - began < _SECONDS:
        start = time.perf_counter()
        call(len(taken) + 1)
        taken.append(time.perf_counter() - start)
    return max(min(taken), 1e-9)

"""The precision of a student: bfloat16 layers by autocast, with weights, head, scores and loss in float32."""

from __future__ import annotations

from typing import Any

from adapters.errors import UsageError, need
from adapters.models import ModelFolder
from adapters.precision import heads_of
from adapters.processor import instruction_set
from training.settings import Precision

_ON_CPU = ("amx_bf16", "avx512_bf16", "bf16")
"""The extensions of x86 and ARM with which a CPU multiplies matrices in bfloat16."""


def is_half(precision: Precision, device: str) -> bool:
    """Whether the layers compute in bfloat16: `auto` uses it on a GPU that has it.

    Raises:
        UsageError: `bfloat16` is asked for, and the device does not compute in it.
    """
    able = _is_able(device)
    if precision == "bfloat16" and not able:
        need_of = " (a CPU needs AMX, AVX512_BF16, or ARM's bf16)" if device == "cpu" else ""
        raise UsageError(f"{device} does not compute in bfloat16{need_of}; set the precision to auto or float32")
    return precision == "bfloat16" or (precision == "auto" and able and device != "cpu")


def is_narrow(folder: ModelFolder) -> bool:
    """Whether a checkpoint is in bfloat16."""
    return str(folder.config.get("dtype") or folder.config.get("torch_dtype")) == "bfloat16"


def keep_head_whole(model: Any) -> None:
    """Compute the head of a network in float32 whatever the layers compute in. In bfloat16 scores would lie on a coarse
    grid, and different documents would get equal ones."""
    body = model.base_model
    if body is model:
        return
    pooler = getattr(body, "pooler", None)
    for part in [*(part for _, part in heads_of(model, body)), *([pooler] if callable(pooler) else [])]:
        part.forward = _without_autocast(part.forward)


def _without_autocast(forward: Any) -> Any:
    torch = need("torch", "models", "training")

    def whole(given: Any, *more: Any, **named: Any) -> Any:
        with torch.autocast(given.device.type, enabled=False):
            return forward(given.float(), *more, **named)

    return whole


def _is_able(device: str) -> bool:
    if device.startswith("cuda"):
        return bool(need("torch", "models", "training").cuda.is_bf16_supported())
    return device == "cpu" and not set(_ON_CPU).isdisjoint(instruction_set().split("+"))

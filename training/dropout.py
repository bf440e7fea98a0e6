"""Dropout that is switched off: on a CPU attention without it is a kernel of its own, and much faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.errors import need

if TYPE_CHECKING:
    from torch import nn


def switch_off(model: nn.Module) -> None:
    """Let every layer keep all that it computes, also while it is trained. The configuration stays as it is."""
    torch = need("torch", "models", "training")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name in _rates(module):
            setattr(module, name, 0.0)


def _rates(module: nn.Module) -> list[str]:
    """The attributes that attention hands to its kernel."""
    return [name for name, value in vars(module).items() if "dropout" in name and isinstance(value, float)]

"""Switch dropout off. On a CPU, attention without dropout has its own kernel, which is much faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.errors import need

if TYPE_CHECKING:
    from torch import nn


def switch_off(model: nn.Module) -> None:
    """Set all dropout rates of a model to 0, also for training. The configuration does not change."""
    torch = need("torch", "models", "training")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name in _rates(module):
            setattr(module, name, 0.0)


def _rates(module: nn.Module) -> list[str]:
    """The attributes with the dropout rates that attention passes to its kernel."""
    return [name for name, value in vars(module).items() if "dropout" in name and isinstance(value, float)]

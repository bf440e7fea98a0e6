"""Low-rank adaptation: every linear layer learns W + B A / sqrt(r), and only A, B and the score head are trained.

Hu et al. 2022 (arXiv 2106.09685), with the scale of rsLoRA (Kalajdzievski 2023, arXiv 2312.03732). The product is
merged into W when the model is written, so other programs can load it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from adapters.errors import UsageError, need

if TYPE_CHECKING:
    from torch import nn

HEADS = ("classifier", "score", "head", "pooler")
"""The names of the layers on top of the encoder, in all architectures."""


def is_head(name: str) -> bool:
    """Whether a parameter or module belongs to the score head."""
    return any(part in HEADS for part in name.split("."))


def add_lora(model: nn.Module, rank: int, frozen: nn.Module | None = None) -> None:
    """Freeze the encoder and give its linear layers low-rank updates. B starts at zero, so nothing changes at first.

    Args:
        frozen: a layer that gets no update, such as the output embeddings.

    Raises:
        UsageError: the rank is larger than a dimension of a layer.
    """
    torch = need("torch", "models", "training")
    parametrize = need("torch.nn.utils.parametrize", "models", "training")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_head(name))
    for name, layer in list(model.named_modules()):
        if isinstance(layer, torch.nn.Linear) and layer is not frozen and not is_head(name):
            if rank > min(layer.weight.shape):
                raise UsageError(
                    f"the LoRA rank {rank} is too large for the layer {name} of shape {tuple(layer.weight.shape)}; "
                    "lower it"
                )
            parametrize.register_parametrization(layer, "weight", _low_rank(torch, layer.weight, rank))


def folded(model: nn.Module) -> nn.Module:
    """The model with plain weights: a copy if it has low-rank updates, otherwise the model itself."""
    parametrize = need("torch.nn.utils.parametrize", "models", "training")
    if not any(map(parametrize.is_parametrized, model.modules())):
        return model
    plain = copy.deepcopy(model)
    for layer in plain.modules():
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    return plain


def _low_rank(torch: Any, weight: Any, rank: int) -> nn.Module:
    class LowRank(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
            self.b = torch.nn.Parameter(torch.zeros(weight.shape[0], rank))

        def forward(self, original: Any) -> Any:
            return original + self.b @ self.a / rank**0.5

    low_rank: nn.Module = LowRank()
    return low_rank

"""Low-rank adaptation: every linear layer computes W x + B A x / sqrt(r), and only A, B and the score head are trained.

Hu et al. 2022 (arXiv 2106.09685), with the scale of rsLoRA (Kalajdzievski 2023, arXiv 2312.03732). The product is added
to W when the model is written, so other programs can load it.
"""

from __future__ import annotations

import copy
from functools import cache
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
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_head(name))
    for name, layer in list(model.named_modules()):
        if isinstance(layer, torch.nn.Linear) and layer is not frozen and not is_head(name):
            if rank > min(layer.weight.shape):
                raise UsageError(
                    f"the LoRA rank {rank} is too large for the layer {name} of shape {tuple(layer.weight.shape)}; "
                    "lower it"
                )
            _low_rank().add_to(layer, rank)


def folded(model: nn.Module) -> nn.Module:
    """The model with plain weights: a copy if it has low-rank updates, otherwise the model itself."""
    if not any(isinstance(layer, _low_rank()) for layer in model.modules()):
        return model
    plain = copy.deepcopy(model)
    for layer in plain.modules():
        if isinstance(layer, _low_rank()):
            layer.fold()
    return plain


def halve_frozen(model: nn.Module) -> None:
    """Keep the frozen matrices of a model in bfloat16. Nothing is lost if its checkpoint is in bfloat16. Vectors, such
    as norms and biases, and what embeddings put out stay float32."""
    torch = need("torch", "models", "training")
    for layer in model.modules():
        weight: Any = getattr(layer, "weight", None)
        if isinstance(layer, torch.nn.Linear | torch.nn.Embedding) and not weight.requires_grad:
            weight.data = weight.data.to(torch.bfloat16)
        if isinstance(layer, torch.nn.Embedding):
            layer.register_forward_hook(_widened)


def _widened(_: object, __: object, found: Any) -> Any:
    return found.float()


@cache
def _low_rank() -> Any:
    torch: Any = need("torch", "models", "training")

    class LowRank(torch.nn.Linear):  # type: ignore[misc]
        """A linear layer with a low-rank update. The product of A and B is not computed while training."""

        @staticmethod
        def add_to(layer: Any, rank: int) -> None:
            """Turn a linear layer into one with an update."""
            rows, columns = layer.weight.shape
            layer.low_a = torch.nn.Parameter(torch.randn(rank, columns) / columns**0.5)
            layer.low_b = torch.nn.Parameter(torch.zeros(rows, rank))
            layer.__class__ = LowRank

        def forward(self, given: Any) -> Any:
            """See torch."""
            linear = torch.nn.functional.linear
            update = linear(linear(given, self.low_a), self.low_b)
            return super().forward(given) + update / self.low_a.shape[0] ** 0.5

        @torch.no_grad()  # type: ignore[untyped-decorator]
        def fold(self) -> None:
            """Add the update to the weight, in float32, and become a plain layer."""
            update = self.low_b @ self.low_a / self.low_a.shape[0] ** 0.5
            self.weight.data = self.weight.data.float() + update
            del self.low_a, self.low_b
            self.__class__ = torch.nn.Linear

    return LowRank

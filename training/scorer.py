"""What a kind of model has to bring to be trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.protocols import Integers
from training.encoded import Encoder

if TYPE_CHECKING:
    from torch import Tensor, nn


def _nothing(folder: Path) -> None:
    """Write nothing."""


@dataclass(frozen=True)
class Scorer:
    """How a kind of model scores pairs while it is trained."""

    model: nn.Module
    """On its device, with float32 weights; what it shall not learn needs no gradient."""
    encoder: Encoder
    """It makes the inputs as the model's adapter makes them."""
    logits: Callable[[Any, Integers], Tensor]
    """The scores of some rows of what the encoder made, in one call of the model, [rows]."""
    about: Mapping[str, object]
    """What the manifest says of it."""
    grown: tuple[str, ...] = ()
    """Tensors that the base did not have."""
    declare: Callable[[Path], None] = _nothing
    """Writes into a folder with the model how it is asked, where that is not in its configuration."""

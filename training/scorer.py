"""The interface that a kind of model implements to be trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.protocols import Integers
from training.encoded import Encoder, Instruct

if TYPE_CHECKING:
    from torch import Tensor, nn


def _nothing(folder: Path) -> None:
    """Write nothing."""


@dataclass(frozen=True)
class Scorer:
    """How a kind of model scores pairs while it is trained."""

    model: nn.Module
    """The network on its device, with float32 weights. Frozen parameters need no gradient."""
    encoder: Encoder
    """Makes the same inputs as the model's adapter."""
    logits: Callable[[Any, Integers], Tensor]
    """Scores rows of the encoder's inputs in one call of the model, [rows]."""
    about: Mapping[str, object]
    """The entries of the manifest about the model."""
    grown: tuple[str, ...] = ()
    """Tensors that the base did not have."""
    instruct: Instruct | None = None
    """Makes the encoder of an instruction; None if the inputs have no place for one."""
    declare: Callable[[Path], None] = _nothing
    """Writes the prompt into the model's folder, if the model's configuration does not have it."""
    write: Callable[[nn.Module, Path, Any], None] | None = None
    """Writes the model with its tokenizer into a folder, in a torch dtype. Default: as a model of transformers."""

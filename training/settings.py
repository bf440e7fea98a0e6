"""What decides the result of a training run. Whatever only changes its speed is in `Machine`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

from adapters.errors import UsageError
from training.losses import Loss

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters. They are in the manifest, and in the identity of the run."""

    loss: Loss = field(default_factory=Loss)
    epochs: int = 1
    max_steps: int | None = None
    """Stop there; 0 writes the base as it is."""
    queries: int = 8
    """Of a step, each with all its documents."""
    window: int = 50
    learning_rate: float = 2e-5
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises; then it falls to 0 in a line."""
    weight_decay: float = 0.01
    clip: float = 1.0
    """Norm of the gradient, at most."""
    max_length: int | None = None
    """Tokens of a whole input; default: what the base declares. The adapter will cut as training did."""
    lora_rank: int = 0
    """0 trains all weights."""
    new_head: bool = False
    dropout: bool = True
    """As the base's configuration has it; False switches it off."""
    replay_share: float = 0.2
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or (self.max_steps is not None and self.max_steps < 0) or self.lora_rank < 0:
            raise UsageError("epochs start at 1, steps and the LoRA rank at 0")
        if not self.learning_rate > 0 or not 0 <= self.warmup < 1 or self.weight_decay < 0 or not self.clip > 0:
            raise UsageError("training needs --lr > 0, --warmup from 0 to below 1, --weight-decay >= 0 and --clip > 0")

    def describe(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    def rate(self, step: int, total: int) -> float:
        """The learning rate of a step, from 0: up in a line, down in a line."""
        rising = max(1, round(self.warmup * total))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        return self.learning_rate * (total - step) / max(1, total - rising)


@dataclass(frozen=True)
class Machine:
    """How the work is done; it does not change what is trained, beyond rounding."""

    device: str | None = None
    batch_tokens: int | None = None
    """Padded tokens of one model call within a step."""
    gradient_checkpointing: bool = False
    """Compute activations twice instead of keeping them."""
    save_every: int | None = None
    """Keep a model folder every so many steps, in OUT.steps."""
    resume_seconds: float = 120.0
    """How often the state is written that a killed run goes on from."""

    def __post_init__(self) -> None:
        if min(self.batch_tokens or 1, self.save_every or 1) < 1:
            raise UsageError("--batch-tokens and --save-every start at 1")

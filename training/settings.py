"""The settings that decide the result of a training run. Those that only change its speed are in `Machine`.

The classes are also tables of a configuration and options of the command line: a field's type gives its range, and its
docstring is the help.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from adapters.typed_values import Count, Positive
from training.augmentation import Augmentation
from training.keys import check, one_of

if TYPE_CHECKING:
    from torch import Tensor

Precision = Literal["auto", "float32", "bfloat16"]
Schedule = Literal["linear", "cosine", "constant"]
AboveZero = Annotated[float, Meta(gt=0)]
ZeroOrMore = Annotated[float, Meta(ge=0)]
BelowOne = Annotated[float, Meta(ge=0, lt=1, description="a number from 0 to below 1")]
SEED = 0
"""The default of every seed."""


def _losses() -> Iterable[str]:
    from training.losses import LOSSES

    return LOSSES


def _logs() -> Iterable[str]:
    from training.logs import LOGS

    return LOGS


LogName = Annotated[str, one_of(_logs)]
"""A name of `training.logs.LOGS`."""
LossName = Annotated[str, one_of(_losses)]
"""A name of `training.losses.LOSSES`."""


@dataclass(frozen=True)
class Loss:
    """The loss, and how the teacher's scores become its targets."""

    name: LossName = "hinge"
    """The loss. docs/training.md defines each."""
    scale: AboveZero = 1.0
    """Targets are scale x (score - shift). With hinge, the student's gaps should be scale times the teacher's."""
    shift: float = 0.0
    """Subtracted from the scores before they are scaled."""
    sigmoid: bool = False
    """Use the sigmoid of scale x (score - shift) as the target."""
    temperature: AboveZero = 1.0
    """The temperature of the losses kl and infonce."""
    smallest_gap: ZeroOrMore = 0.0
    """Leave out pairs whose scores differ by no more than this, before the scale. For hinge and margin-mse."""

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if self.sigmoid and self.smallest_gap:
            return "smallest_gap has no meaning with sigmoid; set only one of them"
        return None

    def describe(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    def targets(self, scores: Tensor) -> Tensor:
        """The targets of a teacher's scores, float32."""
        moved = (scores.float() - self.shift) * self.scale
        return moved.sigmoid() if self.sigmoid else moved

    def __call__(self, scores: Tensor, teacher: Tensor, sizes: Sequence[int]) -> Tensor:
        """The loss, a scalar in float32.

        Args:
            scores: the student's logits, [pairs], with those of a query next to each other.
            teacher: the teacher's raw scores, [pairs].
            sizes: the number of documents of each query, in order.
        """
        from training.losses import LOSSES

        grouped = LOSSES[self.name].made(self.temperature, self.smallest_gap * self.scale)
        return grouped(scores.float(), self.targets(teacher), sizes)


@dataclass(frozen=True)
class TrainingRecipe:
    """How a model is trained."""

    loss: Loss = field(default_factory=Loss)
    augmentation: Augmentation = field(default_factory=Augmentation)
    epochs: Positive = 1
    """The number of passes over the examples."""
    max_steps: Count | None = None
    """Stop after this number of steps. 0 writes the base unchanged. Default: no limit."""
    queries: Positive = 8
    """Queries per step, each with all its documents."""
    window: Positive = 50
    """Batches that are sorted together by length. 1 makes them random."""
    learning_rate: AboveZero = 2e-5
    """The highest learning rate."""
    warmup: BelowOne = 0.1
    """The share of steps in which the learning rate rises."""
    schedule: Schedule = "linear"
    """The learning rate after the warmup: a linear or cosine decay to 0, or constant."""
    weight_decay: ZeroOrMore = 0.01
    """The decay of the weights. Biases and norms are not decayed."""
    clip: AboveZero = 1.0
    """The largest norm of the gradient."""
    max_length: Positive | None = None
    """The most tokens of an input, query and document together. Default: the limit of the base."""
    lora_rank: Count = 0
    """Train low-rank updates of this rank. 0 trains all weights."""
    freeze_embeddings: bool = False
    """Do not train the embeddings of tokens and positions. In multilingual models they are most of the weights.
    Low-rank updates never train them."""
    new_head: bool = False
    """Add a score head to a base that has none. It is random at first."""
    dropout: bool = True
    """Train with the dropout that the base declares. Without it training is faster on a CPU."""
    precision: Precision = "auto"
    """The precision of the layers. auto is bfloat16 where the GPU supports it, otherwise float32."""

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if self.lora_rank and self.freeze_embeddings:
            return "low-rank updates (lora_rank) never train the embeddings; leave out freeze_embeddings"
        return None


@dataclass(frozen=True)
class MixedRecipe(TrainingRecipe):
    """How a model is trained on its examples and on general ones."""

    replay_share: BelowOne = 0.2
    """The share of general examples in an epoch, 0 to below 1."""


@dataclass(frozen=True)
class Settings(MixedRecipe):
    """The hyper-parameters of a training run. They are part of the manifest and of the run's identity."""

    seed: Count = SEED
    """The random seed for order, dropout, new tensors and the choice of documents."""

    def describe(self) -> dict[str, object]:
        """As plain values. Keys that a later version added are left out where they have their default, so that earlier
        runs keep their identity."""
        described = {**asdict(self), "augmentation": self.augmentation.describe()}
        return {name: value for name, value in described.items() if name not in _ADDED or value != _ADDED[name]}

    def rate(self, step: int, total: int) -> float:
        """The learning rate of a step, counted from 0: a linear warmup, then the schedule.

        After the warmup it is that of transformers' `get_linear_schedule_with_warmup`,
        `get_cosine_schedule_with_warmup` or `get_constant_schedule_with_warmup`. In the warmup it is that of their next
        step, because their first step has the rate 0 and teaches nothing.
        """
        rising = max(1, round(self.warmup * total))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        left = (total - step) / max(1, total - rising)
        return self.learning_rate * _SHARES[self.schedule](left)


_ADDED: dict[str, object] = {
    "schedule": TrainingRecipe.schedule, "augmentation": {}, "freeze_embeddings": TrainingRecipe.freeze_embeddings,
}  # fmt: skip
_SHARES: dict[Schedule, Callable[[float], float]] = {
    "linear": lambda left: left,
    "cosine": lambda left: (1 + math.cos(math.pi * (1 - left))) / 2,
    "constant": lambda _: 1.0,
}
"""The share of the highest learning rate for the share of the steps after the warmup that is left."""


def settings_of(recipe: TrainingRecipe, **more: Any) -> Settings:
    """The hyper-parameters of a recipe; `more` sets fields that the recipe does not have, or overrides them.

    Raises:
        UsageError: a value is out of its range.
    """
    names = {one.name for one in fields(Settings)}
    values = {one.name: getattr(recipe, one.name) for one in fields(recipe) if one.name in names}
    return Settings(**{**values, **more})


@dataclass(frozen=True)
class Hardware:
    """How the work is done on this machine. It does not change the result, except for rounding."""

    device: str | None = None
    """A torch device such as cpu or cuda:1. Default: a GPU if there is one."""
    batch_tokens: Positive | None = None
    """Padded tokens per model call within a step. Default: as the device allows."""
    gradient_checkpointing: bool = False
    """Compute activations twice instead of keeping them, to save memory."""
    gradient_accumulation: Positive = 1
    """Compute the gradient of a step in this number of parts, to save memory. Above 1, every pair is scored twice."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Machine(Hardware):
    """How one training run uses this machine, and what it saves on the way."""

    save_every: Positive | None = None
    """Save a checkpoint in OUT.steps every N steps. Default: never."""
    log_to: tuple[LogName, ...] = ()
    """Show loss, gradient and dev values in tensorboard, trackio, wandb or mlflow, too. Default: in history.jsonl
    only."""
    resume_seconds: float = 120.0
    """The seconds between saves of the state from which a killed run continues."""


def machine_of(hardware: Hardware) -> Machine:
    """The machine settings of training runs that save no checkpoints on the way."""
    return Machine(**{one.name: getattr(hardware, one.name) for one in fields(Hardware)})


@dataclass(frozen=True)
class DevEvaluation:
    """The evaluation of a training run on dev queries. The best step is kept."""

    target: str | None = None
    """The collection that steps are compared on. The best step is kept, step 0 included. Default: none, and the last
    step is kept."""
    split: str | None = None
    """The split of its judgments. Default: test, or the only split. Without a policy test and final are refused."""
    policy: Path | None = None
    """The policy of a later gate. Only its dev tier is used, and no query of its gate or final tier. Default: the whole
    collection."""
    first_stage: str | None = None
    """The first stage of the evaluation: a spec, given, or run:FILE. Default: the policy's, otherwise as in harness
    run."""
    depth: Positive | None = None
    """Candidates per query. Default: the policy's, otherwise 100."""
    measure: str | None = None
    """The measure that decides. Default: the policy's, otherwise that of the collection, such as nDCG@10."""
    every: Positive = 100
    """Evaluate after every N steps. The start and the last step are always evaluated."""
    patience: Positive | None = None
    """Stop after this number of evaluations in a row without a better one. Default: never."""

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        others = ("split", "policy", "first_stage", "depth", "measure", "patience")
        given = [name for name in others if getattr(self, name) is not None]
        if given and self.target is None:
            return f"{given[0]} belongs to a dev evaluation; name its collection with --dev"
        return None

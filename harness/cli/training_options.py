"""The options of training, once for all verbs that train a checkpoint, and what becomes of them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from harness.cli.options import _flag, _option

if TYPE_CHECKING:
    from training.settings import Machine, Settings

_FIELD = "training"


@dataclass(frozen=True, kw_only=True)
class Training:
    """What the command line says of a training. Every field is an option."""

    loss: Annotated[
        Literal["hinge", "margin-mse", "bce", "mse", "ranknet", "lambda", "listnet", "adr-mse", "kl"],
        _option("loss", "The loss. docs/training.md defines each."),
    ] = "hinge"
    scale: Annotated[
        float, _option("scale", "Targets are scale x (score - shift). For pairwise losses it is lambda.")
    ] = 1.0
    shift: Annotated[float, _option("shift", "See --scale.")] = 0.0
    sigmoid: Annotated[bool, _flag("sigmoid", "Use the sigmoid of scale x (score - shift) as the target.")] = False
    temperature: Annotated[float, _option("temperature", "The temperature of the kl loss.")] = 1.0
    smallest_gap: Annotated[
        float, _option("smallest-gap", "Leave out pairs whose scores differ by no more than this.")
    ] = 0.0  # fmt: skip
    epochs: Annotated[int, _option("epochs", "The number of passes over the examples.", min=1)] = 1
    max_steps: Annotated[
        int | None, _option("max-steps", "Stop after this number of steps. 0 writes the base unchanged.", min=0)
    ] = None
    batch_queries: Annotated[
        int, _option("batch-queries", "Queries per step, each with all its documents.", min=1)
    ] = 8  # fmt: skip
    learning_rate: Annotated[float, _option("lr", "The highest learning rate.")] = 2e-5
    warmup: Annotated[float, _option("warmup", "The share of the steps in which the learning rate rises.")] = 0.1
    weight_decay: Annotated[
        float, _option("weight-decay", "The decay of the weights. Biases and norms are not decayed.")
    ] = 0.01
    max_length: Annotated[
        int | None, _option("max-length", "Tokens of a whole input. Default: the limit of the base.", min=1)
    ] = None  # fmt: skip
    lora_rank: Annotated[
        int, _option("lora-rank", "Train low-rank updates of this rank. 0 trains all weights.", min=0)
    ] = 0  # fmt: skip
    new_head: Annotated[
        bool, _flag("new-head", "Add a score head to a base that has none. It is random at first.")
    ] = False  # fmt: skip
    no_dropout: Annotated[
        bool, _flag("no-dropout", "Train without dropout, whatever the base declares. This is faster on a CPU.")
    ] = False  # fmt: skip
    replay_share: Annotated[
        float, _option("replay-share", "The share of general examples in an epoch, 0 to below 1.")
    ] = 0.2  # fmt: skip
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        _option("precision", "The precision of the layers. auto is bfloat16 where the GPU supports it."),
    ] = "auto"
    gradient_checkpointing: Annotated[
        bool, _flag("gradient-checkpointing", "Compute activations twice instead of keeping them, to save memory.")
    ] = False  # fmt: skip
    batch_tokens: Annotated[
        int | None, _option("batch-tokens", "Padded tokens per model call within a step.", min=1)
    ] = None  # fmt: skip
    seed: Annotated[int, _option("seed", "The random seed of order, dropout, new tensors and documents.", min=0)] = 0
    device: Annotated[
        str | None, _option("device", "A torch device such as cpu or cuda:1. Default: a GPU if there is one.")
    ] = None

    def settings(self) -> Settings:
        """What decides the result.

        Raises:
            UsageError: a number is out of its range.
        """
        from training.losses import Loss
        from training.settings import Settings

        loss = Loss(self.loss, self.scale, self.shift, self.sigmoid, self.temperature, self.smallest_gap)
        return Settings(
            loss=loss, epochs=self.epochs, max_steps=self.max_steps, queries=self.batch_queries,
            learning_rate=self.learning_rate, warmup=self.warmup, weight_decay=self.weight_decay,
            max_length=self.max_length, lora_rank=self.lora_rank, new_head=self.new_head,
            dropout=not self.no_dropout,
            replay_share=self.replay_share, precision=self.precision, seed=self.seed,
        )  # fmt: skip

    def machine(self, save_every: int | None = None) -> Machine:
        """What only decides how fast it is there."""
        from training.settings import Machine

        return Machine(self.device, self.batch_tokens, self.gradient_checkpointing, save_every)


Verb = Callable[..., None]


def with_training(*, without: tuple[str, ...] = (), **defaults: object) -> Callable[[Verb], Verb]:
    """Give a verb the options of training, in the place of its parameter `training`.

    Args:
        without: fields that the verb does not offer; it gets their defaults.
        defaults: of the verb's own, by the name of the field.
    """
    hints = get_type_hints(Training, include_extras=True)
    offered = [
        _parameter(one.name, hints[one.name], defaults.get(one.name, one.default))
        for one in fields(Training)
        if one.name not in without
    ]

    def decorated(verb: Verb) -> Verb:
        @functools.wraps(verb)
        def run(**given: Any) -> None:
            training = Training(**{one.name: given.pop(one.name) for one in offered})
            verb(**given, **{_FIELD: training})

        parameters = [one for own in _parameters(verb) for one in (offered if own.name == _FIELD else [own])]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorated


def _parameters(verb: Verb) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(verb, include_extras=True)
    for one in inspect.signature(verb).parameters.values():
        yield _parameter(one.name, hints[one.name], one.default)


def _parameter(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

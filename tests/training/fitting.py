"""What the tests of training share: a few examples, small settings, one thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.errors import ModelError
from harness.progress import Advance, Silent
from training.examples import Example, Examples
from training.settings import Loss, Settings

QUICK = Settings(loss=Loss("mse"), epochs=2, learning_rate=1e-3, queries=4, window=2)
"""Six steps over `some_examples`."""


@dataclass
class Planned:
    """Gives planned values in turn, and notes what it has measured."""

    values: dict[int, float | None]
    every: int = 1
    patience: int | None = None
    seen: list[int] = field(default_factory=list)

    def describe(self) -> dict[str, object]:
        return {"queries": "planned", "measure": "nDCG@10", "every": self.every, "patience": self.patience}

    def refuse_trained(self, queries: Iterable[str]) -> None:
        """Every query may be trained on."""

    def value(self, checkpoint: Path) -> float:
        step = int(checkpoint.name.removeprefix("step-"))
        self.seen.append(step)
        assert (checkpoint / "model.safetensors").is_file()
        value = self.values[step]
        if value is None:
            raise ModelError("ranks in reverse")
        return value


class KilledAfter(Silent):
    """A run that is ended from outside after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Advance]:
        yield self._advance

    def _advance(self, steps: int) -> None:
        self.left -= steps
        if self.left <= 0:
            raise KeyboardInterrupt


def some_examples(count: int = 12, documents: int = 4) -> Examples:
    """Examples of unequal lengths, scored 0, 1, 2, ..."""
    return Examples(tuple(_example(number, documents) for number in range(count)))


def tensors(folder: Path) -> dict[str, Any]:
    """The weights of a model folder."""
    from safetensors.torch import load_file

    return {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}


def same_weights(one: Path, other: Path) -> bool:
    """Whether two folders have the same tensors, bit by bit."""
    import torch

    left, right = tensors(one), tensors(other)
    return set(left) == set(right) and all(torch.equal(left[name], right[name]) for name in left)  # type: ignore[arg-type]


def _example(number: int, documents: int) -> Example:
    texts = tuple(f"text {place} " + "of the " * (number % 5 + place) for place in range(documents))
    return Example(f"what is {number}", texts, tuple(float(place) for place in range(documents)))

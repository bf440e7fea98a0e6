"""The plan of a merge: what is done with each tensor, decided from headers only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from adapters.errors import ModelError
from training.merging.agreement import MergeableCheckpoints
from training.merging.alignment import is_buffer
from training.merging.checkpoint import Checkpoint
from training.merging.methods import Values, check_values, whole
from training.merging.recipe import DTYPES, Recipe
from training.merging.tensors import Tensor

LAYER = re.compile(r"^(?P<stack>(?:.*\.)?(?:layers?|h|blocks?))\.(?P<number>\d+)\.")
_ROUTER = re.compile(r"(^|\.)(router|gate)(\.\w+)?\.(weight|bias)$")


@dataclass(frozen=True)
class Step:
    """One tensor of the output."""

    key: str
    action: Literal["merge", "keep"]
    """`keep` copies home's tensor, because it is computed, has no floats, or only home has it."""
    home: Tensor
    dtype: str
    """The dtype of the output, as safetensors names it."""
    sources: tuple[Tensor, ...] = ()
    """The tensors whose inner products the method uses, without the base if it uses differences to the base."""
    base: Tensor | None = None
    """The tensor that is subtracted; None if the method uses the weights."""
    values: Values | None = None
    whole: int = 1
    """The number of elements that the method reads together: those of a row, for methods by row."""

    @property
    def mask_key(self) -> str:
        """The key for random masks of this tensor."""
        return self.key


def plan(recipe: Recipe, home: Checkpoint, inputs: Sequence[Checkpoint], agreed: MergeableCheckpoints) -> list[Step]:
    """A step for each tensor of the output, in the order of home's files.

    Args:
        inputs: the inputs, with home's names for their tensors.
        agreed: the tensors that only home has, and those that are left out.

    Raises:
        ModelError: a tensor has a number format that cannot be merged.
        UsageError: the recipe gives no value for a setting that a tensor needs.
    """
    depths = layer_depths(home.tensors)
    steps = []
    for key, tensor in home.tensors.items():
        if key in agreed.copies:
            continue
        if is_buffer(key) or key in agreed.kept or not _floats(key, home, inputs):
            steps.append(Step(key, "keep", tensor, tensor.dtype))
        else:
            read = [one.tensors[key] for one in inputs]
            steps.append(merged(recipe, key, tensor, read, depths.get(key, 0.0)))
    return steps


def _floats(key: str, home: Checkpoint, inputs: Sequence[Checkpoint]) -> bool:
    tensor = home.tensors[key]
    if all(one.tensors[key].mergeable for one in (home, *inputs)):
        return tensor.mergeable
    if any(one.tensors[key].dtype != tensor.dtype or _differ(tensor, one.tensors[key]) for one in inputs):
        raise ModelError(
            f"merge: the tensor '{key}' has the format {tensor.dtype} in {home.name} and differs between checkpoints, "
            f"but only bfloat16, float16 and float32 can be merged"
        )
    return False


def _differ(one: Tensor, other: Tensor) -> bool:
    return not np.array_equal(one.raw(), other.raw())


def merged(  # noqa: PLR0917
    recipe: Recipe, key: str, home: Tensor, inputs: Sequence[Tensor], depth: float, names_in: Sequence[str] = ()
) -> Step:
    """The step that merges one tensor of each input of the recipe.

    Args:
        key: the name in the output.
        home: the name, shape and format in the output.
        depth: the depth of the layer, 0 (first) to 1 (last).
        names_in: the name in each input, which the filters of its own settings are compared with. Default: `key`.
    """
    rule = recipe.rule
    names = [one.model for one in recipe.inputs]
    with_base = rule.space != "weights" and recipe.base in names
    seen = [index for index, name in enumerate(names) if not (with_base and name == recipe.base)]
    shared = {name: recipe.shared(name, key, depth) for name in rule.shared}
    read_as = names_in or [key] * len(inputs)
    per_input = {
        name: np.array([recipe.of_input(index, name, read_as[index], depth) for index in seen], dtype=np.float64)
        for name in rule.per_input
    }
    values = Values(shared, per_input)
    check_values(recipe.method, values)
    return Step(
        key, "merge", home, DTYPES[recipe.dtype] if recipe.dtype else home.dtype,
        tuple(inputs[index] for index in seen), inputs[names.index(str(recipe.base))] if with_base else None,
        values, whole(recipe.method, values, home.shape),
    )  # fmt: skip


def layer_depths(names: Iterable[str]) -> Mapping[str, float]:
    """The depth of each tensor of a numbered layer in its stack: 0 (first) to 1 (last), or 1 for a single layer."""
    matches = {name: match for name in names if (match := LAYER.match(name))}
    last: dict[str, int] = {}
    for match in matches.values():
        last[match["stack"]] = max(last.get(match["stack"], 0), int(match["number"]))
    return {
        name: int(match["number"]) / last[match["stack"]] if last[match["stack"]] else 1.0
        for name, match in matches.items()
    }


def routers(steps: Sequence[Step]) -> list[str]:
    """The tensors that choose experts. Models that were trained separately have no common order of experts."""
    return [step.key for step in steps if step.action == "merge" and _ROUTER.search(step.key)]

"""The plan of a merge whose layers are put together from slices, as mergekit does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from adapters.errors import ModelError
from training.merging.agreement import MergeableCheckpoints
from training.merging.alignment import is_buffer
from training.merging.checkpoint import Checkpoint
from training.merging.layers import LayerCounts, is_first, layers_of
from training.merging.plan import Step, merged
from training.merging.recipe import Recipe
from training.merging.tensors import Tensor


@dataclass(frozen=True)
class _Read:
    """A tensor of an input: its name there, and where it is."""

    name: str
    tensor: Tensor


@dataclass(frozen=True)
class _Stack:
    recipe: Recipe
    home: Checkpoint
    opened: Mapping[str, Checkpoint]
    """The models by their name in the recipe, with home's names for their tensors."""
    agreed: MergeableCheckpoints
    layers: Mapping[str, LayerCounts]

    @property
    def _own(self) -> LayerCounts:
        return self.layers[self.home.name]

    def outside(self, first: bool) -> Iterator[Step]:
        """The tensors before the layers, or all others outside the layers."""
        part = self.recipe.before if first else self.recipe.after
        for key in self.home.tensors:
            if key in self.agreed.copies or self._own.has(key) or is_first(key) is not first:
                continue
            read = [one.tensors.get(key) for one in (self.opened[each.model] for each in part.inputs)]
            found = [_Read(key, tensor) for tensor in read if tensor is not None]
            if key in self.agreed.kept or len(found) < len(read):
                yield Step(key, "keep", self.home.tensors[key], self.home.tensors[key].dtype)
            else:
                yield self._step(part, key, found, 0.0)

    def inside(self) -> Iterator[Step]:
        """The tensors of the layers."""
        place = 0
        for one in self.recipe.slices:
            part, begin = self.recipe.part(one), {source.model: source.first for source in one.sources}
            for offset in range(len(one)):
                depth = offset / (len(one) - 1) if len(one) > 1 else 1.0
                numbers = {model: first + offset for model, first in begin.items()}
                for rest in self._rests(place, numbers):
                    read = [self._read(each.model, numbers[each.model], rest) for each in part.inputs]
                    yield self._step(part, self._own.name(place, rest), read, depth)
                place += 1

    def _rests(self, place: int, numbers: Mapping[str, int]) -> list[str]:
        """The tensors of a layer, which must be those that a layer at its place has."""
        wanted = self._own.tensors[min(place, len(self._own.tensors) - 1)]
        for model, number in numbers.items():
            layer = self.layers[model].tensors[number]
            if apart := sorted(wanted ^ layer):
                raise ModelError(
                    f"merge: layer {number} of {model} cannot become layer {place}: "
                    f"only one of the two has the tensor {apart[0]}; name other layers"
                )
        return sorted(wanted)

    def _read(self, model: str, number: int, rest: str) -> _Read:
        name = self._own.name(number, rest)
        return _Read(name, self.opened[model].tensors[name])

    def _step(self, part: Recipe, key: str, read: Sequence[_Read], depth: float) -> Step:
        first = read[0].tensor
        home = replace(first, name=PurePosixPath(key).name)
        if any(one.tensor.shape != first.shape for one in read):
            raise ModelError(f"merge: the tensors for '{key}' have different shapes; name layers of equal shapes")
        if is_buffer(key) or not all(one.tensor.mergeable for one in read):
            return Step(key, "keep", home, first.dtype)
        return merged(part, key, home, [one.tensor for one in read], depth, [one.name for one in read])


def stacked(
    recipe: Recipe, home: Checkpoint, opened: Mapping[str, Checkpoint], agreed: MergeableCheckpoints
) -> list[Step]:
    """A step for each tensor of a stack of slices: embeddings, layers, and the rest.

    Raises:
        ModelError: a layer has other tensors or shapes than its place needs.
        UsageError: the recipe gives no value for a setting that a tensor needs.
    """
    layers = {name: layers_of(one) for name, one in {home.name: home, **opened}.items()}
    stack = _Stack(recipe, home, opened, agreed, layers)
    return [*stack.outside(True), *stack.inside(), *stack.outside(False)]


def origins(recipe: Recipe) -> list[int]:
    """For each layer of the output, the number of its layer in the first source."""
    return [number for one in recipe.slices for number in range(one.sources[0].first, one.sources[0].last)]

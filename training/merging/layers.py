"""The numbered layers of a checkpoint: how many, which tensors each has, and what config.json says of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.errors import ModelError
from training.merging.checkpoint import Checkpoint
from training.merging.plan import LAYER

_COUNTS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_PERIODS = (
    "global_attn_every_n_layers", "sliding_window_pattern", "full_attention_interval", "no_rope_layer_interval",
)  # fmt: skip
"""Keys that give every n-th layer another attention, unless `layer_types` lists the layers."""
_FIRST = ("embed", "wte", "wpe")
"""Parts of names of tensors that a model reads before its layers."""


@dataclass(frozen=True)
class LayerCounts:
    """The layers of a checkpoint."""

    stack: str
    """What the names of their tensors begin with, such as `model.layers`."""
    tensors: tuple[frozenset[str], ...]
    """The rest of the names of each layer's tensors."""

    def name(self, number: int, rest: str) -> str:
        return f"{self.stack}.{number}.{rest}"

    def has(self, tensor: str) -> bool:
        """Whether a tensor belongs to a layer."""
        return tensor.startswith(f"{self.stack}.")


def layers_of(checkpoint: Checkpoint) -> LayerCounts:
    """The layers of a checkpoint.

    Raises:
        ModelError: it has no numbered layers, or several stacks of them.
    """
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in checkpoint.tensors:
        if match := LAYER.match(name):
            found[match["stack"]][int(match["number"])].add(name[match.end() :])
    if len(found) != 1:
        what = f"layers in {', '.join(sorted(found))}" if found else "no numbered layers"
        raise ModelError(f"merge: slices need one stack of layers; {checkpoint.name} has {what}; merge whole models")
    ((stack, numbered),) = found.items()
    return LayerCounts(stack, tuple(frozenset(numbered[number]) for number in range(max(numbered) + 1)))


def count_of(checkpoint: Checkpoint) -> int:
    """The number of layers in config.json.

    Raises:
        ModelError: config.json does not say it.
    """
    key = _count_key(checkpoint.folder.config)
    if key is None:
        raise ModelError(f"merge: config.json of {checkpoint.name} has no {' or '.join(_COUNTS)}; merge whole models")
    count = checkpoint.folder.config[key]
    assert isinstance(count, int)
    return count


def is_first(tensor: str) -> bool:
    """Whether a tensor outside the layers is read before them, as embeddings are."""
    return any(part in tensor for part in _FIRST)


def changed_config(home: Checkpoint, origins: Sequence[int]) -> Mapping[str, Any]:
    """The keys of config.json that change: the number of layers, and lists with a value for each layer.

    Args:
        origins: for each layer of the output, the number of the layer that it comes from.

    Raises:
        ModelError: a layer would get another kind of attention at its new place.
    """
    config, count = home.folder.config, count_of(home)
    changed: dict[str, Any] = {str(_count_key(config)): len(origins)}
    for key, value in config.items():
        if isinstance(value, list) and len(value) == count and key not in {"architectures"} and not _named(key):
            changed[key] = [value[number] for number in origins]
    for key in _PERIODS if "layer_types" not in changed else ():
        period = config.get(key)
        if isinstance(period, int) and period > 1:
            _refuse_moved(home, key, period, origins)
    return changed


def _count_key(config: Mapping[str, Any]) -> str | None:
    return next((key for key in _COUNTS if isinstance(config.get(key), int)), None)


def _named(key: str) -> bool:
    return "label" in key or "token" in key


def _refuse_moved(home: Checkpoint, key: str, period: int, origins: Iterable[int]) -> None:
    for place, number in enumerate(origins):
        if (place - number) % period:
            raise ModelError(
                f"merge: layer {number} of {home.name} would become layer {place}, where {key} in config.json gives it "
                f"another kind of attention; move layers by multiples of {period}, or list layer_types there"
            )

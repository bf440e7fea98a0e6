"""Computes the beginning that many inputs of a causal language model share once, and reuses its keys and values."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.errors import need
from adapters.prompt_tokens import Ids

if TYPE_CHECKING:
    from torch import Tensor


def states_after(network: Any, prefix: Ids, device: str) -> Any | None:
    """The cache of a network after a prefix, for any number of inputs that begin with it; None if its layers keep
    anything but keys and values of all tokens (sliding windows, recurrent states).

    Calls only read the cache, so it can be used many times and by several threads.

    Args:
        prefix: at least one token.
    """
    torch = need("torch", "models", "running a language model")
    caches = need("transformers.cache_utils", "models", "running a language model")
    found = caches.DynamicCache(config=network.config)
    if any(type(layer) is not caches.DynamicLayer for layer in found.layers):
        return None
    ids = torch.from_numpy(prefix.astype(np.int64))[None].to(device)
    network(input_ids=ids, past_key_values=found, use_cache=True, logits_to_keep=1)
    shared = caches.DynamicCache()
    for layer in found.layers:
        shared.layers.append(_shared_layer()(layer.keys, layer.values))
    return shared


@functools.cache
def _shared_layer() -> Any:
    caches = need("transformers.cache_utils", "models", "running a language model")

    class SharedLayer(caches.DynamicLayer):  # type: ignore[name-defined, misc]
        """Keys and values [1, heads, tokens, width] that every input of a batch begins with."""

        _layer_type = None

        def __init__(self, keys: Tensor, values: Tensor) -> None:
            super().__init__()
            self.keys, self.values = keys, values
            self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True

        def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
            """The states of whole inputs. Nothing is kept, because no further token follows."""
            torch = need("torch", "models", "running a language model")
            pairs = ((self.keys, key_states), (self.values, value_states))
            keys, values = (torch.cat([one.expand(len(new), -1, -1, -1), new], dim=-2) for one, new in pairs)
            return keys, values

    return SharedLayer

"""ModernBERT for sequences without padding: rotary positions, and layers whose tokens read a window."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.errors import need
from adapters.packed_layers import Attention, Ids, TokenLayout, plain_attention

if TYPE_CHECKING:
    from torch import Tensor

_OF_THE_BATCH = {"dynamic", "longrope"}
"""Rotary positions that depend on the longest sequence of a batch."""
_BEYOND = 17
"""Tokens of the probe that are outside of both windows of a token in its middle."""


def modernbert_layers(base: Any) -> ModernBertLayers | None:
    """The layers of a ModernBERT; None if the states of a token depend on the other sequences of a batch."""
    kinds = getattr(base.rotary_emb, "rope_type", {})
    return None if _OF_THE_BATCH & set(kinds.values()) else ModernBertLayers(base)


@dataclass(frozen=True)
class ModernBertLayers:
    """A `ModernBertModel`."""

    base: Any

    @property
    def reach(self) -> int:
        """Longer than both windows of a token."""
        return 2 * max((_window(layer) or 0 for layer in self.base.layers), default=0) + _BEYOND

    def embedded(self, ids: Ids, types: Ids, layout: TokenLayout) -> Tensor:
        """The states before the first layer, [tokens, width]. There are no token types."""
        torch = need("torch", "models", "running a model")
        return self.base.embeddings(torch.from_numpy(ids).to(layout.device))  # type: ignore[no-any-return]

    def states(self, hidden: Tensor, layout: TokenLayout, *, first_only: bool) -> Tensor:
        """The states after the last layer, [asked, width]."""
        places, kinds = layout.positions()[None], {layer.attention_type for layer in self.base.layers}
        turns = {kind: self.base.rotary_emb(hidden[None], places, kind) for kind in kinds}
        *layers, last = self.base.layers
        for layer in layers:
            hidden = self._layer(layer, hidden, layout, turns, None)
        hidden = self._layer(last, hidden, layout, turns, layout.starts if first_only else None)
        return self.base.final_norm(hidden)  # type: ignore[no-any-return]

    def _layer(self, layer: Any, hidden: Tensor, layout: TokenLayout, turns: Any, wanted: Tensor | None) -> Tensor:
        attention, window = layer.attn, _window(layer)
        states = attention.Wqkv(layer.attn_norm(hidden)).view(len(hidden), 3, -1, attention.head_dim)
        query, key, value = states.unbind(1)
        query, key = self._turned(query, key, *turns[layer.attention_type])
        if wanted is not None:
            query, hidden = query[wanted], hidden[wanted]
        attentions = [_attention(length, window) for _, length in layout.groups]
        hidden = hidden + attention.Wo(layout.attended(query, key, value, attentions, window=window))
        return hidden + layer.mlp(layer.mlp_norm(hidden))  # type: ignore[no-any-return]

    def _turned(self, query: Tensor, key: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
        turn = sys.modules[type(self.base).__module__].apply_rotary_pos_emb
        query, key = turn(query[None], key[None], cos, sin, unsqueeze_dim=2)
        return query[0], key[0]


def _window(layer: Any) -> int | None:
    """The tokens on either side that a token reads; None for all."""
    exclusive = layer.attn.sliding_window
    return None if exclusive is None else int(exclusive) - 1


def _attention(length: int, window: int | None) -> Attention:
    whole = window is None or length <= window + 1
    return plain_attention if whole else partial(_within, window)  # type: ignore[arg-type]


def _within(window: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Every token reads those that are at most `window` places away."""
    torch = need("torch", "models", "running a model")
    places = torch.arange(key.shape[-2], device=key.device)
    near = (places[: query.shape[-2], None] - places).abs() <= window
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=near)  # type: ignore[no-any-return]

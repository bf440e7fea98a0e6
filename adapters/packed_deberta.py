"""DeBERTa v2 and v3 for sequences without padding: attention to contents and to distances.

A token reads another by how their contents match, how its content matches their distance, and how the content of the
other matches it. The library projects the embedded distances again in every call, and gathers one number for each pair
of tokens. Here they are projected once. The product with all distances of a length has those of one token in a row, so
that the number of each pair is found by the strides of a view.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.errors import need
from adapters.packed_layers import Attention, Ids, TokenLayout

if TYPE_CHECKING:
    from torch import Tensor

_BEYOND = 41


@dataclass(frozen=True)
class Distances:
    """What one layer knows of distances. Both tensors have one row for each bucket, [heads, buckets, width], divided by
    `scale`; None if the model does not use it."""

    scale: float
    """What the sum of all terms is divided by."""
    as_key: Tensor | None
    as_query: Tensor | None


def deberta_layers(base: Any) -> DebertaLayers | None:
    """The layers of a DeBERTa v2 or v3; None if it repeats its last layer."""
    torch = need("torch", "models", "running a model")
    if getattr(base, "z_steps", 0) > 1:
        return None
    encoder = base.encoder
    with torch.inference_mode():
        embedded = encoder.get_rel_embedding()
        known = [_distances(layer.attention.self, embedded) for layer in encoder.layer]
    return DebertaLayers(base, tuple(known))


@dataclass(frozen=True)
class DebertaLayers:
    """A `DebertaV2Model`."""

    base: Any
    distances: tuple[Distances, ...]

    @property
    def reach(self) -> int:
        """Longer than the distances that have a bucket of their own."""
        encoder = self.base.encoder
        if not encoder.relative_attention:
            return 1
        buckets = encoder.position_buckets if encoder.position_buckets > 0 else encoder.max_relative_positions
        return min(int(buckets) + _BEYOND, _most_positions(self.base))

    def embedded(self, ids: Ids, types: Ids, layout: TokenLayout) -> Tensor:
        """The states before the first layer, [tokens, width]."""
        torch = need("torch", "models", "running a model")
        tokens, kinds = (torch.from_numpy(array).to(layout.device)[None] for array in (ids, types))
        places = layout.positions()[None]
        return self.base.embeddings(input_ids=tokens, token_type_ids=kinds, position_ids=places)[0]  # type: ignore[no-any-return]

    def states(self, hidden: Tensor, layout: TokenLayout, *, first_only: bool) -> Tensor:
        """The states after the last layer, [asked, width]."""
        encoder, embedded = self.base.encoder, hidden
        buckets = [_buckets(encoder, length, layout.device) for _, length in layout.groups]
        for number, (layer, known) in enumerate(zip(encoder.layer, self.distances, strict=True)):
            is_convolved = number == 0 and encoder.conv is not None
            last = number == len(self.distances) - 1 and first_only and not is_convolved
            attentions: list[Attention] = [partial(_disentangled, known, one) for one in buckets]
            hidden = _layer(layer, hidden, layout, attentions, layout.starts if last else None)
            if is_convolved:
                hidden = _convolved(encoder.conv, embedded, hidden, layout)
        return hidden[layout.starts] if first_only and len(hidden) > len(layout.lengths) else hidden


def _layer(
    layer: Any, hidden: Tensor, layout: TokenLayout, attentions: Sequence[Attention], wanted: Tensor | None
) -> Tensor:
    attention = layer.attention.self
    heads = (attention.num_attention_heads, -1)
    asking = hidden if wanted is None else hidden[wanted]
    states = attention.query_proj(asking), attention.key_proj(hidden), attention.value_proj(hidden)
    query, key, value = (one.unflatten(-1, heads) for one in states)
    seen = layout.attended(query, key, value, attentions)
    attended = layer.attention.output(seen, asking)
    return layer.output(layer.intermediate(attended), attended)  # type: ignore[no-any-return]


def _distances(attention: Any, embedded: Tensor | None) -> Distances:
    terms = 1 + sum(name in attention.pos_att_type for name in ("c2p", "p2c"))
    scale = math.sqrt(terms * attention.attention_head_size)
    if embedded is None or not attention.relative_attention:
        return Distances(scale, None, None)
    shared, rows = attention.share_att_key, embedded[: 2 * attention.pos_ebd_size]

    def projected(name: str, own: str, common: str) -> Tensor | None:
        if name not in attention.pos_att_type:
            return None
        made = getattr(attention, common if shared else own)(rows) / scale
        return made.unflatten(-1, (attention.num_attention_heads, -1)).transpose(0, 1).contiguous()  # type: ignore[no-any-return]

    as_key = projected("c2p", "pos_key_proj", "key_proj")
    return Distances(scale, as_key, projected("p2c", "pos_query_proj", "query_proj"))


def _buckets(encoder: Any, length: int, device: Any) -> Tensor:
    """The bucket of each distance from 1 - length to length - 1, int64 [2 * length - 1]."""
    torch = need("torch", "models", "running a model")
    distances = torch.arange(1 - length, length, device=device)
    if not encoder.relative_attention:
        return distances  # type: ignore[no-any-return]
    span = encoder.max_relative_positions
    if encoder.position_buckets > 0:
        bucket = sys.modules[type(encoder).__module__].make_log_bucket_position
        distances = bucket(distances, encoder.position_buckets, encoder.max_relative_positions).long()
        span = encoder.position_buckets
    return (distances + span).clamp(0, 2 * span - 1)  # type: ignore[no-any-return]


def _disentangled(known: Distances, buckets: Tensor, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention to contents and distances, for sequences of one length; see `Attention`.

    Args:
        buckets: of the distances from 1 - length to length - 1.
    """
    torch = need("torch", "models", "running a model")
    of_one = query.shape[-2] < key.shape[-2]
    terms = []
    if known.as_key is not None:  # from the query to the distance query - key
        backwards = buckets.flip(0)
        terms.append(_first(query, known.as_key, backwards) if of_one else _all(query, known.as_key, backwards))
    if known.as_query is not None:  # from the key to the same distance
        if of_one:
            rows = known.as_query[:, buckets[: key.shape[-2]].flip(0)]
            terms.append((key * rows).sum(-1)[..., None, :])
        else:
            terms.append(_all(key, known.as_query, buckets).transpose(-1, -2))
    bias = None if not terms else terms[0] if len(terms) == 1 else terms[0] + terms[1]
    return torch.nn.functional.scaled_dot_product_attention(  # type: ignore[no-any-return]
        query, key, value, attn_mask=bias, scale=1 / known.scale
    )


def _first(query: Tensor, rows: Tensor, buckets: Tensor) -> Tensor:
    """The products of the first token with its distances to all, [sequences, heads, 1, tokens]."""
    length = (len(buckets) + 1) // 2
    return query @ rows[:, buckets[length - 1 :]].transpose(-1, -2)


def _all(states: Tensor, rows: Tensor, buckets: Tensor) -> Tensor:
    """The products of each token with its distances to all, [sequences, heads, tokens, tokens].

    Args:
        states: of the tokens, [sequences, heads, tokens, width].
        rows: of the buckets, [heads, buckets, width].
        buckets: for the other token from `length - 1` places before to `length - 1` places after.
    """
    count, heads, length, width = states.shape
    columns = len(buckets)
    flat = states.transpose(0, 1).reshape(heads, count * length, width)
    found = flat @ rows[:, buckets].transpose(-1, -2)
    strides = (length * columns, count * length * columns, columns - 1, 1)
    return found.as_strided((count, heads, length, length), strides, length - 1)


def _convolved(convolution: Any, embedded: Tensor, hidden: Tensor, layout: TokenLayout) -> Tensor:
    """The states after the convolution that follows the first layer of some models."""
    torch = need("torch", "models", "running a model")
    sizes = [count * length for count, length in layout.groups]
    parts = []
    for (count, length), before, after in zip(
        layout.groups, *(torch.split(one, sizes) for one in (embedded, hidden)), strict=True
    ):
        mask = torch.ones(count, length, dtype=torch.long, device=layout.device)
        states = (one.unflatten(0, (count, length)) for one in (before, after))
        parts.append(convolution(*states, mask).flatten(0, 1))
    return torch.cat(parts)  # type: ignore[no-any-return]


def _most_positions(base: Any) -> int:
    limited = base.embeddings.position_embeddings is not None
    return int(base.config.max_position_embeddings) if limited else sys.maxsize

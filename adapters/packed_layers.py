"""The layers of BERT-like encoders for sequences without padding: one stream of tokens for the linear layers, attention
within each sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from adapters.errors import need

if TYPE_CHECKING:
    from torch import Tensor

_COUNT_AFTER_PADDING = {"CamembertModel", "RobertaModel", "XLMRobertaModel"}
"""Their positions begin after the number of the padding token, which has a position of its own."""
Ids = npt.NDArray[np.int64]
Attention = Callable[["Tensor", "Tensor", "Tensor"], "Tensor"]
"""From query [sequences, heads, asked, width], key and value [sequences, heads, tokens, width] of sequences of one
length to what the asked tokens read, as `query`. One token is asked, the first, or all."""


@dataclass(frozen=True)
class TokenLayout:
    """Where sequences lie in a stream of tokens. Equal lengths follow each other."""

    lengths: tuple[int, ...]
    """Tokens of each sequence."""
    device: Any
    varlen: bool = False
    """Whether one kernel of torch does the attention of all sequences, instead of one call for each length."""

    @cached_property
    def groups(self) -> list[tuple[int, int]]:
        """(sequences, length) of each run of equal lengths."""
        lengths = np.array(self.lengths)
        ends = np.flatnonzero(np.diff(lengths, append=-1)) + 1
        return [(int(count), int(lengths[end - 1])) for count, end in zip(np.diff(ends, prepend=0), ends, strict=True)]

    @cached_property
    def bounds(self) -> Tensor:
        """The first token of each sequence, then the number of all tokens; int32 [sequences + 1]."""
        torch = need("torch", "models", "running a model")
        ends = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int32)
        return torch.from_numpy(ends).to(self.device)  # type: ignore[no-any-return]

    @cached_property
    def starts(self) -> Tensor:
        """The first token of each sequence, int64 [sequences]."""
        return self.bounds[:-1].long()

    def positions(self) -> Tensor:
        """The place of each token in its sequence, int64 [tokens]."""
        torch = need("torch", "models", "running a model")
        places = np.concatenate([np.arange(length) for length in self.lengths])
        return torch.from_numpy(places).to(self.device)  # type: ignore[no-any-return]

    def attended(
        self, query: Tensor, key: Tensor, value: Tensor, attentions: Sequence[Attention], *, window: int | None = None
    ) -> Tensor:
        """What each asked token reads, [asked, heads * width].

        Args:
            query: of all tokens, or of the first of each sequence, [asked, heads, width].
            key, value: of all tokens, [tokens, heads, width].
            attentions: the attention of each group.
            window: tokens on either side that a token reads, for the kernel that does all sequences at once.
        """
        if self.varlen:
            return self._at_once(query, key, value, window)
        torch = need("torch", "models", "running a model")
        first_only = len(query) < len(key)
        sizes = [count * length for count, length in self.groups]
        asked = [count for count, _ in self.groups] if first_only else sizes
        sized = ((query, asked), (key, sizes), (value, sizes))
        parts = zip(self.groups, attentions, *(torch.split(one, size) for one, size in sized), strict=True)
        seen = [
            attend(*(one.unflatten(0, (count, -1)).transpose(1, 2) for one in states)).transpose(1, 2).flatten(0, 1)
            for (count, _), attend, *states in parts
        ]
        return torch.cat(seen).flatten(1)  # type: ignore[no-any-return]

    def _at_once(self, query: Tensor, key: Tensor, value: Tensor, window: int | None) -> Tensor:
        torch = need("torch", "models", "running a model")
        longest, bounds = max(self.lengths), self.bounds
        first_only = len(query) < len(key)
        asked = torch.arange(len(self.lengths) + 1, dtype=torch.int32, device=self.device) if first_only else bounds
        sides = (-1, -1) if window is None else (window, window)
        most = 1 if first_only else longest
        return varlen_attention()(query, key, value, asked, bounds, most, longest, window_size=sides).flatten(1)  # type: ignore[no-any-return]


class EncoderLayers(Protocol):
    """An encoder of one architecture, for streams of tokens."""

    @property
    def reach(self) -> int:
        """A length at which every rule of its attention shows (windows, buckets of distances)."""
        ...

    def embedded(self, ids: Ids, types: Ids, layout: TokenLayout) -> Tensor:
        """The states before the first layer, [tokens, width]."""
        ...

    def states(self, hidden: Tensor, layout: TokenLayout, *, first_only: bool) -> Tensor:
        """The states after the last layer, of all tokens or of the first of each sequence, [asked, width]."""
        ...


def varlen_attention() -> Any:
    """The kernel of torch for sequences of any lengths (FlashAttention; half precision on a GPU).

    Raises:
        AttributeError: this torch has none.
    """
    return need("torch.nn.attention", "models", "running a model").varlen.varlen_attn


def has_varlen(base: Any) -> bool:
    """Whether torch has a kernel for sequences of any lengths, on the device and in the type of an encoder."""
    torch = need("torch", "models", "running a model")
    if base.device.type != "cuda" or base.dtype not in {torch.float16, torch.bfloat16}:
        return False
    try:
        need("torch.nn.attention.varlen", "models", "running a model")
        return callable(varlen_attention())
    except Exception:  # an older torch, or one that is built without it
        return False


def plain_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Every token reads all tokens of its sequence."""
    torch = need("torch", "models", "running a model")
    return torch.nn.functional.scaled_dot_product_attention(query, key, value)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class BertLayers:
    """BERT and the encoders that are built alike: RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA."""

    base: Any

    @property
    def reach(self) -> int:
        """All tokens read all others, at any distance."""
        return 1

    def embedded(self, ids: Ids, types: Ids, layout: TokenLayout) -> Tensor:
        """The states before the first layer, [tokens, width]."""
        torch = need("torch", "models", "running a model")
        tokens, kinds = (torch.from_numpy(array).to(layout.device)[None] for array in (ids, types))
        positions = torch.from_numpy(self._positions(ids, layout)).to(layout.device)[None]
        embedded = self.base.embeddings(input_ids=tokens, token_type_ids=kinds, position_ids=positions)
        project = getattr(self.base, "embeddings_project", None)  # an Electra whose tokens are narrower than its layers
        return (embedded if project is None else project(embedded))[0]  # type: ignore[no-any-return]

    def states(self, hidden: Tensor, layout: TokenLayout, *, first_only: bool) -> Tensor:
        """The states after the last layer, [asked, width]."""
        *layers, last = self.base.encoder.layer
        for layer in layers:
            hidden = self._layer(layer, hidden, layout, None)
        return self._layer(last, hidden, layout, layout.starts if first_only else None)

    def _layer(self, layer: Any, hidden: Tensor, layout: TokenLayout, wanted: Tensor | None) -> Tensor:
        attention = layer.attention.self
        heads = (attention.num_attention_heads, attention.attention_head_size)
        asking = hidden if wanted is None else hidden[wanted]
        states = attention.query(asking), attention.key(hidden), attention.value(hidden)
        query, key, value = (one.unflatten(-1, heads) for one in states)
        seen = layout.attended(query, key, value, [plain_attention] * len(layout.groups))
        attended = layer.attention.output(seen, asking)
        return layer.output(layer.intermediate(attended), attended)  # type: ignore[no-any-return]

    def _positions(self, ids: Ids, layout: TokenLayout) -> Ids:
        if type(self.base).__name__ not in _COUNT_AFTER_PADDING:
            return np.concatenate([np.arange(length) for length in layout.lengths])
        padding = self.base.config.pad_token_id
        parts = np.split(ids != padding, np.cumsum(layout.lengths)[:-1])  # a text may contain the padding token
        return np.concatenate([np.where(real, np.cumsum(real), 0) + padding for real in parts])

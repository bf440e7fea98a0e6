"""Runs BERT-like encoders on sequences without padding: one stream of tokens for the linear layers, attention for each
group of equally long sequences, and the last layer only for the tokens that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from adapters.errors import need
from adapters.pair_inputs import Sequenced

if TYPE_CHECKING:
    from torch import Tensor

_ENCODERS = {"BertModel", "CamembertModel", "ElectraModel", "RobertaModel", "XLMRobertaModel"}
_COUNT_AFTER_PADDING = {"CamembertModel", "RobertaModel", "XLMRobertaModel"}
"""Their positions begin after the number of the padding token, which has a position of its own."""
_PROBE_LENGTHS = (12, 7, 12, 3, 1)
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class PackedEncoder:
    """A loaded encoder of transformers, called with sequences of any lengths.

    Its outputs equal those of the encoder's own forward up to the rounding of float32.
    """

    base: Any
    """The encoder: a `BertModel` or one that is built alike."""

    def __call__(self, sequences: Sequence[Sequenced], *, first_only: bool) -> Tensor:
        """Return the last hidden states.

        Args:
            sequences: token ids and token types of each input, without padding.
            first_only: return the states of the first token of each sequence, [sequences, width]; else of all tokens,
                one sequence after the other, [tokens, width].
        """
        torch = need("torch", "models", "running a model")
        lengths = np.array([len(ids) for ids, _ in sequences])
        order = np.argsort(-lengths, kind="stable")
        hidden = self._embedded([sequences[place] for place in order])
        groups = _groups(lengths[order])
        starts = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths[order])]))[:-1]
        *layers, last = self.base.encoder.layer
        for layer in layers:
            hidden = _layer(layer, hidden, groups)
        hidden = _layer(last, hidden, groups, starts if first_only else None)
        back = np.argsort(order, kind="stable")
        if first_only:
            return hidden[torch.from_numpy(back)]
        pieces = torch.split(hidden, lengths[order].tolist())
        return torch.cat([pieces[place] for place in back])  # type: ignore[no-any-return]

    def _embedded(self, sequences: Sequence[Sequenced]) -> Tensor:
        torch = need("torch", "models", "running a model")
        ids, types = (np.concatenate(parts).astype(np.int64) for parts in zip(*sequences, strict=True))
        positions = np.concatenate([self._positions(ids) for ids, _ in sequences])
        inputs = (torch.from_numpy(array)[None].to(self.base.device) for array in (ids, types, positions))
        names = ("input_ids", "token_type_ids", "position_ids")
        embedded = self.base.embeddings(**dict(zip(names, inputs, strict=True)))
        project = getattr(self.base, "embeddings_project", None)  # an Electra whose tokens are narrower than its layers
        return (embedded if project is None else project(embedded))[0]  # type: ignore[no-any-return]

    def _positions(self, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        if type(self.base).__name__ not in _COUNT_AFTER_PADDING:
            return np.arange(len(ids))
        padding = self.base.config.pad_token_id
        real = ids != padding  # a text may contain the padding token
        counted: npt.NDArray[np.int64] = np.where(real, np.cumsum(real), 0) + padding
        return counted


Forward = Callable[[Sequence[Sequenced]], "Tensor"]


def packed_encoder(base: Any) -> PackedEncoder | None:
    """A packed form of a loaded encoder, or None.

    It is used for encoders in float32 on a CPU, and only if it gives the states of the encoder's own forward on a
    padded probe, to 1e-5 of their spread.
    """
    torch = need("torch", "models", "running a model")
    known = type(base).__name__ in _ENCODERS and not base.config.is_decoder and base.dtype == torch.float32
    if not known or base.device.type != "cpu" or getattr(base.config, "chunk_size_feed_forward", 0):
        return None
    packed = PackedEncoder(base)
    return packed if _agrees(packed) else None


def packed_classifier(model: Any) -> Forward | None:
    """A packed form of a classifier that reads the first token, from sequences to logits [sequences, labels], or None.

    See `packed_encoder`.
    """
    base = getattr(model, "base_model", None)
    if base is model or not hasattr(model, "classifier") or (packed := packed_encoder(base)) is None:
        return None

    def forward(sequences: Sequence[Sequenced]) -> Tensor:
        first = packed(sequences, first_only=True)[:, None]
        pooler = getattr(base, "pooler", None)
        return model.classifier(first if pooler is None else pooler(first))  # type: ignore[no-any-return]

    def plain(ids: Tensor, mask: Tensor) -> Tensor:
        return model(ids, attention_mask=mask).logits  # type: ignore[no-any-return]

    return forward if _close_on_probe(base, plain, forward) else None


def _groups(lengths: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """(sequences, length) of each run of equal lengths."""
    ends = np.flatnonzero(np.diff(lengths, append=-1)) + 1
    return [(int(count), int(lengths[end - 1])) for count, end in zip(np.diff(ends, prepend=0), ends, strict=True)]


def _layer(layer: Any, hidden: Tensor, groups: list[tuple[int, int]], wanted: Tensor | None = None) -> Tensor:
    """One layer for all tokens, or for the wanted ones, the first of every sequence; [tokens, width]."""
    torch = need("torch", "models", "running a model")
    attention = layer.attention.self
    split = (attention.num_attention_heads, attention.attention_head_size)
    asking = hidden if wanted is None else hidden[wanted]
    query, key, value = attention.query(asking), attention.key(hidden), attention.value(hidden)
    sizes = [count * length for count, length in groups]
    asked = sizes if wanted is None else [count for count, _ in groups]
    parts = zip(groups, query.split(asked), key.split(sizes), value.split(sizes), strict=True)
    seen = [
        torch.nn.functional.scaled_dot_product_attention(
            *(one.view(count, -1, *split).transpose(1, 2) for one in states)
        )
        .transpose(1, 2)
        .reshape(len(states[0]), -1)
        for (count, _), *states in parts
    ]
    attended = layer.attention.output(torch.cat(seen), asking)
    return layer.output(layer.intermediate(attended), attended)  # type: ignore[no-any-return]


def _agrees(packed: PackedEncoder) -> bool:
    def plain(ids: Tensor, mask: Tensor) -> Tensor:
        return packed.base(ids, attention_mask=mask).last_hidden_state[mask.bool()]  # type: ignore[no-any-return]

    return _close_on_probe(packed.base, plain, lambda sequences: packed(sequences, first_only=False))


def _close_on_probe(base: Any, plain: Callable[[Tensor, Tensor], Tensor], forward: Forward) -> bool:
    torch = need("torch", "models", "running a model")
    padding = base.config.pad_token_id or 0
    known = [token for token in range(base.config.vocab_size) if token != padding][: sum(_PROBE_LENGTHS)]
    if len(known) < sum(_PROBE_LENGTHS):
        return False
    ids = torch.full((len(_PROBE_LENGTHS), max(_PROBE_LENGTHS)), padding)
    mask = torch.arange(ids.shape[1])[None] < torch.tensor(_PROBE_LENGTHS)[:, None]
    ids[mask] = torch.tensor(known)
    sequences = [
        (row[:size].int().numpy(), np.zeros(size, np.int32)) for row, size in zip(ids, _PROBE_LENGTHS, strict=True)
    ]
    with torch.inference_mode():
        try:
            expected, found = plain(ids, mask.long()), forward(sequences)
        except (AttributeError, RuntimeError, TypeError, ValueError):  # other releases name their parts otherwise
            return False
    spread = max(1.0, float(expected.max() - expected.min()))
    return expected.shape == found.shape and bool((expected - found).abs().max() <= _TOLERANCE * spread)

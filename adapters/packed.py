"""Runs encoders on sequences without padding: one stream of tokens for the linear layers, attention within each
sequence, and the last layer only for the tokens that are read.

The layers of each architecture are in `packed_layers` (BERT and alike), `packed_modernbert` and `packed_deberta`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.errors import need
from adapters.packed_deberta import deberta_layers
from adapters.packed_layers import BertLayers, EncoderLayers, TokenLayout, has_varlen
from adapters.packed_modernbert import modernbert_layers
from adapters.pair_inputs import Sequenced

if TYPE_CHECKING:
    from torch import Tensor

_LAYERS: dict[str, Callable[[Any], EncoderLayers | None]] = {
    **dict.fromkeys(("BertModel", "CamembertModel", "ElectraModel", "RobertaModel", "XLMRobertaModel"), BertLayers),
    "DebertaV2Model": deberta_layers,
    "ModernBertModel": modernbert_layers,
}
_NEEDS_PAIRS = {"DebertaV2Model"}
"""Their attention is not that of the kernel for sequences of any lengths."""
_PROBE_LENGTHS = (12, 7, 12, 3, 1)
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class PackedEncoder:
    """A loaded encoder of transformers, called with sequences of any lengths.

    Its outputs equal those of the encoder's own forward up to rounding.
    """

    base: Any
    """The encoder, such as a `BertModel`."""
    layers: EncoderLayers
    varlen: bool = False
    """Whether the attention of all sequences is one call, on a GPU."""

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
        layout = TokenLayout(tuple(lengths[order].tolist()), self.base.device, self.varlen)
        ids, types = (np.concatenate([sequences[place][part] for place in order]).astype(np.int64) for part in range(2))
        hidden = self.layers.states(self.layers.embedded(ids, types, layout), layout, first_only=first_only)
        back = np.argsort(order, kind="stable")
        if first_only:
            return hidden[torch.from_numpy(back).to(hidden.device)]
        pieces = torch.split(hidden, lengths[order].tolist())
        return torch.cat([pieces[place] for place in back])  # type: ignore[no-any-return]


Forward = Callable[[Sequence[Sequenced]], "Tensor"]


def packed_encoder(base: Any) -> PackedEncoder | None:
    """A packed form of a loaded encoder, or None.

    It is used on a CPU, and in half precision on a GPU whose torch has a kernel for sequences of any lengths. It must
    give the states of the encoder's own forward on a probe: in float32 to 1e-5 of their spread, in half precision to
    what a batch changes.
    """
    kind = type(base).__name__
    if kind not in _LAYERS or getattr(base.config, "is_decoder", False) or not base.dtype.is_floating_point:
        return None
    varlen = has_varlen(base) and kind not in _NEEDS_PAIRS
    if not (varlen or base.device.type == "cpu") or bool(getattr(base.config, "chunk_size_feed_forward", 0)):
        return None
    layers = _LAYERS[kind](base)
    if layers is None:
        return None
    packed = PackedEncoder(base, layers, varlen)
    return packed if _agrees(packed) else None


def packed_classifier(model: Any) -> Forward | None:
    """A packed form of a classifier, from sequences to logits [sequences, labels], or None.

    The classifier reads the first token, or the mean of all tokens. See `packed_encoder`.
    """
    base = getattr(model, "base_model", None)
    if base is model or not hasattr(model, "classifier") or (packed := packed_encoder(base)) is None:
        return None
    mean = getattr(model.config, "classifier_pooling", "cls") == "mean"

    def forward(sequences: Sequence[Sequenced]) -> Tensor:
        states = packed(sequences, first_only=not mean)
        return _logits(model, base, _means(states, sequences) if mean else states)

    def plain(ids: Tensor, mask: Tensor) -> Tensor:
        return model(ids, attention_mask=mask).logits  # type: ignore[no-any-return]

    return forward if _close_on_probe(packed, plain, forward) else None


def _logits(model: Any, base: Any, states: Tensor) -> Tensor:
    """The logits from the state that is read of each sequence. The head may have a pooler before or after it."""
    head = getattr(model, "head", None)
    if head is not None:  # ModernBERT
        return model.classifier(head(states))  # type: ignore[no-any-return]
    pooler = getattr(model, "pooler", None)
    if pooler is not None:  # DeBERTa
        return model.classifier(pooler(states[:, None]))  # type: ignore[no-any-return]
    pooler = getattr(base, "pooler", None)
    return model.classifier(states[:, None] if pooler is None else pooler(states[:, None]))  # type: ignore[no-any-return]


def _means(states: Tensor, sequences: Sequence[Sequenced]) -> Tensor:
    torch = need("torch", "models", "running a model")
    pieces = torch.split(states, [len(ids) for ids, _ in sequences])
    return torch.stack([piece.mean(0) for piece in pieces])  # type: ignore[no-any-return]


def _agrees(packed: PackedEncoder) -> bool:
    def plain(ids: Tensor, mask: Tensor) -> Tensor:
        return packed.base(ids, attention_mask=mask).last_hidden_state[mask.bool()]  # type: ignore[no-any-return]

    return _close_on_probe(packed, plain, lambda sequences: packed(sequences, first_only=False))


def _close_on_probe(packed: PackedEncoder, plain: Callable[[Tensor, Tensor], Tensor], forward: Forward) -> bool:
    """Whether a packed form gives what a plain one gives, on sequences that are long enough to show every rule."""
    torch = need("torch", "models", "running a model")
    sequences = _probe(packed)
    if not sequences:
        return False
    ids, mask = _padded(sequences, packed.base)
    with torch.inference_mode():
        try:
            together, found = plain(ids, mask).float(), forward(sequences).float()
            noise = 0.0
            if packed.base.dtype != torch.float32:
                alone = torch.cat([plain(*_padded([one], packed.base)) for one in sequences]).float()
                noise = float((alone - together).abs().max())
        except (AttributeError, RuntimeError, TypeError, ValueError):  # other releases name their parts otherwise
            return False
    if together.shape != found.shape:
        return False
    expected = together if packed.base.dtype == torch.float32 else alone
    allowed = max(noise, _TOLERANCE * max(1.0, float(together.max() - together.min())))
    return bool((expected - found).abs().max() <= allowed)


def _probe(packed: PackedEncoder) -> list[Sequenced]:
    """Sequences of several lengths; empty if the vocabulary has only padding."""
    config = packed.base.config
    known = np.setdiff1d(np.arange(config.vocab_size), [config.pad_token_id or 0]).astype(np.int32)
    if not len(known):
        return []
    lengths = (*_PROBE_LENGTHS, *([packed.layers.reach] if packed.layers.reach > max(_PROBE_LENGTHS) else []))
    draw = np.random.default_rng(0)
    return [(draw.choice(known, length), np.zeros(length, np.int32)) for length in lengths]


def _padded(sequences: Sequence[Sequenced], base: Any) -> tuple[Tensor, Tensor]:
    """Token ids and mask, int64 [sequences, longest]."""
    torch = need("torch", "models", "running a model")
    shape = len(sequences), max(len(ids) for ids, _ in sequences)
    ids, mask = np.full(shape, base.config.pad_token_id or 0, np.int64), np.zeros(shape, np.int64)
    for row, (tokens, _) in enumerate(sequences):
        ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
    return torch.from_numpy(ids).to(base.device), torch.from_numpy(mask).to(base.device)

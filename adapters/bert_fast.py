"""BERT-like cross-encoders read only the first position, so the last layer is computed for that position alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapters.errors import need

if TYPE_CHECKING:
    from torch import Tensor

_KNOWN = {
    "BertForSequenceClassification",
    "CamembertForSequenceClassification",
    "RobertaForSequenceClassification",
    "XLMRobertaForSequenceClassification",
}
_PROBE = 12
_TOLERANCE = 1e-5

Logits = Callable[..., "Tensor"]


def fast_forward(model: Any) -> Logits | None:
    """A function from the inputs of a batch to its logits that skips what the score does not depend on, or None.

    It saves ten twelfths of the last layer: 7 % of the work of a 12-layer model, 14 % of 6 layers. It is used only if
    it gives the logits of the model's own forward on a padded probe.
    """
    if type(model).__name__ not in _KNOWN or model.config.is_decoder or model.config.chunk_size_feed_forward:
        return None

    def forward(input_ids: Tensor, attention_mask: Tensor | None = None, **more: Tensor) -> Tensor:
        base = model.base_model
        hidden = base.embeddings(input_ids=input_ids, **more)
        mask = None if attention_mask is None else attention_mask[:, None, None, :].bool()
        *layers, last = base.encoder.layer
        for layer in layers:
            hidden = _layer(layer, hidden, hidden, mask)
        first = _layer(last, hidden[:, :1], hidden, mask)
        return model.classifier(first if base.pooler is None else base.pooler(first))  # type: ignore[no-any-return]

    return forward if _agrees(model, forward) else None


def _layer(layer: Any, hidden: Tensor, context: Tensor, mask: Tensor | None) -> Tensor:
    """One layer for the positions of `hidden`, which look at those of `context`; [batch, positions, width]."""
    torch = need("torch", "models", "running a cross-encoder")
    attention = layer.attention.self
    split = (len(context), -1, attention.num_attention_heads, attention.attention_head_size)
    query = attention.query(hidden).view(split).transpose(1, 2)
    key = attention.key(context).view(split).transpose(1, 2)
    value = attention.value(context).view(split).transpose(1, 2)
    seen = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    attended = layer.attention.output(seen.transpose(1, 2).reshape(hidden.shape[0], hidden.shape[1], -1), hidden)
    return layer.output(layer.intermediate(attended), attended)  # type: ignore[no-any-return]


def _agrees(model: Any, forward: Logits) -> bool:
    torch = need("torch", "models", "running a cross-encoder")
    known = [token for token in range(model.config.vocab_size) if token != model.config.pad_token_id][: 2 * _PROBE]
    if len(known) < 2 * _PROBE or model.dtype != torch.float32:
        return False
    ids = torch.tensor(known, device=model.device).view(2, _PROBE)
    mask = torch.ones_like(ids)
    mask[1, _PROBE // 2 :] = 0
    ids[1, _PROBE // 2 :] = model.config.pad_token_id or 0
    with torch.inference_mode():
        try:
            return _close(model(ids, attention_mask=mask).logits, forward(ids, attention_mask=mask))
        except (AttributeError, RuntimeError, TypeError):  # another release of transformers names its parts otherwise
            return False


def _close(expected: Tensor, found: Tensor) -> bool:
    return expected.shape == found.shape and bool(
        (expected - found).abs().max() <= _TOLERANCE * (1 + expected.abs().max())
    )

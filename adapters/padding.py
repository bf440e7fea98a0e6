"""Checks whether a network gives an input the same output alone and in a padded batch.

Not all networks do: some convolve or mix over padding (ConvBERT, FNet), some have no mask (RWKV), and padding on the
left moves the positions of a BERT. Their inputs are run one by one, so no score depends on the other pairs of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adapters.errors import ModelError
from adapters.models import ModelFolder
from adapters.protocols import Floats, IndexPairs, Integers

_TOLERANCE = {"float32": 1e-3}
_OF_HALF_PRECISION = 0.05
PROBE_QUERY = "what is it"
PROBE_TEXTS = (
    "a word", ".", "The answer, of 1984.", "Wer schrieb es?", "谁写的", "to be, or not to be: " * 3, "x = [1, 2]",
    "http://www.example.org/a?b=c", "مرحبا", "yes", "No. " * 9, "UPPER CASE", "one two three four five six", "-- 7 --",
    "the " * 20, "it is what it is " * 14,
)  # fmt: skip
"""Of several lengths; the last is the longest. Some networks show the effect of padding for a few inputs only."""


_SEE_PADDING = {"convbert", "fnet", "mobilebert", "rwkv"}
_COUNT_FROM_THE_LEFT = {"albert", "bert", "distilbert", "electra", "megatron-bert"}


def batching_of(folder: ModelFolder) -> dict[str, str]:
    """An entry for identities. Networks affected by padding were once run in padded batches; the entry keeps the scores
    stored then from being reused. It has no other effect."""
    kind = folder.config.get("model_type")
    left = folder.tokenizer_settings.get("padding_side") == "left" and kind in _COUNT_FROM_THE_LEFT
    return {"batching": "single"} if left or kind in _SEE_PADDING else {}


def pads_without_effect(ask: Callable[[list[int]], Floats], dtype: str) -> bool:
    """Whether the probes have the same outputs alone and in one padded batch.

    Args:
        ask: computes the outputs of some probes in one call, [rows, ...].
        dtype: of the weights; in half precision outputs differ by rounding.
    """
    rows = list(range(len(PROBE_TEXTS)))
    try:
        alone, together = np.concatenate([ask([row]) for row in rows]), ask(rows)
    except (RuntimeError, ValueError, IndexError, AssertionError):  # it cannot be padded
        return False
    return alike(alone, together, dtype)


def pads_pairs(
    prepare: Callable[[Sequence[str], Sequence[str], IndexPairs], Any],
    logits: Callable[[Any, Integers], Floats],
    dtype: str,
) -> bool:
    """The same for pairs of texts.

    Args:
        prepare: makes the inputs of pairs.
        logits: computes the logits of some prepared rows.
        dtype: of the weights.
    """
    try:
        prepared = prepare([PROBE_QUERY], PROBE_TEXTS, np.array([[0, row] for row in range(len(PROBE_TEXTS))]))
    except ModelError:  # the longest input is shorter than the probe
        return False
    return pads_without_effect(lambda rows: logits(prepared, np.array(rows)), dtype)


def alike(one: Floats, other: Floats, dtype: str) -> bool:
    """Whether two outputs are the same up to rounding."""
    tolerance = _TOLERANCE.get(dtype, _OF_HALF_PRECISION)
    size = max(1.0, float(np.abs(np.nan_to_num(one)).max(initial=0.0)))
    return bool(np.allclose(one, other, rtol=0, atol=tolerance * size, equal_nan=True))

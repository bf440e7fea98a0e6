"""Cross-encoders: a query and a document read together by an encoder with a score head, one raw logit per pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from adapters.adapted import told
from adapters.batching import collect, default_budget, describe_pairs, pick_device, stream_batches, torch_calls
from adapters.errors import ModelError, UsageError
from adapters.models import ModelFolder, kind_of, open_folder
from adapters.pairs import PairEncoder, Truncation
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Scored
from adapters.score_head import ScoreHead, label_of, length_of, load_score_head

_LONGEST = 2**31 - 1
"""A tokenizer that was saved without a length has 10**30 for it, which the Rust one cannot take."""
_VERSION = 1
_WHAT = {"embedder": "an embedder, which gives vectors", "causal-lm": "a language model", "onnx": "an ONNX model"}


class CrossEncoder:
    """Scores pairs with a sequence-classification model, as raw logits in float32.

    The scores are those of sentence-transformers' `CrossEncoder(model, activation_fn=Identity()).predict`; a sigmoid
    would round the best documents into ties. Constructing reads only configuration; weights come with the first pair.

    Args:
        model: a folder, or a hub name.
        revision: of a hub model.
        max_length: tokens of a whole input; default: the model's own limit.
        truncation: "longest_first" as in transformers, or "document" to keep every query whole.
        device: a torch device; default: a GPU if there is one.
        dtype: of the weights. Half precision on a CPU is many times slower.
        batch_tokens: padded tokens per model call; it does not change scores beyond rounding.
        label: the logit to rank by, for a model with several.

    Raises:
        ModelError: the folder holds another kind of model; it has several labels and `label` is not given.
        UsageError: an option is out of its range.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_length: int | None = None,
        truncation: Truncation = "longest_first",
        device: str | None = None,
        dtype: Literal["float32", "float16", "bfloat16"] = "float32",
        batch_tokens: int | None = None,
        label: int | None = None,
    ) -> None:
        if batch_tokens is not None and batch_tokens < 1:
            raise UsageError(f"batch_tokens={batch_tokens} must be at least 1")
        self._folder = open_folder(model, revision)
        _refuse_other_kinds(self._folder)
        self._label = label_of(self._folder, label)
        self._max_length = length_of(self._folder, max_length)
        self._truncation: Truncation = truncation
        self._device, self._dtype, self._batch_tokens = device, dtype, batch_tokens

    @property
    def name(self) -> str:
        """The model as it was named."""
        return self._folder.name

    @cached_property
    def identity(self) -> Identity:
        """Whatever can change a score: weights, tokenizer, settings, max_length, truncation, dtype, label; and what the
        checkpoint was adapted on, which changes how its numbers are read."""
        return {
            "adapter": "cross-encoder",
            "version": _VERSION,
            **self._folder.identity(),
            "max_length": self._max_length,
            "truncation": self._truncation,
            "dtype": self._dtype,
            "label": self._label,
            **told(self._folder.path),
        }

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """Raw logits, float32 [len(pairs)].

        Raises:
            ModelError: the score head is not in the checkpoint, a score is not finite, or a query is too long for
                truncation="document".
        """
        return collect(self.stream(queries, documents, pairs), len(pairs))

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Score batch by batch, longest pairs first; see `score`."""
        if not len(pairs):
            return
        head, encoder = self._loaded
        prepared = encoder.encode(queries, documents, np.asarray(pairs))

        def forward(rows: Integers) -> Floats:
            return head.logits(prepared.collate(rows))[:, self._label]

        device = head.device.split(":")[0]
        budget = (self._batch_tokens or default_budget(device)) if head.pads else 0
        describe = describe_pairs(self.name, queries, documents, pairs)
        yield from stream_batches(prepared, forward, budget=budget, describe=describe, calls=torch_calls(device))

    @cached_property
    def _loaded(self) -> tuple[ScoreHead, PairEncoder]:
        head, tokenizer = load_score_head(self._folder, device=pick_device(self._device), dtype=self._dtype)
        return head, PairEncoder(_backend(tokenizer), max_length=self._max_length, truncation=self._truncation)


def _refuse_other_kinds(folder: ModelFolder) -> None:
    try:
        kind = kind_of(folder)
    except ModelError:
        if not folder.architecture:
            return
        raise ModelError(
            f"'{folder.name}' has no score head: its config names '{folder.architecture}', and a cross-encoder is "
            "saved as ...ForSequenceClassification"
        ) from None
    if kind != "cross-encoder":
        raise ModelError(f"'{folder.name}' is {_WHAT[kind]}, not a cross-encoder; name it '{kind}:{folder.name}'")
    settings = folder.sentence_settings
    if settings.get("default_prompt_name") or settings.get("do_lower_case"):
        raise ModelError(
            f"'{folder.name}' was saved with a prompt or lower-casing of its own, which would be left out here; "
            "bake it into the tokenizer, or score it elsewhere and import the run as 'run:FILE'"
        )


def _backend(tokenizer: Any) -> Any:
    """The Rust tokenizer, with the directions of the transformers one that wraps it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"'{tokenizer.name_or_path}' has no tokenizer.json; save its tokenizer with transformers 5")
    length = min(int(tokenizer.model_max_length), _LONGEST)
    backend.enable_truncation(length, direction=tokenizer.truncation_side)
    backend.enable_padding(
        direction=tokenizer.padding_side, pad_id=tokenizer.pad_token_id or 0, pad_type_id=tokenizer.pad_token_type_id
    )
    return backend

"""Language models as rerankers: how much more likely is "yes" than "no" as the next word."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from adapters.batching import collect, default_budget, describe_pairs, stream_batches, torch_calls
from adapters.errors import ModelError
from adapters.models import ModelFolder, open_folder
from adapters.next_word import NextWordModel
from adapters.prompt_template import load_template
from adapters.prompt_tokens import PromptEncoder, PromptTokens, splits_exactly
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Scored, Setting

_VERSION = "causal-lm/1"
_LENGTH = 8192


class CausalLMReranker:
    """Scores a pair with logit(yes) - logit(no) after the template, as Qwen3-Reranker does before its softmax.

    The softmax over the two words is a sigmoid of this difference, so the order is the same and nothing saturates.
    Source: https://huggingface.co/Qwen/Qwen3-Reranker-0.6B

    Args:
        model: a folder or a hub name.
        max_length: tokens of the whole input, lowered to what the model has positions for; default: 8192, lowered to
            what its tokenizer declares. Only documents are cut.
        instruction: wins over the instruction of the collection, which wins over that of the template.
        template: `qwen3` (the model card with transformers) or `qwen3-vllm` (the model card with vLLM).
        batch_tokens: padded tokens per call; does not change scores beyond rounding.
        positive, negative: the two words. Each must be one token.

    Raises:
        ModelError: the model is of another kind.
        UsageError: there is no such template.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_length: int | None = None,
        instruction: str | None = None,
        template: str = "qwen3",
        device: str | None = None,
        dtype: Literal["float32", "float16", "bfloat16"] = "float32",
        batch_tokens: int | None = None,
        positive: str = "yes",
        negative: str = "no",
    ) -> None:
        self._folder = open_folder(model, revision)
        _refuse_other_kinds(self._folder)
        self._template = load_template(template)
        asked = min(_LENGTH, _declared(self._folder)) if max_length is None else max_length
        self._max_length = min(asked, _positions(self._folder))
        self._fixed_instruction = instruction
        self._instruction = self._template.default_instruction if instruction is None else instruction
        self._dtype = dtype
        self._batch_tokens = batch_tokens
        self._model = NextWordModel(self._folder, (positive, negative), dtype, device)

    @property
    def max_length(self) -> int:
        """Tokens of a whole input."""
        return self._max_length

    @property
    def next_word(self) -> NextWordModel:
        """What reads the two words."""
        return self._model

    @property
    def name(self) -> str:
        return self._folder.name

    @property
    def identity(self) -> Identity:
        """Whatever can change a score. The words' token ids follow from the tokenizer, so none is loaded for this."""
        return {
            "adapter": _VERSION,
            **self._model.content,
            "template": self._template.digest,
            "instruction": self._instruction,
            "max_length": self._max_length,
            "dtype": self._dtype,
            "words": list(self._model.words),
        }

    def bind(self, setting: Setting) -> CausalLMReranker:
        """The same model with the instruction of a collection. An instruction that was given as an option stays."""
        if setting.instruction is None or self._fixed_instruction is not None:
            return self
        bound = copy.copy(self)
        bound._instruction = setting.instruction
        return bound

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        return collect(self.stream(queries, documents, pairs), len(pairs))

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Batches of similar length, longest first.

        Raises:
            ModelError: a query leaves no room for a document, or a score is not finite.
        """
        pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        prompts = self.prompts(queries, documents, pairs)

        def forward(rows: Integers) -> Floats:
            logits = self._model.logits([prompts.ids(int(row)) for row in rows])
            return logits[:, 0] - logits[:, 1]

        budget = default_budget(self._model.device) if self._batch_tokens is None else self._batch_tokens
        describe = describe_pairs(self.name, queries, documents, pairs)
        calls = torch_calls(self._model.device)
        yield from stream_batches(prompts, forward, budget=budget, describe=describe, calls=calls)

    def prompts(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> PromptTokens:
        """The inputs of all pairs.

        Raises:
            ModelError: a query leaves no room for a document.
        """
        encoder = PromptEncoder(self._template, self._model.encode, self._instruction, self._max_length, self._splits)
        return encoder.encode_pairs(queries, documents, pairs)

    @cached_property
    def _splits(self) -> bool:
        return splits_exactly(self._template, self._model.encode)


def _refuse_other_kinds(folder: ModelFolder) -> None:
    if "Pooling" in folder.modules or "StaticEmbedding" in folder.modules:
        raise ModelError(f"'{folder.name}' is an embedder, not a causal LM; name it as 'embedder:{folder.name}'")
    if folder.architecture.endswith("ForSequenceClassification"):
        raise ModelError(
            f"'{folder.name}' is a cross-encoder, not a causal LM; name it as 'cross-encoder:{folder.name}'"
        )
    if not folder.architecture.endswith(("ForCausalLM", "LMHeadModel")):
        raise ModelError(
            f"'{folder.name}' is no causal LM: its config.json names '{folder.architecture or 'no architecture'}'; "
            "a reranker that answers yes or no ends with 'ForCausalLM'"
        )


def _declared(folder: ModelFolder) -> int:
    """The length that the tokenizer was saved with: after training, the one that training used."""
    file = folder.path / "tokenizer_config.json"
    declared = json.loads(file.read_text("utf-8")).get("model_max_length") if file.is_file() else None
    return declared if isinstance(declared, int) and declared > 0 else _LENGTH


def _positions(folder: ModelFolder) -> int:
    """The positions that the model was made for. Beyond them it fails, or answers without having learned to."""
    for key in ("max_position_embeddings", "n_positions"):
        positions = folder.config.get(key)
        if isinstance(positions, int) and positions > 0:
            return positions
    return np.iinfo(np.int64).max

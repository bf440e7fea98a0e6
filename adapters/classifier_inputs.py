"""The input of a classifier for a pair: the two texts as its tokenizer joins them, or one prompt."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np

from adapters.asking import Asking, PromptMaker
from adapters.batching import Calls, ModelInputs, pick_device, torch_calls
from adapters.budgets import ForwardPath
from adapters.errors import ModelError
from adapters.loading import load_tokenizer
from adapters.models import ModelFolder
from adapters.padding import pads_pairs
from adapters.pair_inputs import EncodedPairs, Padding
from adapters.pairs import PairEncoder, Truncation
from adapters.prompt_tokens import PromptTokens
from adapters.protocols import Floats, IndexPairs, Integers
from adapters.score_head import ScoreHead, load_score_head

_LONGEST = 2**31 - 1
"""A tokenizer that was saved without a length has 10**30 for it, which the Rust one cannot take."""


class Inputs(Protocol):
    """Makes the inputs of a request, and computes the network's logits."""

    @property
    def device(self) -> str: ...
    @property
    def pads(self) -> bool:
        """Whether inputs of different lengths can share a call."""
        ...

    @property
    def calls(self) -> Calls | None:
        """How calls are made; None for one after the other."""
        ...

    @property
    def paths(self) -> tuple[ForwardPath, ...]:
        """The forwards that the network can be called by, the best first."""
        ...

    def by(self, path: ForwardPath) -> Inputs:
        """The same inputs for a network that is called by one of `paths`."""
        ...

    def prepare(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Any:
        """The inputs of all pairs, as `ModelInputs`."""
        ...

    def logits(self, prepared: Any, rows: Integers) -> Floats:
        """float32 [len(rows), outputs]."""
        ...


@dataclass(frozen=True)
class _Loaded:
    folder: ModelFolder
    max_length: int
    dtype: str
    asked_device: str | None
    pickle: bool

    @property
    def device(self) -> str:
        return self.head.device

    @property
    def calls(self) -> Calls | None:
        return torch_calls(self.head.device.split(":")[0])

    @property
    def paths(self) -> tuple[ForwardPath, ...]:
        return ("plain",) if self.head.packed is None else ("packed", "plain")

    def by(self, path: ForwardPath) -> Self:
        """The same inputs for a network that is called by one of `paths`."""
        if path == self.paths[0]:
            return self
        plain = copy.copy(self)
        plain.__dict__["head"] = replace(self.head, packed=None)
        return plain

    @cached_property
    def tokenizer(self) -> Any:
        """Of transformers."""
        return load_tokenizer(self.folder)

    @cached_property
    def head(self) -> ScoreHead:
        """The loaded network."""
        device = pick_device(self.asked_device)
        return load_score_head(self.folder, self.tokenizer, device=device, dtype=self.dtype, pickle=self.pickle)


@dataclass(frozen=True)
class PairInputs(_Loaded):
    """Pairs as the tokenizer joins them, for instance `[CLS] query [SEP] document [SEP]`."""

    truncation: Truncation

    @property
    def reads_fast(self) -> bool:
        """Whether its tokenizer has a Rust implementation; else only sentence-transformers can make its inputs."""
        return getattr(self.tokenizer, "backend_tokenizer", None) is not None

    def prepare(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> EncodedPairs:
        """Tokenise every text once.

        Raises:
            ModelError: with truncation="document", a query leaves no space for a document.
        """
        _ = self.head  # broken weights are found before the texts are read
        return self._encoder.encode(queries, documents, pairs)

    def logits(self, prepared: EncodedPairs, rows: Integers) -> Floats:
        """float32 [len(rows), labels]."""
        return self.head.logits([prepared.sequence(int(row)) for row in rows], prepared.padding)

    @cached_property
    def pads(self) -> bool:
        packed = self.head.packed is not None  # then nothing is padded
        return packed or pads_pairs(self.prepare, self.logits, self.dtype)

    @cached_property
    def _encoder(self) -> PairEncoder:
        backend = backend_of(self.folder, self.tokenizer)
        encoder = PairEncoder(backend, max_length=self.max_length, truncation=self.truncation)
        if encoder.template is not None and not len(encoder.template.middle[0]):
            raise ModelError(
                f"'{self.folder.name}': its tokenizer puts nothing between a query and a document; name the template "
                "that it was trained with, as in ?template=FILE (docs/templates.md)"
            )
        return encoder


@dataclass(frozen=True)
class PromptInputs(_Loaded):
    """Pairs as prompts, for classifiers that are based on language models."""

    asking: Asking
    instruction: str
    fixed: bool

    def makes(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> bool:
        """Whether the prompts of these pairs can be made here; else only sentence-transformers can make them."""
        return self._prompts.encoder is not None and self._prompts.agree(queries, documents, pairs)

    @property
    def document_first(self) -> bool:
        """Whether the query follows the document in the prompts that are made here."""
        encoder = self._prompts.encoder
        return encoder is not None and encoder.template.document_first

    def check(self) -> None:
        """Refuse a chat template that does not render both texts of a pair.

        Raises:
            ModelError: it leaves one out; the message says what to do.
        """
        _ = self._prompts.template

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token ids without special tokens at the ends."""
        encoded = self.tokenizer(texts, add_special_tokens=False, return_attention_mask=False, verbose=False)
        return list(encoded["input_ids"])

    def prepare(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> PromptTokens:
        """Tokenise every text once.

        Raises:
            ModelError: a query leaves no space for a document.
        """
        encoder = self._prompts.encoder
        assert encoder is not None
        return encoder.encode_pairs(queries, documents, pairs)

    def logits(self, prepared: PromptTokens, rows: Integers) -> Floats:
        """float32 [len(rows), labels]."""
        sequences = [prepared.ids(int(row)) for row in rows]
        return self.head.logits([(ids, np.zeros(len(ids), np.int32)) for ids in sequences], self._padding)

    @cached_property
    def pads(self) -> bool:
        packed = self.head.packed is not None  # then nothing is padded
        return packed or pads_pairs(self.prepare, self.logits, self.dtype)

    @property
    def _padding(self) -> Padding:
        return Padding(self.tokenizer.padding_side, self.tokenizer.pad_token_id or 0, 0)

    @cached_property
    def _prompts(self) -> PromptMaker:
        return PromptMaker(self.asking, self, self.instruction, self.max_length, self.fixed)


def backend_of(folder: ModelFolder, tokenizer: Any) -> Any:
    """The Rust tokenizer, with the padding and truncation sides of the transformers tokenizer that wraps it.

    Raises:
        ModelError: there is no Rust tokenizer.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"'{folder.name}' has no tokenizer.json; save its tokenizer with transformers 5")
    length = min(int(tokenizer.model_max_length), _LONGEST)
    backend.enable_truncation(length, direction=tokenizer.truncation_side)
    backend.enable_padding(
        direction=tokenizer.padding_side, pad_id=tokenizer.pad_token_id or 0, pad_type_id=tokenizer.pad_token_type_id
    )
    return backend


__all__ = ["Inputs", "ModelInputs", "PairInputs", "PromptInputs", "backend_of"]

"""Cross-encoders that only sentence-transformers can run: chains of modules, prompts, unusual chat templates.

sentence-transformers makes the inputs and the scores; this module only chooses which pairs share a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from adapters.batching import Calls, input_digest, one_at_a_time, pick_device, torch_calls
from adapters.budgets import ForwardPath
from adapters.chat_template import default_prompt, reads_messages
from adapters.declared_settings import is_unusual
from adapters.errors import ModelError, need
from adapters.loading import load_sentence_model
from adapters.models import ModelFolder
from adapters.padding import pads_pairs
from adapters.protocols import Floats, IndexPairs, Integers

_BLOCK = 256
_UNCUT = 10**7


def is_modular(folder: ModelFolder) -> bool:
    """Whether a cross-encoder has more than a network and a tokenizer: further modules, a prompt that is put before
    the texts, lower-casing, or settings of the tokenizer."""
    if not folder.chain:
        return False
    prompted = default_prompt(folder) is not None and not reads_messages(folder)
    return len(folder.chain) > 1 or prompted or is_unusual(folder)


def prompt_of(folder: ModelFolder) -> str | None:
    """The prompt that sentence-transformers applies to every pair."""
    return default_prompt(folder) if folder.chain else None


@dataclass(frozen=True)
class ModularInputs:
    """The pairs of a request as sentence-transformers reads them."""

    texts: list[tuple[str, str]]
    lengths: Integers
    """Tokens of the whole input, after truncation."""
    tokens: npt.NDArray[np.int32]
    """Document tokens before truncation."""
    kept: npt.NDArray[np.int32]
    """Document tokens after truncation, counted as if only the document were cut."""
    digests: npt.NDArray[np.uint64]

    def inputs(self, rows: Integers) -> npt.NDArray[np.uint64]:
        """Digests of the inputs of some rows."""
        return self.digests[rows]


@dataclass(frozen=True)
class ModularScorer:
    """A `CrossEncoder` of sentence-transformers. It is loaded when the first pair is scored.

    Args:
        max_length: tokens of a whole input.
        prompt: the text that sentence-transformers puts before every pair; None for no prompt.
    """

    folder: ModelFolder
    max_length: int
    prompt: str | None
    dtype: str
    asked_device: str | None
    pickle: bool = False

    @property
    def calls(self) -> Calls:
        """How it makes its calls."""
        return torch_calls(self.device.split(":")[0])

    @property
    def paths(self) -> tuple[ForwardPath, ...]:
        """Only that of sentence-transformers."""
        return ("plain",)

    def by(self, path: ForwardPath) -> Self:
        """This scorer."""
        return self

    @cached_property
    def pads(self) -> bool:
        """Whether inputs of different lengths can share a call."""
        return pads_pairs(self.prepare, self.logits, self.dtype)

    @cached_property
    def device(self) -> str:
        return pick_device(self.asked_device)

    @cached_property
    def model(self) -> Any:
        """The loaded model."""
        model = load_sentence_model(self.folder, "CrossEncoder", self.dtype, self.device, pickle=self.pickle)
        if model.max_seq_length != self.max_length:
            model.max_seq_length = self.max_length
        # Calls run side by side, and two threads must not use a tokenizer at the same time.
        model.preprocess = one_at_a_time(model.preprocess)
        return model

    def prepare(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> ModularInputs:
        """Read the pairs of a request, block by block."""
        texts = [(queries[int(query)], documents[int(document)]) for query, document in pairs]
        ids = [one for start in range(0, len(texts), _BLOCK) for one in self._ids(texts[start : start + _BLOCK])]
        lengths = np.array([len(one) for one in ids], np.int64)
        tokens = self._tokens(documents, pairs[:, 1])
        lost = self._lost(texts, lengths, self._tokens(queries, pairs[:, 0]) + tokens)
        kept = np.maximum(tokens - lost, 0).astype(np.int32)
        return ModularInputs(texts, lengths, tokens, kept, np.array([input_digest(one) for one in ids], np.uint64))

    def logits(self, prepared: ModularInputs, rows: Integers) -> Floats:
        """float32 [len(rows), outputs] before any activation."""
        torch = need("torch", "models", "running a cross-encoder")
        features = self._features([prepared.texts[int(row)] for row in rows])
        on_device = {key: value.to(self.device) if hasattr(value, "to") else value for key, value in features.items()}
        with torch.inference_mode():
            scores = self.model(on_device)["scores"].float().cpu().numpy()
        found: Floats = scores.reshape(len(rows), -1)
        return found

    def _features(self, texts: list[tuple[str, str]]) -> dict[str, Any]:
        try:
            return dict(self.model.preprocess(texts, prompt=self.prompt))
        except ValueError as error:
            raise ModelError(f"'{self.folder.name}': sentence-transformers cannot read a pair: {error}") from error

    def _ids(self, texts: list[tuple[str, str]]) -> Iterator[npt.NDArray[np.int32]]:
        features = self._features(texts)
        masks = features["attention_mask"].bool()
        for ids, mask in zip(features["input_ids"], masks, strict=True):
            yield ids[mask].numpy().astype(np.int32)

    def _tokens(self, texts: Sequence[str], of: Integers) -> npt.NDArray[np.int32]:
        """Tokens of the texts of some pairs, without special ones."""
        used, place = np.unique(of, return_inverse=True)
        counted: list[int] = []
        for start in range(0, len(used), _BLOCK):
            block = [texts[int(index)] for index in used[start : start + _BLOCK]]
            found = self.model.tokenizer(block, add_special_tokens=False, return_attention_mask=False, verbose=False)
            counted += map(len, found["input_ids"])
        counts: npt.NDArray[np.int32] = np.array(counted, np.int32)[place]
        return counts

    def _lost(self, texts: list[tuple[str, str]], lengths: Integers, tokens: Integers) -> npt.NDArray[np.int64]:
        """Tokens of each pair that truncation removed. Inputs of full length may have lost some; inputs shorter than
        their texts have, because of a limit that the folder declares."""
        lost: npt.NDArray[np.int64] = np.maximum(tokens - lengths, 0).astype(np.int64)
        full = np.flatnonzero(lengths >= self.max_length)
        if len(full):
            self.model.max_seq_length = _UNCUT
            try:
                whole = [len(one) for row in full for one in self._ids([texts[int(row)]])]
            finally:
                self.model.max_seq_length = self.max_length
            lost[full] = np.maximum(lost[full], np.array(whole) - lengths[full])
        return lost

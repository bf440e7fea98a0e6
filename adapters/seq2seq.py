"""Sequence-to-sequence models as rerankers: how much more likely one first word is than another.

monoT5, mT5 and RankT5 are such models. Their folders do not declare which words are compared, so name a template.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from adapters.causal_lm import CausalLMReranker
from adapters.errors import ModelError, need
from adapters.kinds import Kind
from adapters.next_word import NextWordModel, load_language_model, narrow_head
from adapters.precision import refuse_impossible
from adapters.prompt_tokens import Ids
from adapters.protocols import Integers
from adapters.reference import NoReference, ReferenceCall


class FirstWordModel(NextWordModel):
    """A model whose encoder reads the prompt and whose decoder gives the words' logits at its first position."""

    @property
    def shares_prefixes(self) -> bool:
        """No: an encoder reads every token in the light of all others."""
        return False

    def answer(self, network: Any, inputs: Sequence[Ids], device: str) -> Any:
        """The words' logits, a tensor [len(inputs), words]."""
        torch = need("torch", "models", "running a sequence-to-sequence model")
        ids, mask = _right_padded(inputs, self._pad_id)
        start = torch.full((len(ids), 1), _start_of(network), dtype=torch.long)
        arguments = {"input_ids": ids, "attention_mask": mask}
        on_device = {name: torch.from_numpy(values).to(device) for name, values in arguments.items()}
        logits = network(**on_device, decoder_input_ids=start.to(device), use_cache=False).logits[:, -1]
        return logits if logits.shape[-1] == len(self.word_ids) else logits[:, list(self.word_ids)]

    @cached_property
    def _network(self) -> Any:
        word_ids = self.word_ids  # a wrong word is found before the weights are read
        refuse_impossible(self._dtype, self.device)
        network = load_language_model(self.folder, self._dtype, "AutoModelForSeq2SeqLM", pickle=self._pickle)
        if _start_of(network) < 0:
            raise ModelError(
                f"'{self.folder.name}': config.json names no decoder_start_token_id; fetch or save it again"
            )
        network = network.to(self.device)
        torch = need("torch", "models", "running a sequence-to-sequence model")
        start = torch.tensor([[_start_of(network)]], device=self.device)
        narrow_head(network, word_ids, decoder_input_ids=start)
        return network


class Seq2SeqReranker(CausalLMReranker):
    """Scores a pair with logit(positive) - logit(negative) at the first step of the decoder, as monoT5 does before its
    softmax. With `positive` alone the score is its logit, as in RankT5.

    Options and errors are those of `CausalLMReranker`. Folders do not declare their template, so name the template that
    the model was trained with (`monot5`, `mt5`, `ptt5`, `rankt5`, or a TOML file).

    Sources: Nogueira et al. 2020, https://arxiv.org/abs/2003.06713 (monoT5); Zhuang et al. 2022,
    https://arxiv.org/abs/2210.10634 (RankT5).
    """

    _KIND: ClassVar[Kind] = "seq2seq"
    _VERSION: ClassVar[str] = "seq2seq/1"
    _MODEL: ClassVar[type[NextWordModel]] = FirstWordModel

    def reference(self) -> ReferenceCall:
        """Raise NoReference: sentence-transformers has no rerankers of this kind.

        Raises:
            NoReference: always.
        """
        raise NoReference("sentence-transformers has no sequence-to-sequence rerankers")


def _start_of(network: Any) -> int:
    settings = (network.config, getattr(network, "generation_config", None))
    named = (getattr(one, "decoder_start_token_id", None) for one in settings)
    return next((int(token) for token in named if isinstance(token, int)), -1)


def _right_padded(inputs: Sequence[Ids], pad: int) -> tuple[Integers, Integers]:
    """Token ids and mask, both [len(inputs), longest]."""
    longest = max(len(ids) for ids in inputs)
    padded = np.full((len(inputs), longest), pad, dtype=np.int64)
    mask = np.zeros_like(padded)
    for row, ids in enumerate(inputs):
        padded[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
    return padded, mask

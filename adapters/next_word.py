"""A causal language model, used only for the logits of one or two tokens at the next position."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np

from adapters.adapted import adapted_identity
from adapters.asking import Word
from adapters.batching import pick_device
from adapters.contents import Contents
from adapters.errors import ModelError, need
from adapters.loading import engine_of, load_network, load_tokenizer
from adapters.models import ModelFolder
from adapters.padding import PROBE_TEXTS, batching_of, pads_without_effect
from adapters.precision import WHOLE, refuse_impossible
from adapters.prefixes import states_after
from adapters.prompt_tokens import Ids
from adapters.protocols import Floats, Integers

_SPACE = "▁"
"""The space in sentencepiece; a word that begins with it is a token as the vocabulary spells it."""
_KEPT = 4
"""Prefixes whose states are kept. Calls of one query follow each other."""
_TOLERANCE = 1e-5
_SAVINGS: dict[str, object] = {"logits_to_keep": 1, "use_cache": False}
"""Logits of the last position only, and no cache, because no further word is generated."""


class NextWordModel:
    """Tokenizer and network of a folder; each is loaded when it is first needed.

    Args:
        words: the token that means relevant, and optionally the one that means not relevant. The score of two words is
            the difference of their logits; the score of one is its logit.
        pickle: read pickled weights if there are no safetensors.
    """

    def __init__(
        self, folder: ModelFolder, words: tuple[Word, ...], dtype: str, device: str | None, *, pickle: bool = False
    ) -> None:
        self.words = words
        self.folder = folder
        self._dtype = dtype
        self._asked_device = device
        self._pickle = pickle
        self._kept: dict[bytes, Any] = {}
        self._lock = Lock()

    @cached_property
    def content(self) -> dict[str, object]:
        """Digests of the folder, and the corpora it was adapted on; read once for all collections."""
        folder = self.folder
        files = Contents(folder, self._pickle).identity()
        return {**files, **engine_of(folder), **batching_of(folder), **adapted_identity(folder.path)}

    @cached_property
    def device(self) -> str:
        return pick_device(self._asked_device)

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token ids without special tokens at the ends. Special tokens written in a text are read as such."""
        encoded = self.tokenizer(texts, add_special_tokens=False, return_attention_mask=False, verbose=False)
        return list(encoded["input_ids"])

    @cached_property
    def word_ids(self) -> tuple[int, ...]:
        """The numbers of the words.

        Raises:
            ModelError: a word is not exactly one known token, or both are the same.
        """
        ids = tuple(token_of(self.folder.name, word, self.encode, self.tokenizer) for word in self.words)
        if len(set(ids)) < len(ids):
            raise ModelError(f"'{self.folder.name}' has the same token for '{self.words[0]}' and '{self.words[1]}'")
        return ids

    def scores(self, inputs: Sequence[Ids]) -> Floats:
        """Scores after each input, float32 [len(inputs)]."""
        torch = need("torch", "models", "running a language model")
        network = self._network
        with torch.inference_mode():
            scores: Floats = difference(self.answer(network, inputs, self.device)).float().cpu().numpy()
        return scores

    def scores_after(self, prefix: Ids, inputs: Sequence[Ids]) -> Floats:
        """Scores after inputs that begin with one prefix, float32 [len(inputs)]. The states of the prefix are computed
        once and kept for the next calls.

        Args:
            prefix: the common beginning, at least one token.
            inputs: what follows it, at least one token each.
        """
        torch = need("torch", "models", "running a language model")
        network = self._network
        with torch.inference_mode():
            answer = self._answer_after(network, inputs, self.device, len(prefix), self._states(prefix))
            scores: Floats = difference(answer).float().cpu().numpy()
        return scores

    def _states(self, prefix: Ids) -> Any:
        with self._lock:
            name = prefix.tobytes()
            if name not in self._kept:
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[name] = states_after(self._network, prefix, self.device)
            return self._kept[name]

    @cached_property
    def shares_prefixes(self) -> bool:
        """Whether `scores_after` gives the scores of whole inputs. Checked on a probe: in float32 to 1e-5 of the spread
        of the scores, in half precision to what padding changes."""
        torch = need("torch", "models", "running a language model")
        if not {"past_key_values", "position_ids", "logits_to_keep"} <= set(
            inspect.signature(self._network.forward).parameters
        ):
            return False
        texts = [np.array(ids, np.int32) for ids in self.encode(list(PROBE_TEXTS))]
        prefix, rest = np.concatenate(texts[-3:]), [ids for ids in texts if len(ids)]
        wholes = [np.concatenate([prefix, ids]) for ids in rest]
        try:
            with torch.inference_mode():
                if states_after(self._network, prefix, self.device) is None:
                    return False
            found = self.scores_after(prefix, rest)
        except (
            AttributeError,
            IndexError,
            RuntimeError,
            TypeError,
            ValueError,
        ):  # a network with another kind of cache
            return False
        alone, together = np.concatenate([self.scores([whole]) for whole in wholes]), self.scores(wholes)
        noise = 0.0 if self._dtype == "float32" else float(np.abs(alone - together).max())
        allowed = max(noise, _TOLERANCE * max(1.0, float(np.ptp(alone))))
        return bool(np.abs(found - alone).max() <= allowed)

    def answer(self, network: Any, inputs: Sequence[Ids], device: str) -> Any:
        """The words' logits from a network, a tensor [len(inputs), words]. Training calls it with its own network."""
        return self._answer_after(network, inputs, device, 0, None)

    def _answer_after(self, network: Any, inputs: Sequence[Ids], device: str, before: int, states: Any | None) -> Any:
        """The words' logits after inputs that follow `before` tokens, after which the network has the given states."""
        torch = need("torch", "models", "running a language model")
        accepted = set(inspect.signature(network.forward).parameters)
        ids, mask = _left_padded(inputs, self._pad_id)
        mask = np.concatenate([np.ones((len(mask), before), mask.dtype), mask], axis=1)
        arguments = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if "position_ids" in accepted:
            positions = np.maximum(mask.cumsum(axis=1) - 1, 0)[:, before:]
            arguments["position_ids"] = torch.from_numpy(np.ascontiguousarray(positions))
        on_device = {name: values.to(device) for name, values in arguments.items()}
        savings = {name: value for name, value in _SAVINGS.items() if name in accepted}
        if states is not None:
            savings |= {"past_key_values": states, "use_cache": True}
        logits = network(**on_device, **savings).logits[:, -1]
        return logits if logits.shape[-1] == len(self.word_ids) else logits[:, list(self.word_ids)]

    @cached_property
    def pads(self) -> bool:
        """Whether inputs of different lengths can share a call."""
        inputs = [np.array(ids, np.int32) for ids in self.encode(list(PROBE_TEXTS))]
        return pads_without_effect(lambda rows: self.scores([inputs[row] for row in rows]), self._dtype)

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer of transformers."""
        return load_tokenizer(self.folder)

    @cached_property
    def _pad_id(self) -> int:
        known = (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id)
        return next((int(token) for token in known if token is not None), 0)

    @cached_property
    def _network(self) -> Any:
        word_ids = self.word_ids  # a wrong word is found before the weights are read
        refuse_impossible(self._dtype, self.device)
        network = load_language_model(self.folder, self._dtype, pickle=self._pickle).to(self.device)
        narrow_head(network, word_ids)
        return network


def difference(logits: Any) -> Any:
    """The scores from the words' logits [n, words]: the first minus the second, if there is one."""
    return logits[:, 0] - logits[:, 1] if logits.shape[-1] == 2 else logits[:, 0]


def token_of(model: str, word: Word, encode: Callable[[list[str]], list[list[int]]], tokenizer: Any) -> int:
    """The number of a word.

    Raises:
        ModelError: it is not exactly one token that the tokenizer knows.
    """
    if isinstance(word, int):
        if not 0 <= word < len(tokenizer):
            raise ModelError(f"'{model}' has no token {word}: its tokenizer has {len(tokenizer):,} tokens")
        return word
    literal = tokenizer.convert_tokens_to_ids(word) if word.startswith(_SPACE) else None
    if literal not in (None, tokenizer.unk_token_id):
        return int(literal)
    (ids,) = encode([word])
    if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
        raise ModelError(
            f"'{model}' has no single token for '{word}' (it has {len(ids)}): the next word cannot be that word; "
            "choose others with positive=... and negative=..."
        )
    return ids[0]


def _left_padded(inputs: Sequence[Ids], pad: int) -> tuple[Integers, Integers]:
    """Token ids and mask, both [len(inputs), longest]; every input ends in the last column."""
    longest = max(len(ids) for ids in inputs)
    padded = np.full((len(inputs), longest), pad, dtype=np.int64)
    mask = np.zeros_like(padded)
    for row, ids in enumerate(inputs):
        padded[row, longest - len(ids) :] = ids
        mask[row, longest - len(ids) :] = 1
    return padded, mask


def load_language_model(
    folder: ModelFolder, dtype: str, auto: str = "AutoModelForCausalLM", *, pickle: bool = False
) -> Any:
    """A language model with all its weights, in evaluation mode.

    Args:
        auto: the class of transformers that chooses the network.

    Raises:
        ModelError: it cannot be loaded, or lacks weights.
    """
    network, report = load_network(folder, auto, dtype, pickle=pickle)
    invented = sorted({*report["missing_keys"], *(str(key) for key in report["mismatched_keys"])})
    if invented:
        raise ModelError(
            f"'{folder.name}' lacks {len(invented)} weights, such as {invented[0]}: they would be random; "
            "its scores would mean nothing"
        )
    if any(hasattr(module, "recurrent_states") for module in network.modules()):  # RecurrentGemma
        raise ModelError(f"'{folder.name}' keeps a state from one text to the next, and is not supported")
    return network


def narrow_head(network: Any, word_ids: tuple[int, ...], **more: Any) -> None:
    """Let the head compute only the words, in float32, inside the network's forward pass.

    Any scaling or capping of the logits by the architecture stays in effect. If the narrow head gives other logits
    for a probe than the whole head, the whole head is kept, also in float32.

    Args:
        more: arguments that the network needs besides `input_ids`.
    """
    torch = need("torch", "models", "running a language model")
    head = network.get_output_embeddings()
    if not isinstance(head, torch.nn.Linear):
        return

    def change() -> None:
        network.set_output_embeddings(_rows(head, word_ids))

    if not answers_alike(network, word_ids, change, **more):
        whole = head.weight.dtype == getattr(torch, WHOLE)
        network.set_output_embeddings(head if whole else _rows(head, tuple(range(head.out_features))))


def answers_alike(network: Any, word_ids: tuple[int, ...], change: Callable[[], None], **more: Any) -> bool:
    """Change the head of a network to the words only, and return whether they have the logits of the whole head."""
    torch = need("torch", "models", "running a language model")
    weight = network.get_output_embeddings().weight
    probe = torch.tensor([[word_ids[0], word_ids[-1], word_ids[0]]], device=weight.device)
    with torch.no_grad():
        whole = network(input_ids=probe, **more).logits[:, -1, list(word_ids)].float()
        change()
        narrow = network(input_ids=probe, **more).logits[:, -1].float()
    allowed = 8 * torch.finfo(weight.dtype).eps * (1 + whole.nan_to_num().abs().max())
    same: bool = narrow.shape == whole.shape
    return same and torch.allclose(narrow, whole, rtol=0, atol=float(allowed), equal_nan=True)


def _rows(head: Any, rows: tuple[int, ...]) -> Any:
    torch = need("torch", "models", "running a language model")
    narrow = torch.nn.Linear(head.in_features, len(rows), bias=head.bias is not None, device=head.weight.device)
    narrow.weight.data = head.weight.data[list(rows)].float()
    if head.bias is not None:
        narrow.bias.data = head.bias.data[list(rows)].float()
    narrow.register_forward_pre_hook(lambda _, hidden: (hidden[0].float(),))
    return narrow

"""Language models as generators: a causal or a sequence-to-sequence model from a folder or the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

from adapters.batching import pick_device
from adapters.contents import Contents
from adapters.errors import ModelError, UsageError, need
from adapters.loading import load_network, load_tokenizer
from adapters.models import ModelFolder, open_folder
from adapters.protocols import Identity, Prompt

_VERSION = 1
_PURPOSE = "writing text with a language model"


class LanguageModelGenerator:
    """Continues each prompt, greedily unless a temperature is given, with the model's chat template if it has one.

    Text is sampled with a seed derived from `seed` and the prompt, so it does not depend on the order of prompts. With
    `batch` above 1, greedy text can rarely depend on the other prompts of the batch, because of rounding.

    Args:
        model: a folder or a hub name; safetensors only.
        max_tokens: new tokens at most.
        max_length: tokens of a prompt. Longer prompts lose their middle, because both ends may hold instructions.
        temperature: 0 takes the likeliest token each time.
        batch: prompts at a time.

    Raises:
        ModelError: the model does not write text, or cannot be loaded.
        UsageError: a number is out of its range.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_tokens: int = 256,
        max_length: int = 4096,
        temperature: float = 0.0,
        seed: int = 0,
        batch: int = 1,
        device: str | None = None,
        dtype: Literal["float32", "float16", "bfloat16"] = "float32",
    ) -> None:
        if max_tokens < 1 or max_length < 16 or temperature < 0 or batch < 1:
            raise UsageError("max_tokens and batch are at least 1, max_length at least 16, temperature at least 0")
        self._folder = open_folder(model, revision)
        self._seq2seq = _is_seq2seq(self._folder)
        self._settings = {"max_tokens": max_tokens, "max_length": max_length, "temperature": temperature, "seed": seed}
        self._max_tokens, self._max_length, self._temperature, self._seed = max_tokens, max_length, temperature, seed
        self._batch, self._asked_device, self._dtype = batch, device, dtype

    @property
    def name(self) -> str:
        return self._folder.name

    @cached_property
    def identity(self) -> Identity:
        """Everything that can change a text."""
        return {
            "adapter": "language-model", "version": _VERSION, **Contents(self._folder).identity(), **self._settings,
            "batch": self._batch, "dtype": self._dtype,
        }  # fmt: skip

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[str]:
        """Yield what the model writes after each prompt, without its special tokens."""
        size = 1 if self._temperature else self._batch
        for start in range(0, len(prompts), size):
            yield from self._written([prompt.text for prompt in prompts[start : start + size]])

    def _written(self, texts: list[str]) -> list[str]:
        torch = need("torch", "models", _PURPOSE)
        inputs = self._tokenizer.pad({"input_ids": [self._ids(text) for text in texts]}, return_tensors="pt")
        inputs = {name: values.to(self._device) for name, values in inputs.items()}
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(_seed_of(self._seed, texts[0]))
            output = self._network.generate(**inputs, **self._how)
        fresh = output if self._seq2seq else output[:, inputs["input_ids"].shape[1] :]
        written: list[str] = self._tokenizer.batch_decode(fresh, skip_special_tokens=True)
        return written

    @property
    def _how(self) -> dict[str, Any]:
        drawn = {"do_sample": True, "temperature": self._temperature, "top_k": 0, "top_p": 1.0}
        greedy = {"do_sample": False, "temperature": None, "top_k": None, "top_p": None}
        pad = self._tokenizer.pad_token_id
        return {"max_new_tokens": self._max_tokens, "pad_token_id": pad, **(drawn if self._temperature else greedy)}

    def _ids(self, text: str) -> list[int]:
        if self._tokenizer.chat_template and not self._seq2seq:
            asked = [{"role": "user", "content": text}]
            text = self._tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
            ids = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        else:
            ids = list(self._tokenizer(text)["input_ids"])
        if len(ids) <= self._max_length:
            return ids
        tail = self._max_length // 4
        return ids[: self._max_length - tail] + ids[-tail:]

    @cached_property
    def _device(self) -> str:
        return pick_device(self._asked_device)

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = load_tokenizer(self._folder)
        tokenizer.padding_side = "right" if self._seq2seq else "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    @cached_property
    def _network(self) -> Any:
        auto = "AutoModelForSeq2SeqLM" if self._seq2seq else "AutoModelForCausalLM"
        network, report = load_network(self._folder, auto, self._dtype)
        if report["missing_keys"]:
            raise ModelError(
                f"'{self._folder.name}' lacks {len(report['missing_keys'])} weights; its text would be noise"
            )
        return network.to(self._device)


def _is_seq2seq(folder: ModelFolder) -> bool:
    architecture = folder.architecture
    if architecture.endswith("ForConditionalGeneration"):
        return True
    if architecture.endswith(("ForCausalLM", "LMHeadModel")):
        return False
    raise ModelError(
        f"'{folder.name}' is no language model: its config names '{architecture or 'no architecture'}'; name a causal "
        "or sequence-to-sequence model, chat:ADDRESS?model=NAME, or extractive"
    )


def _seed_of(seed: int, text: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{text}".encode(), digest_size=7).digest(), "big")

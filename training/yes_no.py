"""A language model as a student: it scores a pair with logit(yes) - logit(no), as Qwen3-Reranker does.

The causal-LM adapter makes the inputs, so template, instruction, words and truncation are the same as in scoring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.asking import asking_of
from adapters.causal_lm import CausalLMReranker
from adapters.declaration import carry_over, declare
from adapters.errors import ModelError, need
from adapters.models import ModelFolder
from adapters.next_word import answers_alike, difference, load_language_model
from adapters.prompt_tokens import PromptTokens
from adapters.protocols import IndexPairs, Integers, Setting
from training.encoded import Instruct
from training.lora import add_lora, halve_frozen
from training.precision import is_narrow
from training.scorer import Scorer
from training.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class YesNoPrompts:
    """An encoder that uses the adapter's prompts."""

    adapter: CausalLMReranker

    def __post_init__(self) -> None:
        self.max_length = self.adapter.max_length

    def encode(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> PromptTokens:
        """See `Encoder`."""
        return self.adapter.prompts(queries, documents, pairs)


def load_yes_no(folder: ModelFolder, settings: Settings, device: str, *, half: bool) -> Scorer:
    """Load a language model for training. With low-rank updates, embeddings and head are not trained.

    Args:
        half: whether the layers will compute in bfloat16.

    Raises:
        ModelError: one of the two words is not a single token, or weights are missing.
    """
    adapter = adapter_of(folder, settings.max_length)
    words = adapter.next_word
    word_ids = _word_ids(folder, adapter)
    network = load_language_model(folder, "float32")
    if settings.lora_rank:
        add_lora(network, settings.lora_rank, network.get_output_embeddings())
    network.to(device)
    _read_two_words(network, word_ids)
    if settings.lora_rank and half and is_narrow(folder):
        halve_frozen(network)

    def logits(prompts: PromptTokens, rows: Integers) -> Tensor:
        answered = words.answer(network, [prompts.ids(int(row)) for row in rows], device)
        scores: Tensor = difference(answered.float())
        return scores

    about = {key: adapter.identity[key] for key in ("template", "instruction", "words")}
    instruct = _instructing(adapter) if adapter.asking.instructed else None
    return Scorer(
        network, YesNoPrompts(adapter), logits, {"scores": "yes/no", **about}, instruct=instruct,
        declare=_declaring(folder, adapter),
    )  # fmt: skip


def _instructing(adapter: CausalLMReranker) -> Instruct:
    """A function that makes the prompts with an instruction. Those of the last 64 are kept."""

    @lru_cache(64)
    def instructed(instruction: str) -> YesNoPrompts:
        return YesNoPrompts(adapter.bind(Setting((), "", instruction=instruction)))

    return instructed


def _declaring(base: ModelFolder, adapter: CausalLMReranker) -> Callable[[Path], None]:
    """A function that writes the prompt of the base into the folder of a trained model."""

    def write(folder: Path) -> None:
        if base.chain:
            carry_over(base, folder, adapter.max_length)
            return
        asking = adapter.asking
        declare(
            folder,
            adapter.next_word.word_ids,
            template=asking.template,
            instruction=asking.instruction,
            max_length=adapter.max_length,
        )

    return write


def adapter_of(folder: ModelFolder, max_length: int | None) -> CausalLMReranker:
    """The adapter of a base, with the prompt that its folder declares, or with the default prompt if it declares
    none."""
    return CausalLMReranker(str(folder.path), max_length=max_length, template=taught_template(folder))


def taught_template(folder: ModelFolder) -> str | None:
    """The default template for a language model whose folder declares no prompt; None if it declares one."""
    try:
        asking_of(folder)
    except ModelError:
        return _TAUGHT
    return None


_TAUGHT = "qwen3"


def _word_ids(folder: ModelFolder, adapter: CausalLMReranker) -> tuple[int, ...]:
    try:
        return adapter.next_word.word_ids
    except ModelError as error:
        problem = str(error).split(";", maxsplit=1)[0]
        raise ModelError(f"{problem}; new_head (--new-head) adds a score head to '{folder.name}' instead") from None


def _read_two_words(network: Any, word_ids: tuple[int, ...]) -> None:
    """Let the head compute the logits of the two words only, in float32 whatever the precision of the layers. The whole
    head is still trained and written."""
    torch = need("torch", "models", "training")
    head = network.get_output_embeddings()
    if not isinstance(head, torch.nn.Linear):
        return
    rows = list(word_ids)

    def two_words(hidden: Any) -> Any:
        with torch.autocast(hidden.device.type, enabled=False):
            bias = None if head.bias is None else head.bias[rows].float()
            return torch.nn.functional.linear(hidden.float(), head.weight[rows].float(), bias)

    def change() -> None:
        head.forward = two_words

    if not answers_alike(network, word_ids, change):
        del head.forward

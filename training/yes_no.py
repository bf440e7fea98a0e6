"""A student that answers: a language model that scores a pair with logit(yes) - logit(no), as Qwen3-Reranker does.

Template, instruction, words and truncation are those of the causal-LM adapter, which makes the inputs here too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.asking import asking_of
from adapters.causal_lm import CausalLMReranker
from adapters.declaration import carry_over, declare
from adapters.errors import ModelError, need
from adapters.models import ModelFolder
from adapters.next_word import answers_alike, difference, load_language_model
from adapters.prompt_tokens import PromptTokens
from adapters.protocols import IndexPairs, Integers
from training.lora import add_lora
from training.scorer import Scorer
from training.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class YesNoPrompts:
    """The adapter's inputs."""

    adapter: CausalLMReranker

    def __post_init__(self) -> None:
        self.max_length = self.adapter.max_length

    def encode(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> PromptTokens:
        """See `Encoder`."""
        return self.adapter.prompts(queries, documents, pairs)


def load_yes_no(folder: ModelFolder, settings: Settings, device: str) -> Scorer:
    """Load a language model for training. With low-rank updates its embeddings and its head stay as they are.

    Raises:
        ModelError: it has no single token for one of the two words, or lacks weights.
    """
    adapter = adapter_of(folder, settings.max_length)
    words = adapter.next_word
    word_ids = _word_ids(folder, adapter)
    network = load_language_model(folder, "float32")
    if settings.lora_rank:
        add_lora(network, settings.lora_rank, network.get_output_embeddings())
    network.to(device)
    _read_two_words(network, word_ids)

    def logits(prompts: PromptTokens, rows: Integers) -> Tensor:
        answered = words.answer(network, [prompts.ids(int(row)) for row in rows], device)
        scores: Tensor = difference(answered.float())
        return scores

    about = {key: adapter.identity[key] for key in ("template", "instruction", "words")}
    return Scorer(
        network, YesNoPrompts(adapter), logits, {"scores": "yes/no", **about}, declare=_declaring(folder, adapter)
    )


def _declaring(base: ModelFolder, adapter: CausalLMReranker) -> Callable[[Path], None]:
    """What writes how a fitted model is asked: as its base is."""

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
    """The adapter of a base: with the prompt that its folder declares, else with the one that it will be taught."""
    return CausalLMReranker(str(folder.path), max_length=max_length, template=taught_template(folder))


def taught_template(folder: ModelFolder) -> str | None:
    """The template that a language model is taught which does not say how it is asked; None for one that does."""
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
        told = str(error).split(";", maxsplit=1)[0]
        raise ModelError(f"{told}; --new-head grows a score head on '{folder.name}' instead") from None


def _read_two_words(network: Any, word_ids: tuple[int, ...]) -> None:
    """Let the head compute the two words alone, in float32, whatever the layers compute in. Its weights stay where they
    are, so what is trained and written is the whole head."""
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

"""Models that compare two documents for a query: language models that are asked which one answers it better, and
rerankers that order lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeGuard, cast

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.paths import user_path
from adapters.protocols import Bindable, Comparer, Generator, Identity, ListwiseReranker, Prompt, Reranker, Setting
from adapters.spec import Spec, as_ranker, build, identity_of, inner_of, kinds, open_generator, parse

PROMPT = "compare-1"
_TEXT = """Given a query, which of the two passages is more relevant to it?

Query: {query}

Passage A: {first}

Passage B: {second}

Answer with "Passage A" or "Passage B" only. Do not explain."""
"""The pairwise prompt of PRP (Qin et al. 2023, arXiv 2306.17563), in our words."""
_FIELDS = re.compile(r"\{(query|first|second)\}")
_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_ANSWER = re.compile(
    r"[\s\"'*`(\[]*(?:answer[*`]*:[\s\"'*`(\[]*)?(?:(?:passage|document)[\s\"'*`(\[:]+)?(A|B|tie)[\s\"'*`)\].:]*",
    re.IGNORECASE | re.ASCII,
)
_WORTH = {"a": 1.0, "b": 0.0, "tie": 0.5}
_OWN = ("prompt",)


class PromptedComparer:
    """Asks a language model about each two documents. The answer has to be A, B or TIE, alone or after "Passage",
    "Document" or "Answer:".

    Args:
        generator: writes the answers.
        prompt: `compare-1`, or a text file with the fields {query}, {first} and {second} that asks for the same words.

    Raises:
        UsageError: the prompt is unknown, cannot be read, or lacks a field.
    """

    def __init__(self, generator: Generator, prompt: str = PROMPT) -> None:
        self._generator, self._prompt = generator, _prompt(prompt)
        self.last_unread: str | None = None
        """The last answer that could not be read."""

    @property
    def identity(self) -> Identity:
        """The prompt, and the identity of the generator."""
        return {
            "comparer": "prompted",
            "version": 1,
            "prompt": digest({"text": self._prompt}),
            "generator": dict(identity_of(self._generator)),
        }

    def compare(self, queries: Sequence[str], firsts: Sequence[str], seconds: Sequence[str]) -> Iterator[float | None]:
        """See `Comparer`."""
        asked = [self.asked(*texts) for texts in zip(queries, firsts, seconds, strict=True)]
        for answer in self._generator.generate([Prompt(text, text) for text in asked]):
            found = read_answer(answer)
            if found is None:
                self.last_unread = answer
            yield found

    def asked(self, query: str, first: str, second: str) -> str:
        """The prompt for two documents."""
        texts = {"query": query, "first": first, "second": second}
        return _FIELDS.sub(lambda field: texts[field[1]], self._prompt)


class ListComparer:
    """A reranker of whole lists, which orders a list of two. An output that is no order of the two cannot be read."""

    def __init__(self, reranker: ListwiseReranker) -> None:
        self._reranker = reranker

    @property
    def identity(self) -> Identity:
        """The identity of the reranker."""
        return {"comparer": "list of two", "version": 1, "order": dict(identity_of(self._reranker))}

    def bind(self, setting: Setting) -> ListComparer:
        """With the reranker bound to a collection, if it wants to be."""
        bound = self._reranker.bind(setting) if isinstance(self._reranker, Bindable) else self._reranker
        return ListComparer(cast(ListwiseReranker, bound))

    def compare(self, queries: Sequence[str], firsts: Sequence[str], seconds: Sequence[str]) -> Iterator[float | None]:
        """See `Comparer`."""
        for query, *both in zip(queries, firsts, seconds, strict=True):
            found: object = self._reranker.order(query, both)
            order = list(found) if isinstance(found, Sequence | np.ndarray) and not isinstance(found, str) else []
            yield 1.0 if order == [0, 1] else 0.0 if order == [1, 0] else None


def open_comparer(text: str) -> Comparer | Reranker:
    """The teacher of `train teach --pairwise` that a spec names: one that compares two documents if it can, else a
    reranker that scores pairs.

    `chat:ADDRESS?model=NAME` and `pairwise:MODEL` are language models. A class or an entry point of another package
    compares if it has a method `compare`. A reranker of lists orders lists of two.

    Raises:
        UsageError: the spec names nothing of this kind.
        ModelError: the model cannot be used.
    """
    spec = parse(text)
    built = build(spec, "comparer" if "comparer" in kinds().get(spec.kind or "", {}) else "reranker")
    if compares(built):
        return built
    opened = as_ranker(built, text)
    return opened if isinstance(opened, Reranker) else ListComparer(opened)


def compares(adapter: object) -> TypeGuard[Comparer]:
    """Whether an adapter compares two documents."""
    return hasattr(adapter, "compare")


def only_compares(text: str) -> bool:
    """Whether a spec names a kind of models that compare and are no rerankers. Nothing is opened."""
    parts = kinds().get(parse(text).kind or "", {})
    return "comparer" in parts and "reranker" not in parts


def open_prompted(spec: Spec) -> PromptedComparer:
    """Open `chat:ADDRESS?model=NAME` or `pairwise:MODEL`, where the model is any generator. `?prompt=FILE` is another
    prompt; other options are those of the generator.

    Raises:
        UsageError: no model is named, or the prompt cannot be used.
    """
    if not spec.model:
        raise UsageError(f"'{spec.text}' names no language model; write for instance pairwise:Qwen/Qwen3-4B")
    inner = inner_of(spec, _OWN, "chat:" if spec.kind == "chat" else "")
    return PromptedComparer(open_generator(inner), spec.options.get("prompt", PROMPT))


open_prompted.takes_spec = True  # type: ignore[attr-defined]


def read_answer(answer: str) -> float | None:
    """1 for A, 0 for B, 0.5 for TIE; None for any other text. A block <think> before it is left out."""
    found = _ANSWER.fullmatch(_THINKING.sub("", answer))
    return None if found is None else _WORTH[found[1].lower()]


def _prompt(name: str) -> str:
    if name == PROMPT:
        return _TEXT
    file = user_path(name)
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"prompt={name} is neither {PROMPT} nor a text file that can be read ({error})") from None
    if sorted({field[1] for field in _FIELDS.finditer(text)}) != ["first", "query", "second"]:
        raise UsageError(f"{file}: a prompt has the fields {{query}}, {{first}} and {{second}}; add what is missing")
    return text

"""The plug-in interface. A plug-in implements one of these protocols; the rest of this package uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
IndexPairs = npt.NDArray[np.int64]
"""Shape [n, 2]; each row is (query index, document index)."""
Identity = Mapping[str, object]
"""JSON-able description of everything that can change a score: weights digest, tokenizer digest, template,
instruction, max_length, dtype, adapter version. Names and paths are not in it."""
Role = Literal["query", "document"]
Progress = Callable[[int], None]
"""Called with the number of texts or pairs that were finished since the last call."""


@dataclass(frozen=True)
class Setting:
    """What a collection tells an adapter before it is used on it. Never judgments."""

    corpus: Sequence[str]
    corpus_digest: str
    language: str | None = None
    """Declared, or else detected in the texts; None where neither says one."""
    instruction: str | None = None
    cache: Path | None = None
    """A folder in which an adapter may keep files that are keyed by content (embeddings)."""


@dataclass(frozen=True)
class Scored:
    """Scores of some rows of a request, with what the model really saw. All arrays have the length of `rows`."""

    rows: Integers
    """Rows of the request's `pairs`."""
    scores: Floats
    """Raw and in full float32: no sigmoid, no rounding."""
    tokens: npt.NDArray[np.int32]
    """Tokens of the document before truncation; -1 where the adapter has none."""
    kept: npt.NDArray[np.int32]
    """Document tokens that reached the model; -1 where the adapter has none."""
    inputs: npt.NDArray[np.uint64]
    """Digest of the model's whole input after truncation; 0 where the adapter has none."""


@runtime_checkable
class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> Identity: ...
    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        """Return float32 [len(texts), dim]."""
        ...


@runtime_checkable
class Retriever(Protocol):
    """The first stage: queries to candidates."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> Identity: ...
    def search(
        self, queries: Sequence[str], corpus: Sequence[str], depth: int, progress: Progress | None = None
    ) -> tuple[Integers, Integers, Floats]:
        """Return (offsets [q + 1], documents [n], scores [n]).

        The candidates of query i are documents[offsets[i]:offsets[i + 1]], best first: `depth` of them, or fewer if the
        corpus is smaller or nothing else matches. `progress` is called with numbers of documents that add up to
        len(corpus).
        """
        ...


@runtime_checkable
class Reranker(Protocol):
    """Pairs to scores; higher is more relevant. `score` is all that a plug-in has to write."""

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """Return float32 [len(pairs)]. Texts come once, pairs by index. A score must not depend on the other pairs."""
        ...


@runtime_checkable
class StreamingReranker(Reranker, Protocol):
    """A reranker that hands scores out as they come, so that a kill loses only the batch in flight."""

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Yield every row exactly once, in an order that depends only on the rows that are asked for: if the rows of
        the first k yields are left out of a second request, the rest comes in the same batches as before."""
        ...


@runtime_checkable
class ListwiseReranker(Protocol):
    """A whole list to an order. `order` is all that a plug-in has to write."""

    def order(self, query: str, documents: Sequence[str]) -> Sequence[int]:
        """Return every number from 0 to len(documents) - 1 once, the best document's first. The order may depend on
        the whole list and on the order in which it is given: that of the first stage. Equal texts come once."""
        ...


@runtime_checkable
class Bindable(Protocol):
    """An adapter that needs to know the collection (its instruction, language or statistics) before it is used. One
    that cannot do without a language has an attribute `uses_language`, true: it is not bound where nobody could look
    for the language."""

    def bind(self, setting: Setting) -> object:
        """Return an adapter for that collection; its identity holds whatever of the setting can change a score."""
        ...


@runtime_checkable
class Checkable(Protocol):
    """An adapter that can tell early that it cannot work, before anything is paid for."""

    def check(self) -> None:
        """Raise a HarnessError where the files or settings cannot work. No weights are read."""
        ...


@dataclass(frozen=True)
class Prompt:
    """What a generator is asked. A language model reads `text` alone; the other fields say the same in parts, for
    generators that need no language model."""

    text: str
    """The whole prompt, with the document and the demands in it."""
    document: str
    count: int = 1
    """Queries that are wanted."""
    language: str | None = None
    words: tuple[int, int] = (3, 20)
    """The shortest and the longest query, in words, or in characters where the language is written without spaces."""
    grammar: str = "json"
    """How the answer is written: `json` (a list of strings), `lines` (numbered), `line` (exactly one)."""
    questions: tuple[str, ...] = ()
    """Question forms of the language, with {} for the subject; empty if queries are not questions."""


@runtime_checkable
class Generator(Protocol):
    """Prompts to texts: queries, answers."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> Identity: ...
    def generate(self, prompts: Sequence[Prompt]) -> Iterable[str]:
        """One text for each prompt, in their order. An iterator may hand them out as they come: what came before an
        error is kept. The same prompt has to get the same text, whatever the others are."""
        ...

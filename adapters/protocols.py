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
"""A description of everything that can change a score, as JSON values: weights digest, tokenizer digest, template,
instruction, max_length, dtype, adapter version. It holds no names and no paths."""
Role = Literal["query", "document"]
Progress = Callable[[int], None]
"""Called with the number of texts or pairs finished since the last call."""


@dataclass(frozen=True)
class Setting:
    """What an adapter may know about a collection before it is used on it. Never judgments."""

    corpus: Sequence[str]
    corpus_digest: str
    language: str | None = None
    """The declared language, or else the one detected in the texts; None if there is neither."""
    instruction: str | None = None
    cache: Path | None = None
    """A folder in which an adapter may keep files that are keyed by content (embeddings)."""


@dataclass(frozen=True)
class Scored:
    """Scores of some rows of a request, and how much of the texts the model read. All arrays are as long as `rows`."""

    rows: Integers
    """Rows of the request's `pairs`."""
    scores: Floats
    """Raw scores in full float32: no sigmoid, no rounding."""
    tokens: npt.NDArray[np.int32]
    """Tokens of the document before truncation; -1 if the adapter does not count them."""
    kept: npt.NDArray[np.int32]
    """Document tokens that reached the model; -1 if the adapter does not count them."""
    inputs: npt.NDArray[np.uint64]
    """Digest of the model's whole input after truncation; 0 if the adapter computes none."""


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
    """The first stage: finds the candidates of each query."""

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
    """Turns pairs into scores; higher is more relevant. A plug-in only needs to implement `score`."""

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """Return float32 [len(pairs)].

        Each text is passed once and pairs refer to texts by index. A score must not depend on the other pairs. A large
        request is divided into chunks, which may be scored by several processes. An adapter with an attribute
        `in_process` that is true gets undivided requests in one process.
        """
        ...


@runtime_checkable
class StreamingReranker(Reranker, Protocol):
    """A reranker that yields scores as it computes them, so a killed run loses only the current batch."""

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Yield every row exactly once.

        The order depends only on the requested rows: if a second request leaves out the rows of the first k yields, the
        remaining rows come in the same batches as before.
        """
        ...


@runtime_checkable
class ListwiseReranker(Protocol):
    """Orders a whole list. A plug-in only needs to implement `order`."""

    def order(self, query: str, documents: Sequence[str]) -> Sequence[int]:
        """Return every number from 0 to len(documents) - 1 once, the number of the best document first.

        The result may depend on the whole list and on its order, which is that of the first stage. Equal texts are
        passed once.
        """
        ...


@runtime_checkable
class Comparer(Protocol):
    """Says which of two documents answers a query better: a teacher for `train teach --pairwise`."""

    @property
    def identity(self) -> Identity: ...
    def compare(self, queries: Sequence[str], firsts: Sequence[str], seconds: Sequence[str]) -> Iterable[float | None]:
        """Return one preference for each row, in order: 1 for the first document, 0 for the second, or a probability.

        None is an answer that cannot be read. It is counted and never replaced. An iterator may yield preferences as
        they come: those before an error are kept. The caller asks for both orders of two documents.
        """
        ...


@runtime_checkable
class Bindable(Protocol):
    """An adapter that needs to know the collection (its instruction, language or statistics) before it is used.

    An adapter that needs a language sets an attribute `uses_language` to true. It is not bound if the language could
    not be detected.
    """

    def bind(self, setting: Setting) -> object:
        """Return an adapter for that collection. Its identity holds all of the setting that can change a score."""
        ...


@runtime_checkable
class Checkable(Protocol):
    """An adapter that can check its files and settings before any expensive work starts."""

    def check(self) -> None:
        """Raise a HarnessError if the files or settings cannot work. Reads no weights."""
        ...


@dataclass(frozen=True)
class Prompt:
    """The input of a generator. A language model reads only `text`; the other fields hold the same information for
    generators without a language model."""

    text: str
    """The whole prompt, with the document and the instructions."""
    document: str
    count: int = 1
    """Number of queries to write."""
    language: str | None = None
    words: tuple[int, int] = (3, 20)
    """The shortest and the longest query, in words, or in characters where the language is written without spaces."""
    grammar: str = "json"
    """Format of the answer: `json` (a list of strings), `lines` (numbered), `line` (exactly one)."""
    questions: tuple[str, ...] = ()
    """Question forms of the language, with {} for the subject; empty if queries are not questions."""


@runtime_checkable
class Generator(Protocol):
    """Turns prompts into texts: queries or answers."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> Identity: ...
    def generate(self, prompts: Sequence[Prompt]) -> Iterable[str]:
        """Return one text for each prompt, in the order of the prompts.

        An iterator may yield texts as they are written: texts yielded before an error are kept. The same prompt must
        get the same text, whatever the other prompts are.
        """
        ...


@runtime_checkable
class Judge(Protocol):
    """Says whether a premise (a passage) supports a claim, or answers a query."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def grades(self) -> tuple[float, ...] | None:
        """The values that the judge can give, ascending, for instance (0.0, 0.5, 1.0); None for any value in [0, 1]."""
        ...

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> Floats:
        """Return float32 [len(claims)] in [0, 1]: how far premise i supports claim i; 0 not at all, 1 fully.

        A value depends on its premise and claim only, not on the other pairs.
        """
        ...


@runtime_checkable
class StreamingJudge(Judge, Protocol):
    """A judge that yields values as it computes them, so that a killed run loses only the current batch."""

    def stream(self, premises: Sequence[str], claims: Sequence[str]) -> Iterator[Scored]:
        """Yield every pair exactly once.

        `rows` are numbers of pairs, `scores` their values, `tokens` and `kept` the tokens of a pair before and after
        truncation.
        """
        ...

"""Examples as a student reads them, with one row per pair and the rows of an example together. They are tokenised when
a step needs them, so memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from adapters.batching import ModelInputs
from adapters.protocols import IndexPairs
from training.examples import Example
from training.instructed import by_instruction, joined

Rows = npt.NDArray[np.int64]
T = TypeVar("T")
_AT_ONCE = 512
"""Examples that are tokenised together when their lengths are asked for."""
_one_at_a_time = Lock()
"""A tokenizer is not for two threads: it is set to cut or not to cut before each use."""


Instruct = Callable[[str], "Encoder"]
"""Makes the encoder of an instruction."""


class Encoder(Protocol):
    """Makes the inputs of a student, the same ones that its adapter makes for scoring."""

    max_length: int
    """The largest number of tokens of a whole input."""

    def encode(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Any:
        """The inputs of the pairs, as `adapters.batching.ModelInputs`.

        Raises:
            ModelError: no input can be made from a pair.
        """
        ...


@dataclass(frozen=True)
class Encoded:
    """The rows of example i are offsets[i]..offsets[i + 1]."""

    pairs: ModelInputs
    offsets: Rows
    scores: npt.NDArray[np.float32]
    """The teacher's scores, one per row."""
    examples: Rows | None = None
    """The places of the examples among all examples of the run; None if they were not read from it."""

    @property
    def sizes(self) -> Rows:
        """The number of documents of each example."""
        return np.diff(self.offsets)

    @property
    def mean_lengths(self) -> Rows:
        """The mean number of input tokens of each example."""
        ends = np.concatenate([[0], np.cumsum(self.pairs.lengths)])
        tokens: Rows = np.diff(ends[self.offsets])
        return tokens // self.sizes

    def rows(self, examples: Rows) -> Rows:
        """The rows of the given examples, in their order."""
        return np.concatenate([np.arange(self.offsets[i], self.offsets[i + 1]) for i in examples.tolist()])


class Stream:
    """Examples in their order, each tokenised when it is read."""

    def __init__(self, rows: Sequence[Example], encoder: Encoder, instruct: Instruct | None = None) -> None:
        self._rows, self._encoder, self._instruct = rows, encoder, instruct
        self._lengths = np.full(len(rows), -1, np.int32)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, examples: Rows) -> Encoded:
        """Tokenise some examples.

        Raises:
            ModelError: the encoder cannot make an input from a pair.
            DamagedFile: the file of the examples was changed.
        """
        found = encode([self._rows[place] for place in examples.tolist()], self._encoder, self._instruct)
        return replace(found, examples=examples)

    def mean_lengths(self, examples: Rows) -> Rows:
        """The mean number of input tokens of some examples, [examples]. Each example is tokenised for it once.

        Raises:
            ModelError, DamagedFile: see `read`.
        """
        unknown = np.unique(examples[self._lengths[examples] < 0])
        for start in range(0, len(unknown), _AT_ONCE):
            some = unknown[start : start + _AT_ONCE]
            self._lengths[some] = self.read(some).mean_lengths
        return self._lengths[examples].astype(np.int64)


def encode(examples: Sequence[Example], encoder: Encoder, instruct: Instruct | None = None) -> Encoded:
    """Tokenise labelled examples.

    Args:
        instruct: makes the encoder of an instruction, for examples that have one of their own.

    Raises:
        ModelError: the encoder cannot make an input from a pair.
    """
    offsets = np.cumsum([0, *(len(example.documents) for example in examples)]).astype(np.int64)
    scores = np.array([score for example in examples for score in example.scores], np.float32)
    groups = by_instruction([example.instruction for example in examples])
    with _one_at_a_time:
        if instruct is None or set(groups) <= {None}:
            return Encoded(_inputs(examples, encoder), offsets, scores)
        parts = []
        for instruction, places in groups.items():
            own = encoder if instruction is None else instruct(instruction)
            rows = np.concatenate([np.arange(offsets[place], offsets[place + 1]) for place in places])
            parts.append((_inputs([examples[place] for place in places], own), rows))
        return Encoded(joined(parts), offsets, scores)


def _inputs(examples: Sequence[Example], encoder: Encoder) -> Any:
    queries = {text: row for row, text in enumerate(dict.fromkeys(example.query for example in examples))}
    texts = (text for example in examples for text in example.documents)
    documents = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    pairs = np.array(
        [(queries[example.query], documents[text]) for example in examples for text in example.documents], np.int64
    )
    return encoder.encode(list(queries), list(documents), pairs)


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """The items, each made in a thread while the one before it is used."""
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(next, items, None)
        while (item := made.result()) is not None:
            made = pool.submit(next, items, None)
            yield item

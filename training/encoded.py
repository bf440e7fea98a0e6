"""Examples as a student reads them: each text is tokenised once, with one row per pair and the rows of an example
together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from adapters.batching import ModelInputs
from adapters.protocols import IndexPairs
from training.examples import Example

Rows = npt.NDArray[np.int64]


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


def encode(examples: Sequence[Example], encoder: Encoder) -> Encoded:
    """Tokenise labelled examples.

    Raises:
        ModelError: the encoder cannot make an input from a pair.
    """
    queries = {text: row for row, text in enumerate(dict.fromkeys(example.query for example in examples))}
    texts = (text for example in examples for text in example.documents)
    documents = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    pairs = np.array(
        [(queries[example.query], documents[text]) for example in examples for text in example.documents], np.int64
    )
    offsets = np.cumsum([0, *(len(example.documents) for example in examples)]).astype(np.int64)
    scores = np.array([score for example in examples for score in example.scores], np.float32)
    return Encoded(encoder.encode(list(queries), list(documents), pairs), offsets, scores)

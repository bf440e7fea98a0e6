"""The model inputs of many pairs of texts: token ids in flat arrays, joined and padded when a batch is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.batching import input_digest
from adapters.protocols import Integers

Ids = npt.NDArray[np.int32]
Sequenced = tuple[Ids, Ids]
"""Token ids and token type ids of one whole input."""


@dataclass(frozen=True)
class Ragged:
    """Token ids of many texts: those of text i are values[offsets[i]:offsets[i + 1]]."""

    values: Ids
    offsets: Integers

    @property
    def lengths(self) -> Integers:
        """Tokens of every text."""
        return np.diff(self.offsets)

    def __getitem__(self, index: int) -> Ids:
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    @classmethod
    def of(cls, parts: Sequence[Ids]) -> Ragged:
        """Collect arrays."""
        offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)]).astype(np.int64)
        return cls(np.concatenate([np.empty(0, np.int32), *parts]).astype(np.int32), offsets)


@dataclass(frozen=True)
class CutTexts:
    """One text of every pair, truncated as the model reads it."""

    ids: Ragged
    of: Integers
    """The text of each pair, as a row of `ids`."""
    kept: Integers
    """Tokens of the text after truncation."""
    side: str
    """The side at which the text is truncated."""

    def __call__(self, row: int) -> Ids:
        """The tokens of the text of one pair."""
        ids, kept = self.ids[int(self.of[row])], int(self.kept[row])
        return ids[len(ids) - kept :] if self.side == "left" else ids[:kept]


@dataclass(frozen=True)
class Padding:
    """How a tokenizer pads a batch."""

    side: str
    token: int
    token_type: int


@dataclass(frozen=True)
class EncodedPairs:
    """The model inputs of all pairs of a request, one entry per pair; inputs are built on demand."""

    lengths: Integers
    """Tokens of the whole input, after truncation."""
    tokens: Ids
    """Document tokens before truncation."""
    kept: Ids
    """Document tokens after truncation."""
    padding: Padding
    sequence: Callable[[int], Sequenced]
    """The ids and token types of one input."""

    def collate(self, rows: Integers) -> dict[str, npt.NDArray[np.int64]]:
        """input_ids, attention_mask and token_type_ids of some rows, int64 [len(rows), longest of these rows]."""
        return collated([self.sequence(int(row)) for row in rows], self.padding)

    def inputs(self, rows: Integers) -> npt.NDArray[np.uint64]:
        """Digests of the unpadded token ids of some rows."""
        return np.array([input_digest(self.sequence(int(row))[0]) for row in rows], dtype=np.uint64)


def collated(sequences: Sequence[Sequenced], padding: Padding) -> dict[str, npt.NDArray[np.int64]]:
    """input_ids, attention_mask and token_type_ids of some inputs, int64 [inputs, longest of them]."""
    shape = (len(sequences), max((len(ids) for ids, _ in sequences), default=0))
    ids = np.full(shape, padding.token, np.int64)
    types = np.full(shape, padding.token_type, np.int64)
    mask = np.zeros(shape, np.int64)
    for place, (row_ids, row_types) in enumerate(sequences):
        begin = shape[1] - len(row_ids) if padding.side == "left" else 0
        span = slice(begin, begin + len(row_ids))
        ids[place, span], types[place, span], mask[place, span] = row_ids, row_types, 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def padding_of(tokenizer: Any) -> Padding:
    declared = tokenizer.padding or {}
    side = str(declared.get("direction", "right")).lower()
    return Padding(side, int(declared.get("pad_id", 0)), int(declared.get("pad_type_id", 0)))

"""Queries as sequences of word numbers over one vocabulary for all sets, so that resampling needs no text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from training.validating.sets import QuerySet, Rows
from training.validating.words import units

START, END = 0, 1
"""The numbers of the marks before and after a query."""
K = TypeVar("K")
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """The words and the pairs of neighbouring words of all sets."""

    words: int
    """The number of words, including START and END."""
    contexts: Rows
    """The first word of each pair."""


@dataclass(frozen=True)
class Sequences:
    """The queries of one set. The words of query i are words[offsets[i]:offsets[i + 1]]; the last one is END."""

    vocabulary: Vocabulary
    words: Rows
    pairs: Rows
    """The number of the pair of each word and the word before it, which is START at the beginning."""
    offsets: Rows
    groups: Rows
    """The document of each query."""

    def __len__(self) -> int:
        return len(self.groups)

    def take(self, rows: Rows) -> Sequences:
        """These queries, in this order."""
        places, offsets = ragged(self.offsets, rows)
        return replace(
            self, words=self.words[places], pairs=self.pairs[places], offsets=offsets, groups=self.groups[rows]
        )

    @cached_property
    def counts(self) -> Counts:
        """The number of occurrences of each word of the vocabulary."""
        return np.bincount(self.words, minlength=self.vocabulary.words)

    @cached_property
    def pair_counts(self) -> Counts:
        """The number of occurrences of each pair of the vocabulary."""
        return np.bincount(self.pairs, minlength=len(self.vocabulary.contexts))

    @cached_property
    def halves(self) -> tuple[Sequences, Sequences]:
        """Every second document, in the order of first appearance, and the rest."""
        _, first, owner = np.unique(self.groups, return_index=True, return_inverse=True)
        order = np.argsort(np.argsort(first))[owner]
        return self.take(np.flatnonzero(order % 2 == 0)), self.take(np.flatnonzero(order % 2 == 1))


def sequences(sets: Mapping[K, QuerySet]) -> dict[K, Sequences]:
    """All sets as sequences over their common vocabulary. Words are units, as in `words.units`."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = lambda: len(numbers) + 2
    numbered = {
        key: [[*map(numbers.__getitem__, units(text, one.language)), END] for text in one.texts]
        for key, one in sets.items()
    }
    size = len(numbers) + 2
    pairs = {key: _joined([at * size + word for at, word in _neighbours(one)] for one in queries)
             for key, queries in numbered.items()}  # fmt: skip
    known = np.unique(np.concatenate([np.zeros(0, np.int64), *pairs.values()]))
    vocabulary = Vocabulary(size, known // size)
    return {
        key: Sequences(
            vocabulary, _joined(queries), np.searchsorted(known, pairs[key]),
            np.cumsum([0, *map(len, queries)]), np.array(sets[key].groups or range(len(queries)), np.int64),
        )
        for key, queries in numbered.items()
    }  # fmt: skip


def ragged(offsets: Rows, rows: Rows) -> tuple[Rows, Rows]:
    """The places of the values of some rows, one row after the other, and their new offsets."""
    lengths = np.diff(offsets)[rows]
    ends = np.cumsum(lengths)
    places = np.arange(int(lengths.sum())) + np.repeat(offsets[:-1][rows] - (ends - lengths), lengths)
    return places, np.concatenate([np.zeros(1, np.int64), ends])


def _neighbours(query: list[int]) -> Iterable[tuple[int, int]]:
    return zip([START, *query[:-1]], query, strict=True)


def _joined(lists: Iterable[list[int]]) -> Rows:
    return np.array([number for one in lists for number in one], np.int64)

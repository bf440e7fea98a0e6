"""Queries as numbers of words, all sets over one vocabulary, so that a resampled set costs no text."""

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
"""Numbers of the marks before and after a query."""
K = TypeVar("K")
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """Words and pairs of neighbours that occur in any of the sets."""

    words: int
    """START and END included."""
    contexts: Rows
    """The first word of every pair."""


@dataclass(frozen=True)
class Sequences:
    """Queries of one set. Those of query i are words[offsets[i]:offsets[i + 1]]; the last one is END."""

    vocabulary: Vocabulary
    words: Rows
    pairs: Rows
    """Of each word and the one before it, which is START at the beginning: the number of the pair."""
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
        """Occurrences of every word of the vocabulary."""
        return np.bincount(self.words, minlength=self.vocabulary.words)

    @cached_property
    def pair_counts(self) -> Counts:
        """Occurrences of every pair of the vocabulary."""
        return np.bincount(self.pairs, minlength=len(self.vocabulary.contexts))

    @cached_property
    def halves(self) -> tuple[Sequences, Sequences]:
        """Every other document, in the order in which they first appear, and the rest."""
        _, first, owner = np.unique(self.groups, return_index=True, return_inverse=True)
        order = np.argsort(np.argsort(first))[owner]
        return self.take(np.flatnonzero(order % 2 == 0)), self.take(np.flatnonzero(order % 2 == 1))


def sequences(sets: Mapping[K, QuerySet]) -> dict[K, Sequences]:
    """Every set over the vocabulary of all of them; words are units, as `words.units` cuts them."""
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
    """Places of the values of some rows, one row after the other, and the offsets that they then have."""
    lengths = np.diff(offsets)[rows]
    ends = np.cumsum(lengths)
    places = np.arange(int(lengths.sum())) + np.repeat(offsets[:-1][rows] - (ends - lengths), lengths)
    return places, np.concatenate([np.zeros(1, np.int64), ends])


def _neighbours(query: list[int]) -> Iterable[tuple[int, int]]:
    return zip([START, *query[:-1]], query, strict=True)


def _joined(lists: Iterable[list[int]]) -> Rows:
    return np.array([number for one in lists for number in one], np.int64)

"""What the documents of a corpus say about its language: words, pairs of neighbours, and the ends of clauses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from harness.data.texts import Texts
from training.validating.overlap import Idf
from training.validating.words import tokens, units

T = TypeVar("T")
_CLAUSE = re.compile(r"[.!?;:,()\[\]\"。！？；：，、।؟،…\n]+")
"""Marks that end a clause."""
_CLAUSES, _SHUFFLES, _FREQUENT, _SAMPLE = 200, 3, 150, 100
MOST = 20_000
"""Documents that are read, evenly over the corpus."""


@dataclass(frozen=True)
class Background:
    """Counts over the clauses of documents."""

    idf: Idf
    """Of the tokens of overlaps."""
    words: Mapping[str, int]
    """The number of occurrences of each unit."""
    pairs: Mapping[tuple[str, str], int]
    """The number of occurrences of neighbours within a clause."""
    last: Mapping[str, int]
    """The number of clauses that end with each unit."""
    last_pairs: Mapping[tuple[str, str], int]
    """The number of clauses that end with each pair of units."""
    clauses: Sequence[Sequence[str]] = ()
    """At most 200 clauses of 4 to 20 units, evenly over the corpus."""
    sample: Sequence[str] = ()
    """At most 100 documents, evenly over the corpus."""

    @classmethod
    def of(cls, documents: Iterable[str], language: str | None) -> Background:
        """Read the documents, each text once."""
        texts = list(dict.fromkeys(text for text in documents if text.strip()))
        words, last = Counter[str](), Counter[str]()
        pairs, last_pairs = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        clauses: list[Sequence[str]] = []
        for text in texts:
            for clause in _CLAUSE.split(text):
                if run := units(clause, language):
                    words.update(run)
                    pairs.update(pairwise(run))
                    last[run[-1]] += 1
                    last_pairs.update([(run[-2], run[-1])] if len(run) > 1 else [])
                    clauses += [run] if 4 <= len(run) <= 20 else []
        idf = Idf.of(set(tokens(text, language)) for text in texts)
        return cls(idf, words, pairs, last, last_pairs, _evenly(clauses, _CLAUSES), _evenly(texts, _SAMPLE))

    @cached_property
    def total(self) -> int:
        """The number of units."""
        return sum(self.words.values())

    @cached_property
    def length(self) -> float:
        """The mean number of units of a clause."""
        return self.total / max(1, sum(self.last.values()))

    def unfinished(self, unit: str) -> bool:
        """Whether a unit is one of the most frequent and hardly ever ends a clause, as articles and prepositions do. A
        rare adjective ends no clause either, but keywords end with it."""
        count = self.words.get(unit, 0)
        return count >= 20 and unit in self._frequent and self.last.get(unit, 0) < 0.02 * count

    def unfinished_pair(self, unit: str, after: str) -> bool:
        """The same of two neighbours; for scripts without spaces, where a unit is a part of a word."""
        count = self.pairs.get((unit, after), 0)
        return count >= 6 and not self.last_pairs.get((unit, after), 0)

    def commonest(self, number: int) -> frozenset[str]:
        """The most frequent units."""
        return frozenset(self._by_count[:number])

    @cached_property
    def _frequent(self) -> frozenset[str]:
        return self.commonest(min(_FREQUENT, len(self.words) // 10))

    @cached_property
    def _by_count(self) -> Sequence[str]:
        return sorted(self.words, key=lambda unit: (-self.words[unit], unit))

    @cached_property
    def ordered(self) -> Sequence[str]:
        """All units in the order of their letters."""
        return sorted(self.words)

    @cached_property
    def order(self) -> float | None:
        """The mean of `orders` for clauses of the corpus itself, each compared with the others; None without any."""
        draw = np.random.default_rng(_CLAUSES)
        wins = [self._wins(one, draw, set(pairwise(one))) for one in self.clauses]
        return float(np.mean(wins)) if wins else None

    def orders(self, sentences: Sequence[Sequence[str]], seed: int) -> npt.NDArray[np.float64]:
        """For each sequence of units, the share of random orders in which fewer neighbours occur in the corpus than in
        its own order; equal numbers count half; float64 [sequences]."""
        draw = np.random.default_rng([seed, _SHUFFLES])
        return np.array([self._wins(units, draw, set()) for units in sentences], np.float64)

    def _wins(self, units: Sequence[str], draw: np.random.Generator, own: set[tuple[str, str]]) -> float:
        mine = self._known(units, own)
        orders = (draw.permutation(len(units)).tolist() for _ in range(_SHUFFLES))
        others = [self._known([units[at] for at in order], own) for order in orders]
        return sum(1.0 if mine > one else 0.5 if mine == one else 0.0 for one in others) / _SHUFFLES

    def _known(self, units: Sequence[str], own: set[tuple[str, str]]) -> int:
        """The number of neighbours that the corpus has; those in `own` once more."""
        return sum(self.pairs.get(pair, 0) > (pair in own) for pair in pairwise(units))


def read_evenly(corpus: Texts) -> list[str]:
    """At most `MOST` documents, evenly over the corpus."""
    return corpus.take(np.unique(np.linspace(0, max(0, len(corpus) - 1), min(MOST, len(corpus))).astype(np.int64)))


def _evenly(items: Sequence[T], most: int) -> Sequence[T]:
    return items[:: max(1, len(items) // most)][:most]

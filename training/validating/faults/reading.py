"""A set of queries, read once for all rules."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from harness.checks.near_duplicates import normalised
from training.validating.faults.background import Background
from training.validating.overlap import Document
from training.validating.sets import QuerySet, Rows
from training.validating.words import unit_name, units


@dataclass(frozen=True)
class Reading:
    """The distinct queries of a set with their words and documents."""

    whole: QuerySet
    background: Background
    """The corpus of the synthetic queries, or the documents of the real ones."""
    language: str | None
    """The language that the queries should have; None if nothing declares it."""

    def __len__(self) -> int:
        return len(self.distinct)

    @cached_property
    def normal(self) -> Sequence[str]:
        """The normalised text of each query, with repetitions."""
        return [normalised(text) for text in self.whole.texts]

    @cached_property
    def distinct(self) -> Rows:
        """The first row of each text, so that a repetition is one fault and not several."""
        first: dict[str, int] = {}
        for row, text in enumerate(self.normal):
            first.setdefault(text, row)
        return np.array([row for text, row in first.items() if text], np.int64)

    @cached_property
    def texts(self) -> Sequence[str]:
        """The distinct queries."""
        return [self.whole.texts[row] for row in self.distinct.tolist()]

    @cached_property
    def languages(self) -> Sequence[str | None]:
        """The language that each distinct query should have; None if nothing declares it."""
        own = self.whole.languages or (None,) * len(self.whole)
        return [own[row] or self.language for row in self.distinct.tolist()]

    @cached_property
    def units(self) -> Sequence[tuple[str, ...]]:
        """The words of each distinct query, or its characters in a script without spaces."""
        return [_units(text, self.language) for text in self.texts]

    @cached_property
    def tokens(self) -> Sequence[AbstractSet[str]]:
        """The tokens of each distinct query, as overlaps count them."""
        return [_document(text, self.language).tokens for text in self.texts]

    @cached_property
    def unspaced(self) -> bool:
        """Whether units are characters."""
        return unit_name(self.texts) == "characters"

    @cached_property
    def sources(self) -> Sequence[Document | None]:
        """The document of each distinct query; None for a query without one."""
        held = self.whole.documents or [""] * len(self.whole)
        found = (held[row] for row in self.distinct.tolist())
        return [_document(text, self.language) if text.strip() else None for text in found]


@lru_cache(maxsize=1 << 15)
def _units(text: str, language: str | None) -> tuple[str, ...]:
    return tuple(units(text, language))


@lru_cache(maxsize=1 << 15)
def _document(text: str, language: str | None) -> Document:
    return Document(text, language)

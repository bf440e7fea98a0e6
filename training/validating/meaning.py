"""V13 by vectors: from which cosine on a query counts as an evaluation query.

Embedders use different parts of the range: two questions on different topics have a cosine of 0.75 with one, of 0.1
with another, and translations are further from each other than paraphrases. So the smallest cosine that counts is
measured on the texts that are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from adapters.errors import MissingExtra
from adapters.protocols import Embedder, Floats
from training.validating.alike import alike
from training.validating.confusables import plain
from training.validating.faults.languages import language_of, spoken

COSINE = 0.95
"""The largest smallest cosine within a language, and the one that is used where there are too few texts to measure."""
PRICE = 0.1
"""The share of honest queries that may be as near to an evaluation query."""
WITHIN, ACROSS = 6.0, (5.0, 7.0)
"""Standard deviations above the cosine of unrelated queries: the lower bound within a language, and both bounds across
languages."""
LEAST = 50
"""The smallest number of texts that are measured."""
_HIGHEST = 0.99
_SAMPLE = 1000
_AT_ONCE = 20_000
"""Texts whose vectors are in memory at the same time."""
_ROWS = 256
_FREQUENT = 0.1
_LETTERS = 0.8
_UPPER = NormalDist().inv_cdf(0.9)

Vectors = npt.NDArray[np.float32]
Pair = tuple[str, str]
"""The languages of the asked and of the known text; '' if they are unknown."""


@dataclass(frozen=True)
class Nearest:
    """Known texts with their vectors, and the smallest cosine that counts for each pair of languages."""

    embedder: Embedder
    known: Vectors
    languages: npt.NDArray[np.str_]
    """The language of each known text."""
    smallest: Mapping[Pair, float]

    @classmethod
    def of(cls, asked: Sequence[str], known: Sequence[str], embedder: Embedder) -> Nearest:
        """Measure the smallest cosines.

        It is the cosine that at most 10 % of the asked texts reach with a known one, with two bounds. It is at most,
        within a language, the cosine that 10 % of the known texts reach with another known one whose letters differ,
        and 0.95; across languages, 7 standard deviations above the median of all pairs. So it stays low enough if many
        of the asked texts are leaks. It is at least 6 standard deviations above that median, 5 across languages: nearly
        all pairs are on different topics. The standard deviation is that of the upper half of the pairs.

        With fewer than 50 different known texts of a language it is 0.95. Fewer than 50 asked ones are not measured.
        """
        vectors = _unit(embedder.encode(known, "query"))
        theirs, ours = _languages(known), _languages(asked)
        smallest: dict[Pair, float] = {}
        for language in sorted(set(theirs)):
            rows = _different(known, np.flatnonzero(theirs == language))
            texts, there = [known[row] for row in rows.tolist()], vectors[rows]
            most = _within(texts, there)
            for other in sorted({*ours, language}):
                some = _evenly(_different(asked, np.flatnonzero(ours == other)))
                here = there[:0]
                if len(some) >= LEAST:
                    here = _unit(embedder.encode([asked[row] for row in some.tolist()], "query"))
                smallest[other, language] = _smallest(here, there, most if other == language else None)
        return cls(embedder, vectors, theirs, smallest)

    def search(self, asked: Sequence[str]) -> Iterator[tuple[int, int, float]]:
        """The rows of an asked and of a known text, and their cosine, of all pairs whose cosine is large enough."""
        languages = _languages(asked).tolist()
        least = {one: self._least(one) for one in set(languages)}
        for begin in range(0, len(asked), _AT_ONCE):
            vectors = _unit(self.embedder.encode(asked[begin : begin + _AT_ONCE], "query"))
            for start in range(0, len(vectors), _ROWS):
                cosines = vectors[start : start + _ROWS] @ self.known.T
                first = begin + start
                enough = cosines >= np.stack([least[one] for one in languages[first : first + len(cosines)]])
                for row, place in np.argwhere(enough).tolist():
                    yield first + row, place, float(cosines[row, place])

    def _least(self, language: str) -> Vectors:
        """The smallest cosine to each known text."""
        limits = {other: self.smallest.get((language, other), COSINE) for other in set(self.languages.tolist())}
        return np.array([limits[other] for other in self.languages.tolist()], np.float32)

    def as_rows(self) -> list[dict[str, object]]:
        """The smallest cosines, for a manifest."""
        return [
            {"asked": asked or None, "known": known or None, "cosine": round(least, 4)}
            for (asked, known), least in self.smallest.items()
        ]


def _smallest(asked: Vectors, known: Vectors, most: float | None) -> float:
    """The smallest cosine that counts for a pair of languages.

    Args:
        most: its upper bound within a language; None across languages.
    """
    if len(known) < LEAST or (most is None and len(asked) < LEAST):
        return COSINE
    some = known[_evenly(np.arange(len(known)))]
    others = asked if len(asked) >= LEAST else some
    floor = min(_above(others, some, ACROSS[0] if most is None else WITHIN), _HIGHEST)
    if most is None:
        most = _above(others, some, ACROSS[1])
    usual = float(np.quantile(_nearest(asked, known), 1 - PRICE)) if len(asked) >= LEAST else most
    return min(max(min(usual, most), floor), _HIGHEST)


def _within(texts: Sequence[str], vectors: Vectors) -> float:
    """The cosine that at most 10 % of known texts reach with another one whose letters differ, at most 0.95."""
    if len(texts) < LEAST:
        return COSINE
    some = _evenly(np.arange(len(texts)))
    same = [[row] for row in some.tolist()]
    for like in alike([texts[row] for row in some.tolist()], texts, _LETTERS):
        same[like.row].append(like.known)
    return min(float(np.quantile(_nearest(vectors[some], vectors, same), 1 - PRICE)), COSINE)


def _nearest(asked: Vectors, known: Vectors, without: Sequence[Sequence[int]] | None = None) -> npt.NDArray[np.float32]:
    """The largest cosine of each asked vector with a known one.

    Args:
        without: for each asked vector, the known ones that do not count.
    """
    found = np.empty(len(asked), np.float32)
    for start in range(0, len(asked), _ROWS):
        cosines = asked[start : start + _ROWS] @ known.T
        for row, places in enumerate((without or ())[start : start + _ROWS]):
            cosines[row, list(places)] = -1.0
        found[start : start + _ROWS] = cosines.max(axis=1)
    return found


def _above(first: Vectors, second: Vectors, deviations: float) -> float:
    """A number of standard deviations above the median cosine. The deviation is that of the upper half, from its 90th
    percentile, on which the few pairs on one topic have no influence."""
    middle, high = (float(one) for one in np.quantile(first @ second.T, (0.5, 0.9)))
    return middle + deviations * (high - middle) / _UPPER


def _languages(texts: Sequence[str]) -> npt.NDArray[np.str_]:
    """The language of each text: the one that is identified, if a tenth of the texts have it, else that of most. '' for
    all without the package that identifies languages."""
    try:
        found = [language_of(text) for text in texts]
        most = spoken(texts) or ""
    except MissingExtra:
        return np.full(len(texts), "")
    counts = Counter(found)
    frequent = {language for language, count in counts.items() if language and count >= _FREQUENT * len(texts)}
    return np.array([one if one in frequent else most for one in found], dtype=np.str_)


def _different(texts: Sequence[str], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first row of each different text."""
    first: dict[str, int] = {}
    for row in rows.tolist():
        first.setdefault(plain(texts[row]), row)
    return np.array(list(first.values()), np.int64)


def _evenly(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """At most 1,000 of the rows."""
    return rows if len(rows) <= _SAMPLE else rows[np.linspace(0, len(rows) - 1, _SAMPLE).astype(np.int64)]


def _unit(vectors: Floats) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)

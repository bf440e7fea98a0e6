"""Find texts that are equal to, or near-duplicates of, known texts: by letters, and by vectors if there are any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.protocols import Floats
from harness.checks.near_duplicates import Index, normalised

COSINE = 0.95
"""The cosine from which two vectors are near-duplicates."""
_AT_ONCE = 20_000
_ROWS = 256


@dataclass(frozen=True)
class Likeness:
    """A match of a text with a known text."""

    row: int
    """The row of the text."""
    known: int
    """The row of the known text."""
    similarity: float
    """The Jaccard coefficient of character trigrams, 1 for equal texts, or the cosine if only the vectors match."""
    how: str
    """`exact`, `trigrams` or `cosine`."""

    @property
    def order(self) -> tuple[bool, bool, float]:
        """The sort key; the largest is the best match: exact, then trigrams, then vectors."""
        return self.how == "exact", self.how == "trigrams", self.similarity


def alike(asked: Sequence[str], known: Sequence[str], threshold: float) -> Iterator[Likeness]:
    """All pairs that are equal after normalisation, or have at least this Jaccard coefficient of character trigrams.
    Empty texts match nothing."""
    places: dict[str, list[int]] = {}
    for row, text in enumerate(map(normalised, known)):
        if text:
            places.setdefault(text, []).append(row)
    if not places:
        return
    unique = list(places)
    index = Index(unique)
    for start in range(0, len(asked), _AT_ONCE):
        texts = [normalised(text) for text in asked[start : start + _AT_ONCE]]
        for row, text in enumerate(texts):
            for place in places.get(text, ()):
                yield Likeness(start + row, place, 1.0, "exact")
        for found in index.search(texts, threshold):
            for one, row, similarity in zip(found.known.tolist(), found.asked.tolist(), found.similarity, strict=True):
                if unique[one] != texts[row]:
                    for place in places[unique[one]]:
                        yield Likeness(start + row, place, float(similarity), "trigrams")


def alike_vectors(asked: Floats, known: Floats, threshold: float = COSINE) -> Iterator[Likeness]:
    """All pairs with at least this cosine.

    Args:
        asked, known: float32 [n, dim] and [m, dim] of one embedder, of any length except 0.
    """
    if not len(known):
        return
    columns = _unit(known)
    for start in range(0, len(asked), _ROWS):
        cosines = _unit(asked[start : start + _ROWS]) @ columns.T
        for row, place in np.argwhere(cosines >= threshold).tolist():
            yield Likeness(start + row, place, float(cosines[row, place]), "cosine")


def _unit(vectors: Floats) -> npt.NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)

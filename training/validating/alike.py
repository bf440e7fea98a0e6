"""Find texts that are equal to, or near-duplicates of, known texts by their letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.checks.near_duplicates import Index, trigrams
from harness.measuring.controls import mixed
from training.validating.confusables import plain

CONTAINED = 0.8
"""The share of a known text's trigrams from which a text contains it."""
SHORTEST = 20
"""The trigrams of the shortest known text that is looked for inside of others."""
_AT_ONCE = 20_000


HOW = ("exact", "trigrams", "contained", "cosine")
"""How texts match, the strongest first."""


@dataclass(frozen=True)
class Likeness:
    """A match of a text with a known text."""

    row: int
    """The row of the text."""
    known: int
    """The row of the known text."""
    similarity: float
    """The Jaccard coefficient of character trigrams, 1 for equal texts; the share of the known text's trigrams if the
    text contains it; or the cosine if only the vectors match."""
    how: str
    """One of HOW."""

    @property
    def order(self) -> tuple[int, float]:
        """The sort key; the largest is the best match: first `exact`, last `cosine`."""
        return -HOW.index(self.how), self.similarity


def alike(asked: Sequence[str], known: Sequence[str], threshold: float) -> Iterator[Likeness]:
    """All pairs that are equal after normalisation, have at least this Jaccard coefficient of character trigrams, or
    contain the known text (see `containing`). Look-alikes of other scripts, accents and invisible characters do not
    count. Empty texts match nothing."""
    places: dict[str, list[int]] = {}
    for row, text in enumerate(map(plain, known)):
        if text:
            places.setdefault(text, []).append(row)
    if not places:
        return
    unique = list(places)
    index, inside = Index(unique), _Inside(unique)
    for start in range(0, len(asked), _AT_ONCE):
        texts = [plain(text) for text in asked[start : start + _AT_ONCE]]
        for row, text in enumerate(texts):
            for place in places.get(text, ()):
                yield Likeness(start + row, place, 1.0, "exact")
        for found in index.search(texts, threshold):
            for one, row, similarity in zip(found.known.tolist(), found.asked.tolist(), found.similarity, strict=True):
                if unique[one] != texts[row]:
                    for place in places[unique[one]]:
                        yield Likeness(start + row, place, float(similarity), "trigrams")
        for row, one, share in inside.search(texts):
            if unique[one] != texts[row]:
                yield from (Likeness(start + row, place, share, "contained") for place in places[unique[one]])


def containing(asked: Sequence[str], known: Sequence[str]) -> Iterator[Likeness]:
    """All pairs of plain texts in which at least 80 % of the trigrams of the known text occur in the other one: texts
    with something before or after it, with a few typos, or with its parts in another order. Known texts with fewer than
    20 trigrams are not looked for, and all numbers of a known text must occur, because questions of one form differ in
    them."""
    inside = _Inside(known)
    yield from (Likeness(row, place, share, "contained") for row, place, share in inside.search(asked))


class _Inside:
    """Looks known texts up inside of others. Of each known text four trigrams are kept, the rarest of each quarter of
    them; a text that has none of the four does not contain it."""

    def __init__(self, known: Sequence[str]) -> None:
        grams = trigrams(known)
        self._grams = [set(part.tolist()) for part in np.split(grams.values, grams.offsets[1:-1])] if len(known) else []
        self._numbers = [_numbers(text) for text in known]
        distinct, place, counts = np.unique(grams.values, return_inverse=True, return_counts=True)
        quarter = (mixed(distinct) & np.uint64(3)).astype(np.int64)[place]
        order = np.lexsort((counts[place], quarter, grams.owners))
        owners, quarters = grams.owners[order], quarter[order]
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(owners) != 0) | (np.diff(quarters) != 0)
        long = np.array([len(one) >= SHORTEST for one in self._grams], bool)[owners[first]] if len(order) else first
        self._keys: dict[int, list[int]] = {}
        for value, owner in zip(grams.values[order][first][long].tolist(), owners[first][long].tolist(), strict=True):
            self._keys.setdefault(value, []).append(owner)

    def search(self, asked: Sequence[str]) -> Iterator[tuple[int, int, float]]:
        """The row of each text that contains a known text, the row of that one, and the share of its trigrams."""
        grams = trigrams(asked) if asked else None
        parts = np.split(grams.values, grams.offsets[1:-1]) if grams is not None else []
        for row, part in enumerate(parts):
            own = set(part.tolist())
            numbers = _numbers(asked[row])
            for place in sorted({place for value in own for place in self._keys.get(value, ())}):
                share = len(self._grams[place] & own) / len(self._grams[place])
                if share >= CONTAINED and self._numbers[place] <= numbers:
                    yield row, place, share


def _numbers(text: str) -> frozenset[str]:
    return frozenset(word for word in text.split() if any(map(str.isdigit, word)))

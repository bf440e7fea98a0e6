"""Near-duplicates of short texts in any script: texts that are equal after normalisation, or share most of their
character trigrams.

Candidates are found by MinHash (Broder 1997) in bands, and each is verified by the exact Jaccard coefficient. Memory
grows with the texts that are searched, not with those that are looked up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.measuring.controls import mixed

Words = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
BANDS, PER_BAND = 20, 5
"""Of the pairs that share 80 % of their trigrams one in 2,800 is missed, at 90 % one in 55 million."""
_AT_ONCE = 1 << 16
_PAD = ("\x02", "\x03")


class _Plain(dict[int, int]):
    """Keeps letters, marks and digits of every script, and replaces everything else by a space."""

    def __missing__(self, code: int) -> int:
        kept = unicodedata.category(chr(code))[0] in "LMN"
        self[code] = code if kept else 32
        return self[code]


_PLAIN = _Plain()


def normalised(text: str) -> str:
    """Return the text in NFKC and with its case folded, with one space for each run of punctuation and white space. A
    text with only punctuation is unchanged."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.translate(_PLAIN).split()) or " ".join(folded.split())


@dataclass(frozen=True)
class Trigrams:
    """The distinct trigrams of many texts. Those of text i are values[offsets[i]:offsets[i + 1]], ascending."""

    values: Words
    """Three code points of 21 bits each, so that every trigram has its own number."""
    offsets: Rows

    @property
    def sizes(self) -> Rows:
        """The number of distinct trigrams of every text."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> Rows:
        """The index of the text of every value."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.sizes)

    def bands(self) -> Words:
        """Return keys, uint64 [texts, BANDS]. Similar texts share a key with high probability."""
        keys = np.zeros((len(self.offsets) - 1, BANDS), np.uint64)
        filled = self.sizes > 0
        if not filled.any():
            return keys
        hashed, starts = mixed(self.values), self.offsets[:-1][filled]
        factors = np.random.default_rng(0).integers(0, 2**63, (BANDS, PER_BAND), np.uint64) * np.uint64(2) + np.uint64(
            1
        )
        for band in range(BANDS):
            for factor in factors[band]:
                least = np.minimum.reduceat(mixed(hashed * factor), starts)
                keys[filled, band] = mixed(keys[filled, band] ^ least)
        return keys


def trigrams(texts: Sequence[str]) -> Trigrams:
    """Return the trigrams of normalised texts. Both ends get a mark, so a text of one character has a trigram."""
    joined = "".join(f"{_PAD[0]}{text}{_PAD[1]}" for text in texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    owner = np.repeat(np.arange(len(texts)), [len(text) + 2 for text in texts])
    inside = owner[:-2] == owner[2:]
    values = (codes[:-2] << np.uint64(42) | codes[1:-1] << np.uint64(21) | codes[2:])[inside]
    owner = owner[:-2][inside]
    order = np.lexsort((values, owner))
    values, owner = values[order], owner[order]
    new = np.ones(len(values), bool)
    new[1:] = (np.diff(values) != 0) | (np.diff(owner) != 0)
    counts = np.bincount(owner[new], minlength=len(texts))
    return Trigrams(values[new], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs of similar texts, as aligned arrays."""

    known: Rows
    """Indices of texts in the index."""
    asked: Rows
    """Indices of texts that were looked up."""
    similarity: npt.NDArray[np.float64]
    """The Jaccard coefficient of the trigrams."""


@dataclass(frozen=True)
class Index:
    """An index of normalised texts."""

    texts: Sequence[str]

    def search(self, asked: Sequence[str], threshold: float) -> Iterator[NearDuplicates]:
        """Yield the pairs with at least this Jaccard coefficient, in parts. At 0.7, one in 40 is missed; see `BANDS`.

        Args:
            asked: normalised texts, thousands at once.
            threshold: the smallest Jaccard coefficient.
        """
        grams = trigrams(asked)
        wide = np.searchsorted(self._vocabulary, grams.values).clip(max=len(self._vocabulary) - 1)
        words = np.where(self._vocabulary[wide] == grams.values, wide, -1)
        for stored, looked_up in self._candidates(grams.bands()):
            short, long = np.sort([self._grams.sizes[stored], grams.sizes[looked_up]], axis=0)
            near = short >= threshold * long
            pairs = np.unique(stored[near] * len(asked) + looked_up[near])
            known, rows = pairs // len(asked), pairs % len(asked)
            for start in range(0, len(pairs), _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                yield self._verified(known[part], rows[part], grams, words, threshold)

    def _candidates(self, keys: Words) -> Iterator[tuple[Rows, Rows]]:
        """Yield (known, asked) that share a key, band by band, in parts of limited size."""
        for band, (order, stored) in enumerate(self._bands):
            low = np.searchsorted(stored, keys[:, band], "left")
            counts = np.searchsorted(stored, keys[:, band], "right") - low
            total = np.cumsum(counts)
            start = 0
            while start < len(counts):
                before = total[start - 1] if start else 0
                stop = max(start + 1, int(np.searchsorted(total, before + 16 * _AT_ONCE, "right")))
                rows = np.repeat(np.arange(start, stop), counts[start:stop])
                step = np.arange(len(rows)) - np.repeat(
                    total[start:stop] - counts[start:stop] - before, counts[start:stop]
                )
                yield order[low[rows] + step], rows
                start = stop

    def _verified(self, known: Rows, rows: Rows, grams: Trigrams, words: Rows, threshold: float) -> NearDuplicates:
        sizes = grams.sizes[rows]
        step = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        asked = words[np.repeat(grams.offsets[rows], sizes) + step]
        keys = np.repeat(known, sizes) * len(self._vocabulary) + asked
        place = np.searchsorted(self._members, keys).clip(max=len(self._members) - 1)
        hit = (asked >= 0) & (self._members[place] == keys)
        shared = np.bincount(np.repeat(np.arange(len(rows)), sizes), weights=hit, minlength=len(rows))
        # An empty text has no trigrams, and is like no other.
        similarity = shared / np.maximum(sizes + self._grams.sizes[known] - shared, 1)
        kept = similarity >= threshold
        return NearDuplicates(known[kept], rows[kept], similarity[kept])

    @cached_property
    def _grams(self) -> Trigrams:
        return trigrams(self.texts)

    @cached_property
    def _vocabulary(self) -> Words:
        return np.unique(self._grams.values)

    @cached_property
    def _members(self) -> Rows:
        """Every (text, trigram) as one number, ascending."""
        words = np.searchsorted(self._vocabulary, self._grams.values)
        return np.asarray(self._grams.owners * len(self._vocabulary) + words, np.int64)

    @cached_property
    def _bands(self) -> list[tuple[Rows, Words]]:
        orders = [(np.argsort(column, kind="stable"), column) for column in self._grams.bands().T]
        return [(order, column[order]) for order, column in orders]

"""An index in files: for each term the documents that hold it, and what the term adds to their scores.

The pairs of term and document are sorted in two passes, as large files are: blocks of documents are sorted by term and
kept, then the blocks are merged, some terms at a time. In memory are one block and a few numbers for each document and
each term; the rest is in temporary files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.array_file import ArrayFile
from adapters.protocols import Floats, Integers
from adapters.terms import CorpusTerms, TermIds

Weigh = Callable[[TermIds, Floats, Integers], npt.NDArray[np.floating]]
"""What a term adds to the score of a document: from the term, how often the document holds it, and the number of terms
of the document; for many pairs at once."""

_PAIRS = 1 << 20
"""Pairs of term and document that are sorted at once."""
_TERM = 32
_DOCUMENT = (1 << _TERM) - 1


@dataclass(frozen=True)
class Postings:
    """The documents of term t are documents[starts[t]:starts[t + 1]], ascending; so are their scores."""

    starts: Integers
    documents: ArrayFile
    scores: ArrayFile
    size: int
    """The number of documents."""

    def scored(self, terms: TermIds) -> Floats:
        """The scores of all documents, float32 [size]. What the terms add is added in the order of the terms."""
        scores = np.zeros(self.size, np.float32)
        for term in terms.tolist():
            part = slice(int(self.starts[term]), int(self.starts[term + 1]))
            scores[self.documents[part]] += self.scores[part]
        return scores


def postings(read: CorpusTerms, weigh: Weigh, folder: Path | None = None) -> Postings:
    """Build the index of a corpus.

    Args:
        folder: where its temporary files are. Default: where the system keeps them.
    """
    starts = np.concatenate([[0], np.cumsum(read.statistics.frequencies)])
    groups = _cuts(starts)
    blocks = _Blocks(ArrayFile.temporary(np.int64, folder), ArrayFile.temporary(np.float32, folder), [])
    for first, last in pairwise(_cuts(read.offsets).tolist()):
        blocks.add(*_counted(read, first, last), groups)
    found = Postings(starts, ArrayFile.temporary(np.int32, folder), ArrayFile.temporary(np.float32, folder), len(read))
    lengths = np.diff(read.offsets)
    for group, (first, last) in enumerate(pairwise(groups.tolist())):
        for pairs, counts in blocks.of(group, alone=last - first == 1):
            rows = pairs & _DOCUMENT
            found.documents.append(rows)
            found.scores.append(weigh((pairs >> _TERM).astype(np.int32), counts, lengths[rows]))
    return found


def _cuts(starts: Integers) -> Integers:
    """Cut consecutive groups into blocks of about `_PAIRS` entries, at least one group each; the first group of each
    block, and the end.

    Args:
        starts: the first entry of each group, and the end.
    """
    cuts, last = [0], len(starts) - 1
    while cuts[-1] < last:
        fitting = int(np.searchsorted(starts, starts[cuts[-1]] + _PAIRS, side="right")) - 1
        cuts.append(max(fitting, cuts[-1] + 1))
    return np.array(cuts, np.int64)


def _counted(read: CorpusTerms, first: int, last: int) -> tuple[Integers, Floats]:
    """The pairs of some documents, term << 32 | document, ascending, and how often each occurs."""
    offsets = read.offsets[first : last + 1]
    terms = read.terms[int(offsets[0]) : int(offsets[-1])].astype(np.int64)
    pairs = terms << _TERM | np.repeat(np.arange(first, last), np.diff(offsets))
    pairs.sort()
    new = np.flatnonzero(np.concatenate([[True] * bool(len(pairs)), pairs[1:] != pairs[:-1]]))
    return pairs[new], np.diff(new, append=len(pairs)).astype(np.float32)


@dataclass(frozen=True)
class _Blocks:
    """Sorted pairs of blocks of documents, one block after another."""

    pairs: ArrayFile
    counts: ArrayFile
    bounds: list[Integers]
    """For each block where the pairs of each group of terms begin, and the end."""

    def add(self, pairs: Integers, counts: Floats, groups: Integers) -> None:
        """Keep a block.

        Args:
            groups: the first term of each group, and the end.
        """
        self.bounds.append(len(self.pairs) + np.searchsorted(pairs, groups << _TERM))
        self.pairs.append(pairs)
        self.counts.append(counts)

    def of(self, group: int, *, alone: bool) -> Iterator[tuple[Integers, Floats]]:
        """The pairs of a group of terms in their order, from all blocks.

        Args:
            alone: whether the group is one term, which can be in more documents than are sorted at once.
        """
        parts = [slice(int(bounds[group]), int(bounds[group + 1])) for bounds in self.bounds]
        if alone:
            yield from ((self.pairs[part], self.counts[part]) for part in parts)
            return
        pairs = np.concatenate([self.pairs[part] for part in parts])
        order = np.argsort(pairs)
        yield pairs[order], np.concatenate([self.counts[part] for part in parts])[order]

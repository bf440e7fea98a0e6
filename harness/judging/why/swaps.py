"""Finds the pairs of documents that changed places, and the swaps that changed a query's measure most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.judging.why.facing import Floats64, Indices, PairedTexts
from harness.measuring.measures import DEFINITIONS, Hits, Measure

_WEIGHED = 200
"""The number of swaps of a query whose effect is computed exactly, those with the largest difference of discounts."""
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Listed:
    """The documents of one query: all candidates of A or B and all relevant documents, each once."""

    documents: Indices
    grades: Indices
    """-1 if unjudged."""
    rows_a: Indices
    """Rows of the run; -1 for a document that is not a candidate."""
    rows_b: Indices
    ranks_a: Indices
    """From 1; 0 for a document that is not a candidate."""
    ranks_b: Indices


@dataclass(frozen=True)
class Swap:
    """Two documents of one query whose order differs, as indices in `Listed`."""

    better: int
    """The document with the higher grade."""
    worse: int
    effect: float
    """The mean, over both rankings, of the change of the measure when only these two are exchanged; negative if B ranks
    the worse document first."""


def listed(facing: PairedTexts, query: int) -> Listed:
    """Return the documents of one query in both rankings."""
    qrels = facing.collection.qrels
    first, last = np.searchsorted(qrels.queries, (query, query + 1))
    judged, grades = qrels.documents[first:last].astype(np.int64), qrels.grades[first:last].astype(np.int64)
    own = [side.run.offsets[query : query + 2] for side in facing.sides]
    lists = [side.run.documents[at[0] : at[1]] for side, at in zip(facing.sides, own, strict=True)]
    documents = np.unique(np.concatenate([*lists, judged[grades >= 1]]).astype(np.int64))
    rows = [_rows(documents, there, int(at[0])) for there, at in zip(lists, own, strict=True)]
    ranks = [_at(side.ranks, found, 0) for side, found in zip(facing.sides, rows, strict=True)]
    return Listed(documents, _at(grades, _rows(documents, judged, 0), -1), *rows, *ranks)


def swaps(listed: Listed, measure: Measure, divisor: float, most: int = 3) -> list[Swap]:
    """Return the swaps with the largest effect, largest first. A swap is a pair of documents with different grades that
    A and B order differently. A document that is not a candidate comes after the last candidate."""
    if divisor <= 0:
        return []
    better, worse = _turned(listed, measure)
    if not len(better):
        return []
    in_a = _exchanged(listed, listed.ranks_a, better, worse, measure) / divisor
    in_b = _exchanged(listed, listed.ranks_b, better, worse, measure) / divisor
    effects = (in_a - in_b) / 2
    strongest = np.argsort(-abs(effects), kind="stable")[:most]
    return [Swap(int(better[k]), int(worse[k]), float(effects[k])) for k in strongest if abs(effects[k]) > 1e-12]


def _rows(wanted: Indices, there: npt.NDArray[np.int32] | Indices, start: int) -> Indices:
    """Return the position of each wanted document in a list, counted from `start`; -1 if it is not in the list."""
    if not len(there):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(there, kind="stable")
    place = np.minimum(np.searchsorted(there[order], wanted), len(there) - 1)
    return np.where(there[order][place] == wanted, order[place] + start, -1)


def _at(values: npt.NDArray[np.int64], rows: Indices, otherwise: int) -> Indices:
    if not len(values):
        return np.full(len(rows), otherwise, np.int64)
    return np.where(rows >= 0, values[rows], otherwise)


def _turned(listed: Listed, measure: Measure) -> tuple[Indices, Indices]:
    """Return the (better, worse) documents that A and B order differently, limited to the most promising pairs."""
    gains = np.maximum(listed.grades, 0)
    better = np.flatnonzero(gains > 0)
    gap = gains[better][:, None] - gains[None, :]
    a, b = (np.where(ranks > 0, ranks, _LAST) for ranks in (listed.ranks_a, listed.ranks_b))
    ahead = [np.sign(ranks[None, :] - ranks[better][:, None]) for ranks in (a, b)]
    turned = (gap > 0) & (ahead[0] * ahead[1] < 0)
    worth = np.zeros(turned.shape)
    for ranks in (listed.ranks_a, listed.ranks_b):
        discount = _discounts(ranks, measure.cutoff)
        worth += abs(discount[better][:, None] - discount[None, :])
    worth *= np.where(turned, gap, 0)
    most = np.argsort(-worth, axis=None, kind="stable")[: min(_WEIGHED, int((worth > 0).sum()))]
    row, column = np.unravel_index(most, worth.shape)
    return better[row].astype(np.int64), column.astype(np.int64)


def _discounts(ranks: Indices, cutoff: int | None) -> Floats64:
    counted = (ranks > 0) & (ranks <= (cutoff or _LAST))
    discounts: Floats64 = np.where(counted, 1 / np.log2(np.maximum(ranks, 1) + 1), 0.0)
    return discounts


def _exchanged(listed: Listed, ranks: Indices, better: Indices, worse: Indices, measure: Measure) -> Floats64:
    """Return what exchanging the documents of each pair adds to the sum of gains of a ranking, float64 [pairs]."""
    relevant = listed.grades >= 1
    table = np.repeat(ranks[None, :], len(better), axis=0)
    pairs = np.arange(len(better))
    table[pairs, better], table[pairs, worse] = ranks[worse], ranks[better]
    table = np.concatenate([ranks[None, :], table])[:, relevant]
    sums = _sums(table, listed.grades[relevant], measure)
    change: Floats64 = sums[1:] - sums[0]
    return change


def _sums(table: Indices, grades: Indices, measure: Measure) -> Floats64:
    """Return the sum of gains of each row of ranks [rankings, relevant]; 0 means not ranked."""
    order = np.argsort(table, axis=1, kind="stable")
    ranks, sorted_grades = np.take_along_axis(table, order, axis=1), grades[order]
    there = ranks > 0
    hits = Hits(np.nonzero(there)[0].astype(np.int64), ranks[there], sorted_grades[there], len(table))
    return hits.total(DEFINITIONS[measure.name].gain(hits), measure.cutoff)

"""n-grams of queries: the share of distinct ones, and the BLEU of each query against the others of its set."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.validating.sequences import ragged
from training.validating.sets import Rows
from training.validating.two_samples import Values

ORDERS = 4
_NO_MATCH = 0.1
"""The number of matches for an order without matches (method 1 of Chen and Cherry 2014)."""


@dataclass(frozen=True)
class NGrams:
    """The distinct n-grams of each query, for one n: those of query i are grams[offsets[i]:offsets[i + 1]]."""

    grams: Rows
    counts: Rows
    """The number of occurrences of each n-gram in its query."""
    offsets: Rows

    def take(self, rows: Rows) -> NGrams:
        """The n-grams of some queries, in this order."""
        places, offsets = ragged(self.offsets, rows)
        return NGrams(self.grams[places], self.counts[places], offsets)

    @property
    def owners(self) -> Rows:
        """The query of each n-gram."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


@dataclass(frozen=True)
class Grams:
    """The n-grams of a set of queries, n from 1 to ORDERS."""

    orders: tuple[NGrams, ...]
    lengths: Rows
    """The number of units of each query."""

    def take(self, rows: Rows) -> Grams:
        """The n-grams of some queries, in this order."""
        return replace(self, orders=tuple(order.take(rows) for order in self.orders), lengths=self.lengths[rows])

    @classmethod
    def of(cls, queries: Sequence[Sequence[str]]) -> Grams:
        """The n-grams of queries, given in units."""
        orders = tuple(_order(queries, n) for n in range(1, ORDERS + 1))
        return cls(orders, np.array([len(query) for query in queries], np.int64))


def distinct(order: NGrams) -> float:
    """distinct-n (Li et al. 2016, arXiv 1510.03055): distinct n-grams over all n-grams; nan without n-grams. It falls
    with the number of queries, so compare only equal numbers."""
    total = order.counts.sum()
    return float(len(np.unique(order.grams)) / total) if total else math.nan


def self_bleu(grams: Grams) -> float:
    """Self-BLEU (Zhu et al. 2018, arXiv 1802.01886): the mean BLEU-4 of each query with all others as references, from
    0 (nothing shared) to 1.

    A query of fewer than four units uses only the orders that it has. An order without a match counts as 0.1 matches.
    The reference length is the nearest length of another query, or the shorter of two. nan for fewer than two queries.
    It grows with the number of queries, so compare only equal numbers.
    """
    grams = grams.take(np.flatnonzero(grams.lengths))
    if len(grams.lengths) < 2:
        return math.nan
    logs, orders = np.zeros(len(grams.lengths)), np.zeros(len(grams.lengths))
    for order in grams.orders:
        size = len(grams.lengths)
        total = np.bincount(order.owners, weights=order.counts, minlength=size)
        matched = np.bincount(order.owners, weights=_clipped(order), minlength=size)
        logs += np.log(np.where(matched > 0, matched, _NO_MATCH) / np.maximum(total, 1)) * (total > 0)
        orders += total > 0
    return float(np.exp(logs / orders + _brevity(grams.lengths)).mean())


def _clipped(order: NGrams) -> Rows:
    """The clipped count of each n-gram: at most the largest count in another query."""
    if not len(order.grams):
        return order.counts
    sort = np.lexsort((-order.counts, order.grams))
    grams, counts = order.grams[sort], order.counts[sort]
    starts = np.flatnonzero(np.concatenate([[True], grams[1:] != grams[:-1]]))
    sizes = np.diff([*starts, len(grams)])
    most = np.repeat(counts[starts], sizes)
    second = np.where(sizes > 1, counts[np.minimum(starts + 1, len(counts) - 1)], 0)
    most[starts] = second
    clipped = np.empty_like(counts)
    clipped[sort] = np.minimum(counts, most)
    return clipped


def _brevity(lengths: Rows) -> Values:
    """The logarithm of BLEU's brevity penalty for each query."""
    known, counts = np.unique(lengths, return_counts=True)
    nearest = dict(zip(known.tolist(), known.tolist(), strict=True))
    for at in np.flatnonzero(counts == 1):
        others = np.delete(known, at)
        nearest[int(known[at])] = int(others[np.argmin(np.abs(others - known[at]))])
    references = np.array([nearest[length] for length in lengths.tolist()])
    return np.minimum(0.0, 1 - references / lengths)


def _order(queries: Sequence[Sequence[str]], n: int) -> NGrams:
    numbers: dict[tuple[str, ...], int] = {}
    counted = [Counter(tuple(query[at : at + n]) for at in range(len(query) - n + 1)) for query in queries]
    grams = [numbers.setdefault(gram, len(numbers)) for counts in counted for gram in counts]
    times = [number for counts in counted for number in counts.values()]
    return NGrams(np.array(grams, np.int64), np.array(times, np.int64), np.cumsum([0, *map(len, counted)]))

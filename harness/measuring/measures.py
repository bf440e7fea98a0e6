"""Measures in the usual notation (`nDCG@10`). Each is declared by functions of the relevant documents of a ranking."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError, did_you_mean
from harness.measuring import chance
from harness.measuring.chance import Floats64, JudgedPool

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Measure:
    """One measure, in the notation of ir_measures; `str(measure)` is its canonical name."""

    name: str
    """A name of `DEFINITIONS`."""
    cutoff: int | None
    """The number of ranks that count, from the top; None for the whole list."""

    def __str__(self) -> str:
        return self.name if self.cutoff is None else f"{self.name}@{self.cutoff}"


def nth(groups: Indices) -> Indices:
    """The position, from 1, of every entry in its group. Entries of a group are adjacent."""
    entries = np.arange(len(groups), dtype=np.int64)
    new = np.ones(len(groups), dtype=bool)
    new[1:] = groups[1:] != groups[:-1]
    return entries - np.maximum.accumulate(np.where(new, entries, 0)) + 1


@dataclass(frozen=True)
class Hits:
    """Relevant documents (grade >= 1), sorted by query and rank."""

    queries: Indices
    """Ascending query index."""
    ranks: Indices
    """From 1, ascending within a query."""
    grades: Indices
    size: int
    """The number of queries."""

    @property
    def nth(self) -> Indices:
        """1 for the first relevant document of its query, 2 for the second, and so on."""
        return nth(self.queries)

    @property
    def discounted(self) -> Floats64:
        """Linear gain / log2(rank + 1), as in trec_eval's ndcg."""
        discounted: Floats64 = self.grades / np.log2(self.ranks + 1)
        return discounted

    def total(self, gains: Floats64, cutoff: int | None) -> Floats64:
        """The sum of the gains within the cutoff, in the order of the ranks, float64 [queries]."""
        counted = gains if cutoff is None else np.where(self.ranks <= cutoff, gains, 0.0)
        # bincount adds in the order of the entries; for no entries it returns integers.
        return np.bincount(self.queries, weights=counted, minlength=self.size).astype(np.float64, copy=False)


@dataclass(frozen=True)
class Definition:
    """A measure: the sum of the gains of relevant documents / a divisor; 0 if the divisor is 0."""

    gain: Callable[[Hits], Floats64]
    divisor: Callable[[Hits, int | None], Floats64]
    """Computed from the ideal ranking of the full qrels and the cutoff."""
    expected: Callable[[JudgedPool, int | None], Floats64]
    """The expected sum of gains of a random order."""
    trec: str
    """trec_eval's name with a cutoff."""
    uncut: str | None
    """trec_eval's name without a cutoff; None if the measure needs a cutoff."""


def _each(hits: Hits) -> Floats64:
    return np.ones(len(hits.ranks))


def _first(hits: Hits) -> Floats64:
    return np.where(hits.nth == 1, 1.0, 0.0)


def _one(ideal: Hits, _cutoff: int | None) -> Floats64:
    return np.ones(ideal.size)


def _relevant(ideal: Hits, _cutoff: int | None) -> Floats64:
    return ideal.total(_each(ideal), None)


def _ideal_dcg(ideal: Hits, cutoff: int | None) -> Floats64:
    return ideal.total(ideal.discounted, cutoff)


def _cutoff(ideal: Hits, cutoff: int | None) -> Floats64:
    return np.full(ideal.size, float(cutoff or 0))


DEFINITIONS = {
    "nDCG": Definition(lambda hits: hits.discounted, _ideal_dcg, chance.expected_dcg, "ndcg_cut", "ndcg"),
    "AP": Definition(lambda hits: hits.nth / hits.ranks, _relevant, chance.expected_precision_sum, "map_cut", "map"),
    "RR": Definition(
        lambda hits: _first(hits) / hits.ranks, _one, chance.expected_reciprocal, "recip_rank", "recip_rank"
    ),
    "P": Definition(_each, _cutoff, chance.expected_hits, "P", None),
    "R": Definition(_each, _relevant, chance.expected_hits, "recall", None),
    "Success": Definition(_first, _one, chance.expected_success, "success", None),
}
_ALIASES = {"mrr": "RR", "map": "AP", "recall": "R", "precision": "P"}
_NAMES = {name.lower(): name for name in DEFINITIONS} | _ALIASES


def parse(text: str) -> Measure:
    """Read `nDCG@10`, `AP`, `rr@10`, ...; case does not matter.

    Raises:
        UsageError: the name is unknown, the cutoff is not a positive number, or P, R or Success has no cutoff.
    """
    name, at, cutoff = text.strip().partition("@")
    canonical = _NAMES.get(name.lower())
    if canonical is None:
        raise UsageError(f"unknown measure '{text}'.{_nearest(name)}")
    if at and not re.fullmatch(r"[1-9][0-9]{0,8}", cutoff):
        raise UsageError(f"measure '{text}': the cutoff must be a positive number, as in {canonical}@10")
    if not at and DEFINITIONS[canonical].uncut is None:
        raise UsageError(f"measure '{text}' needs a cutoff, as in {canonical}@10")
    return Measure(canonical, int(cutoff) if at else None)


def _nearest(name: str) -> str:
    lowered = {known.lower(): known for known in DEFINITIONS}
    hint = did_you_mean(name.lower(), lowered)
    return re.sub(r"[a-z]+(?=[,?.])", lambda word: lowered.get(word[0], word[0]), hint)


def evaluate(measure: Measure, hits: Hits, ideal: Hits) -> Floats64:
    """Return the values by trec_eval's definitions, float64 [queries].

    Args:
        hits: the relevant candidates at their ranks.
        ideal: the relevant documents of the full qrels, best grade first.
    """
    definition = DEFINITIONS[measure.name]
    return _over(hits.total(definition.gain(hits), measure.cutoff), definition.divisor(ideal, measure.cutoff))


def expect(measure: Measure, pool: JudgedPool, ideal: Hits) -> Floats64:
    """Return the expectation of `evaluate` over uniformly random orders of the candidates, float64 [queries]."""
    definition = DEFINITIONS[measure.name]
    return _over(definition.expected(pool, measure.cutoff), definition.divisor(ideal, measure.cutoff))


def _over(sums: Floats64, divisors: Floats64) -> Floats64:
    return np.divide(sums, divisors, out=np.zeros_like(sums), where=divisors > 0)

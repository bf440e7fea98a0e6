"""Measures in the usual notation (`nDCG@10`). Each is declared by functions of the relevant documents of a ranking.

To add a measure, add a line to the list below or call `register`. Nothing else has to change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, UsageError, did_you_mean
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring import chance
from harness.measuring.chance import Floats64, JudgedPool

Indices = npt.NDArray[np.int64]
Reference = Callable[[Sequence[int], Sequence[int], int | None], float]
"""The value of one query in plain Python, from the grades of the candidates by rank, the grades of all its judged
documents, and the cutoff. Unjudged candidates and grades below zero have grade 0."""
_ROUNDING = 1e-9


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
class Trec:
    """A measure of trec_eval. During a run its code recomputes a sample of the values."""

    cut: str
    """The name with a cutoff, such as `ndcg_cut`."""
    uncut: str | None
    """The name without a cutoff; None if the measure needs one. The same as `cut` if trec_eval has no cutoff."""


@dataclass(frozen=True)
class Definition:
    """A measure: the sum of the gains of relevant documents / a divisor; 0 if the divisor is 0. Values are fractions
    from 0 to 1.

    Args:
        gain: the gain of each relevant document at its rank, float64 [hits].
        divisor: computed from the ideal ranking of the full qrels and the cutoff, float64 [queries].
        expected: the expected sum of gains over all orders of the candidates, float64 [queries].
        check: what recomputes a sample of the values in every run: trec_eval, or a function that shares no code with
            the other fields.
        aliases: other names. Case does not matter.
        mteb: the name in mteb's results, such as `ndcg` for `ndcg_at_10`. Default: the results have no such measure.
    """

    gain: Callable[[Hits], Floats64]
    divisor: Callable[[Hits, int | None], Floats64]
    expected: Callable[[JudgedPool, int | None], Floats64]
    check: Trec | Reference
    aliases: tuple[str, ...] = ()
    mteb: str | None = None

    @property
    def needs_cutoff(self) -> bool:
        """Whether the measure has no form without a cutoff."""
        return isinstance(self.check, Trec) and self.check.uncut is None


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


CITATION_MEASURES = (
    "citation-recall", "citation-precision", "citation-F1", "citation-recall-of-all", "weighted-precision",
    "weighted-recall", "STR-EM", "STR-hit", "claim-recall", "ROUGE-Lsum", "token-F1",
)  # fmt: skip
"""Measures of generated answers, which `harness cite` stores. They are computed from answers and not from rankings."""


def is_of_some(measure: str) -> bool:
    """Whether a measure has values for a part of the queries only, so that its ids are stored with it."""
    return measure == PAIRED_MEASURE or measure in CITATION_MEASURES


DEFINITIONS: dict[str, Definition] = {}
"""The measures by canonical name."""


def register(name: str, definition: Definition) -> Definition:
    """Add a measure, such as `nDCG`, to every command, table, file and call.

    Raises:
        ValueError: the name has a character other than letters, digits and '-', or a measure has one of the names.
    """
    for one in (name, *definition.aliases):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", one):
            raise ValueError(f"a measure cannot be called '{one}'; use letters, digits and '-', a letter first")
        if one.casefold() in {*_names(), PAIRED_MEASURE.casefold()}:
            raise ValueError(f"a measure '{one}' exists already; choose another name")
    DEFINITIONS[name] = definition
    return definition


def _names() -> dict[str, str]:
    """The canonical names by every name and alias in lower case."""
    return {one.casefold(): name for name, own in DEFINITIONS.items() for one in (name, *own.aliases)}


def mteb_names() -> Mapping[str, str]:
    """The canonical names by the names in mteb's results."""
    return {one.mteb: name for name, one in DEFINITIONS.items() if one.mteb is not None}


for _name, _definition in {
    "nDCG": Definition(
        lambda hits: hits.discounted, _ideal_dcg, chance.expected_dcg, Trec("ndcg_cut", "ndcg"), mteb="ndcg"
    ),
    "AP": Definition(
        lambda hits: hits.nth / hits.ranks, _relevant, chance.expected_precision_sum, Trec("map_cut", "map"),
        aliases=("map",), mteb="map",
    ),
    "RR": Definition(
        lambda hits: _first(hits) / hits.ranks, _one, chance.expected_reciprocal, Trec("recip_rank", "recip_rank"),
        aliases=("mrr",), mteb="mrr",
    ),
    "P": Definition(_each, _cutoff, chance.expected_hits, Trec("P", None), ("precision",), "precision"),
    "R": Definition(_each, _relevant, chance.expected_hits, Trec("recall", None), ("recall",), "recall"),
    "Success": Definition(_first, _one, chance.expected_success, Trec("success", None), mteb="hit_rate"),
}.items():  # fmt: skip
    register(_name, _definition)


def stored_name(text: str) -> str:
    """Return the name under which a measure is stored: `ndcg@10` is nDCG@10, `mrr@10` is RR@10. p-MRR and the measures
    of citations are known in any case of letters; a measure that is not registered here is returned as it is."""
    try:
        return str(parse(text))
    except UsageError:
        special = {name.casefold(): name for name in (PAIRED_MEASURE, *CITATION_MEASURES)}
        return special.get(text.strip().casefold(), text)


def parse(text: str) -> Measure:
    """Read `nDCG@10`, `AP`, `rr@10`, ...; case does not matter.

    Raises:
        UsageError: the name is unknown, the cutoff is not a positive number, or P, R or Success has no cutoff.
    """
    name, at, cutoff = text.strip().partition("@")
    canonical = _names().get(name.casefold())
    if canonical is None:
        raise UsageError(f"unknown measure '{text}'.{_nearest(name)}")
    if at and not re.fullmatch(r"[1-9][0-9]{0,8}", cutoff):
        raise UsageError(f"measure '{text}': the cutoff must be a positive number, as in {canonical}@10")
    if not at and DEFINITIONS[canonical].needs_cutoff:
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

    Raises:
        DataError: a value is not a fraction from 0 to 1.
    """
    definition = DEFINITIONS[measure.name]
    values = _over(hits.total(definition.gain(hits), measure.cutoff), definition.divisor(ideal, measure.cutoff))
    wrong = values[~((values >= -_ROUNDING) & (values <= 1 + _ROUNDING))]
    if len(wrong):
        raise DataError(f"{measure} is {wrong[0]:g} for a query; its definition must give fractions from 0 to 1")
    return values


def expect(measure: Measure, pool: JudgedPool, ideal: Hits) -> Floats64:
    """Return the expectation of `evaluate` over uniformly random orders of the candidates, float64 [queries]."""
    definition = DEFINITIONS[measure.name]
    return _over(definition.expected(pool, measure.cutoff), definition.divisor(ideal, measure.cutoff))


def _over(sums: Floats64, divisors: Floats64) -> Floats64:
    return np.divide(sums, divisors, out=np.zeros_like(sums), where=divisors > 0)

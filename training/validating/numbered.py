"""Queries that are known by number, so that what was computed once for all of them (a kernel matrix, ranks, scores) is
looked up in every halving; and the interval of a distance that a bootstrap would bias."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import cast

import numpy as np

from adapters.protocols import Floats
from training.validating.measured import LEAST, Distance, Name, ValidationRow, measured
from training.validating.sets import QuerySet, Rows, Sets

ENOUGH = 200
"""Real queries that a comparison of two clouds needs; with fewer, its floor is as high as its value."""
MOST = 2000
"""Queries of each set that a matrix of all pairs is made of; more are sampled."""
HALF_SAMPLES = 100

RowDistance = Callable[[Rows, Rows], float]
"""A distance of two sets that are given as rows of a table."""


@dataclass(frozen=True)
class Numbered(QuerySet):
    """Queries with their rows of a table over all sets; whatever is taken from them keeps them."""

    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def take(self, rows: Rows) -> QuerySet:
        """These queries, with the rows that they have."""
        taken = cast(Numbered, super().take(rows))
        return replace(taken, rows=self.rows[rows])


def numbered(sets: Sets) -> Sets:
    """The sets with consecutive rows: the synthetic queries' first, then the real ones', then the other domain's."""
    starts = iter(np.cumsum([0, *map(len, sets.all)]).tolist())
    return each(sets, lambda one: _numbered(one, next(starts)))


def each(sets: Sets, change: Callable[[QuerySet], QuerySet]) -> Sets:
    """The sets after a change of each, in the order synthetic, real, other domain."""
    synthetic, real, wrong = (None if one is None else change(one) for one in (sets.synthetic, sets.real, sets.wrong))
    assert synthetic is not None
    return replace(sets, synthetic=synthetic, real=real, wrong=wrong)


def rows_of(one: QuerySet) -> Rows:
    """The rows of a set that was numbered."""
    return cast(Numbered, one).rows


def compared(  # noqa: PLR0917
    name: Name,
    sets: Sets,
    distance: RowDistance,
    levels: dict[str, float | None] | None = None,
    note: str = "",
    parts: dict[str, object] | None = None,
    halvings: int = 20,
    half_samples: int = HALF_SAMPLES,
) -> ValidationRow:
    """Measure as `measured` does, on numbered sets, with an interval from half samples."""
    sets = each(sets, _bare)
    found = measured(name, sets, by_rows(distance), None, note, parts, resamples=0, halvings=halvings)
    if found.value is not None and half_samples:
        found = replace(found, interval=half_sample_interval(name, sets, distance, found.value, half_samples))
    return replace(found, levels=levels or {})


def by_rows(distance: RowDistance) -> Distance:
    """The distance as `measured` takes it."""
    return lambda first, second: distance(rows_of(first), rows_of(second))


def half_sample_interval(
    name: Name, sets: Sets, distance: RowDistance, value: float, half_samples: int
) -> tuple[float, float]:
    """95 % interval: how the distance varies over random halves of the documents, drawn without replacement, laid
    around the value.

    A bootstrap repeats rows, and a repeated row is its own nearest neighbour: kernel, neighbour and density measures
    would see a cluster that is not there. A half that is drawn without replacement varies around the whole as the
    whole does around the truth (delete-d jackknife with d = n/2; Shao and Wu 1989, Annals of Statistics 17). Only the
    spread is taken from the halves: what a smaller number adds to every value alike drops out.
    """
    assert sets.real is not None
    draw = np.random.default_rng([sets.seed, *name.id.encode(), *name.name.encode()])
    found = np.empty(half_samples)
    for number in range(half_samples):
        first, second = sets.synthetic.halves(draw)[0], sets.real.halves(draw)[0]
        size = min(len(first), len(second))
        found[number] = distance(rows_of(first.sample(size, draw)), rows_of(second.sample(size, draw)))
    low, high = value + np.quantile(found - found.mean(), (0.025, 0.975))
    return (max(0.0, float(low)), min(1.0, float(high))) if name.unit == "share" else (float(low), float(high))


def unmeasured(names: Sequence[Name], reason: str) -> list[ValidationRow]:
    """Rows without figures that say why."""
    return [ValidationRow(one.id, one.name, one.statistic, one.unit, note=f"not measured: {reason}") for one in names]


def hindrance(sets: Sets, enough: int, *, vectors: bool = True) -> str | None:
    """Why the sets cannot be compared; None where they can."""
    if sets.real is None:
        return "there are no real queries to compare with"
    if len(sets.real) < enough:
        return f"there are {len(sets.real)} real queries, and {enough} are needed"
    if len(sets.synthetic) < LEAST:
        return f"there are {len(sets.synthetic)} synthetic queries, and {LEAST} are needed"
    if vectors and (sets.synthetic.vectors is None or sets.real.vectors is None):
        return "no embedder was named"
    return None


def limited(sets: Sets, most: int = MOST) -> tuple[Sets, str]:
    """At most so many queries of each set, whole documents drawn at random, and a sentence about it. Queries of another
    domain that have no vectors are left out."""
    draw = np.random.default_rng([sets.seed, most])
    cut = ", ".join(one.name for one in sets.all if len(one) > most)
    wrong = sets.wrong if sets.wrong and sets.wrong.vectors is not None else None
    kept = each(replace(sets, wrong=wrong), lambda one: one.sample(most, draw) if len(one) > most else one)
    return kept, f"{most} queries drawn of: {cut}" if cut else ""


def stacked(sets: Sets) -> Floats:
    """The vectors of all sets, float32 [all queries, dim], in the order of their rows."""
    return np.concatenate([one.vectors for one in sets.all if one.vectors is not None])


def _bare(one: QuerySet) -> QuerySet:
    """Rows and groups alone: hundreds of samples are drawn, and nothing else of them is read."""
    return replace(one, texts=("",) * len(one), documents=None, vectors=None, document_vectors=None)


def _numbered(one: QuerySet, start: int) -> Numbered:
    plain = {entry.name: getattr(one, entry.name) for entry in fields(QuerySet)}
    return Numbered(**plain, rows=np.arange(start, start + len(one)))

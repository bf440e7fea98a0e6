"""Queries with row numbers, so that results for all of them (a kernel matrix, ranks, scores) are computed once and
looked up in each halving; and intervals for distances that a bootstrap would bias."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import cast

import numpy as np

from adapters.protocols import Floats
from training.validating.measured import LEAST, Distance, Name, ValidationRow, measured
from training.validating.sets import QuerySet, Rows, Sets

ENOUGH = 200
"""The smallest number of real queries to compare two clouds; with fewer, the floor is as high as the value."""
MOST = 2000
"""The largest number of queries of each set in a matrix of all pairs. Larger sets are sampled."""
HALF_SAMPLES = 100

RowDistance = Callable[[Rows, Rows], float]
"""A distance of two sets, given as rows of a table."""


@dataclass(frozen=True)
class Numbered(QuerySet):
    """Queries with their rows in a table over all sets. Samples of them keep the rows."""

    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def take(self, rows: Rows) -> QuerySet:
        """These queries, with their rows."""
        taken = cast(Numbered, super().take(rows))
        return replace(taken, rows=self.rows[rows])


def numbered(sets: Sets) -> Sets:
    """The sets with consecutive rows: first synthetic queries, then real ones, then those of the other domain."""
    starts = iter(np.cumsum([0, *map(len, sets.all)]).tolist())
    return each(sets, lambda one: _numbered(one, next(starts)))


def each(sets: Sets, change: Callable[[QuerySet], QuerySet]) -> Sets:
    """The sets with `change` applied to each, in the order synthetic, real, other domain."""
    synthetic, real, wrong = (None if one is None else change(one) for one in (sets.synthetic, sets.real, sets.wrong))
    assert synthetic is not None
    return replace(sets, synthetic=synthetic, real=real, wrong=wrong)


def rows_of(one: QuerySet) -> Rows:
    """The rows of a numbered set."""
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
    """Like `measured`, on numbered sets, with an interval from half samples."""
    sets = each(sets, _bare)
    found = measured(name, sets, by_rows(distance), None, note, parts, resamples=0, halvings=halvings)
    if found.value is not None and half_samples:
        found = replace(found, interval=half_sample_interval(name, sets, distance, found.value, half_samples))
    return replace(found, levels=levels or {})


def by_rows(distance: RowDistance) -> Distance:
    """The distance as a function of query sets, for `measured`."""
    return lambda first, second: distance(rows_of(first), rows_of(second))


def half_sample_interval(
    name: Name, sets: Sets, distance: RowDistance, value: float, half_samples: int
) -> tuple[float, float]:
    """The 95 % interval from the variation of the distance over random halves of the documents, drawn without
    replacement and centred on the value.

    A bootstrap repeats rows, and a repeated row is its own nearest neighbour, so kernel, neighbour and density measures
    would find false clusters. A half that is drawn without replacement varies around the whole as the whole varies
    around the truth (delete-d jackknife with d = n/2; Shao and Wu 1989, Annals of Statistics 17). Only the spread of
    the halves is used, because a smaller sample may shift all their values.
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
    """Rows without figures, with the reason as a note."""
    return [ValidationRow(one.id, one.name, one.statistic, one.unit, note=f"not measured: {reason}") for one in names]


def hindrance(sets: Sets, enough: int, *, vectors: bool = True) -> str | None:
    """Why the sets cannot be compared; None if they can."""
    if sets.real is None:
        return "there are no real queries to compare with"
    if len(sets.real) < enough:
        return f"there are {len(sets.real)} real queries, but {enough} are needed"
    if len(sets.synthetic) < LEAST:
        return f"there are {len(sets.synthetic)} synthetic queries, but {LEAST} are needed"
    if vectors and (sets.synthetic.vectors is None or sets.real.vectors is None):
        return "no embedder was named"
    return None


def limited(sets: Sets, most: int = MOST, *, vectors: bool = True) -> tuple[Sets, str]:
    """The sets with at most `most` queries each, drawn by whole documents, and a note about the draw. If vectors are
    needed, a set of another domain without them is left out."""
    draw = np.random.default_rng([sets.seed, most])
    cut = ", ".join(one.name for one in sets.all if len(one) > most)
    wrong = None if sets.wrong and vectors and sets.wrong.vectors is None else sets.wrong
    kept = each(replace(sets, wrong=wrong), lambda one: one.sample(most, draw) if len(one) > most else one)
    return kept, f"{most} queries drawn of: {cut}" if cut else ""


def stacked(sets: Sets) -> Floats:
    """The vectors of all sets, float32 [all queries, dim], in the order of their rows."""
    return np.concatenate([one.vectors for one in sets.all if one.vectors is not None])


def _bare(one: QuerySet) -> QuerySet:
    """The set with only rows and groups, to draw hundreds of samples quickly."""
    return replace(one, texts=("",) * len(one), documents=None, vectors=None, document_vectors=None)


def _numbered(one: QuerySet, start: int) -> Numbered:
    plain = {entry.name: getattr(one, entry.name) for entry in fields(QuerySet)}
    return Numbered(**plain, rows=np.arange(start, start + len(one)))

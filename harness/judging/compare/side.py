"""The values of one system on one collection, from the store, from memory, or from several seeds of a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from adapters.errors import DataError, UsageError
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Floats64, Questions
from harness.result.evaluation import Evaluation
from harness.result.store import Results
from harness.result.stored import Stored


@dataclass(frozen=True)
class ComparedSide:
    """One side of a comparison."""

    system: str
    ids: tuple[str, ...]
    """The id of the evaluation, or of the evaluation of each seed."""
    collection: str
    split: str
    language: str | None
    group: str | None
    fingerprint: str
    evaluator: object
    first_stage: str
    depth: int
    candidates: str
    """Digest of the documents that were ranked for each query."""
    questions: Questions
    """The questions of the queries, in the same order; for p-MRR, the questions with two queries."""
    rows: Floats64
    """float64 [seeds, queries], fractions; one row for a system that is not a group."""
    noise: float | None = None

    @property
    def values(self) -> Floats64:
        """The mean over seeds, float64 [queries]."""
        mean: Floats64 = self.rows[0] if len(self.rows) == 1 else self.rows.mean(axis=0)
        return mean


def stored_side(results: Results, stored: Stored, measure: str) -> ComparedSide:
    """Return the side of a stored evaluation.

    Raises:
        UsageError: the evaluation does not have the measure.
    """
    queries, values = results.per_query(stored.id, measure)
    about = stored.collection
    return ComparedSide(
        system=stored.system,
        ids=(stored.id,),
        collection=about.name,
        split=about.split,
        language=about.language,
        group=about.group,
        fingerprint=about.fingerprint,
        evaluator=stored.identity.get("evaluator"),
        first_stage=stored.first_stage,
        depth=stored.depth,
        candidates=stored.candidates,
        questions=about.questions(tuple(queries)),
        rows=values[None],
        noise=results.noise(stored.id, measure),
    )


def fresh_side(evaluation: Evaluation, measure: str) -> ComparedSide:
    """Return the side of an evaluation in memory.

    Raises:
        UsageError: the evaluation does not have the measure.
    """
    collection, system = evaluation.collection, evaluation.system
    asked, values = _values(evaluation, measure)
    return ComparedSide(
        system=system.label,
        ids=(evaluation.id,),
        collection=collection.name,
        split=collection.split,
        language=collection.language,
        group=collection.group,
        fingerprint=collection.fingerprint,
        evaluator=evaluation.made_of.content.get("evaluator"),
        first_stage=system.first_stage.name,
        depth=system.depth,
        candidates=evaluation.run.candidates,
        questions=questions_of(collection, asked),
        rows=np.asarray(values, np.float64)[None],
    )


def together(name: str, sides: Sequence[ComparedSide]) -> ComparedSide:
    """Join several seeds or folds of a method on one collection into one side.

    Raises:
        DataError: the queries, candidates or evaluators differ.
    """
    first = sides[0]
    for other in sides[1:]:
        if _ground(other) != _ground(first):
            raise DataError(
                f"{first.collection}: {first.ids[0]} and {other.ids[0]} of '{name}' have different queries, "
                "candidates or evaluators; all members of a group need the same"
            )
    noise = [side.noise for side in sides if side.noise is not None]
    ids = tuple(id for side in sides for id in side.ids)
    rows = np.concatenate([side.rows for side in sides])
    return replace(first, system=name, ids=ids, rows=rows, noise=max(noise, default=None))


def _ground(side: ComparedSide) -> tuple[object, ...]:
    return side.fingerprint, side.candidates, side.questions, side.evaluator


def _values(evaluation: Evaluation, measure: str) -> tuple[tuple[str, ...], Floats64]:
    if measure == PAIRED_MEASURE and evaluation.paired is not None:
        return evaluation.paired.questions, evaluation.paired.values
    names = [str(one) for one in evaluation.measures]
    if measure not in names:
        raise UsageError(f"{evaluation.collection.name}: {evaluation.system.label} was not measured by {measure}")
    return tuple(evaluation.collection.queries.ids()), evaluation.values[names.index(measure)]

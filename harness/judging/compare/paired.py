"""Paired values: the values of two systems on the same queries of one collection, from which comparisons are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import DataError
from harness.judging.compare.side import ComparedSide
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.votes import shares


@dataclass(frozen=True)
class PairedValues:
    """One collection that both systems were measured on. Values are float64 [queries], fractions, in one order."""

    collection: str
    split: str
    language: str | None
    group: str | None
    fingerprint: str
    questions: Questions
    """The questions of the queries; for p-MRR, the questions with two queries."""
    baseline: Floats64
    candidate: Floats64
    baseline_id: str
    """The id of the evaluation; for the mean of several seeds, their ids, joined by commas."""
    candidate_id: str
    same_candidates: bool
    """Whether both ranked the same frozen candidates. If not, the difference also contains one of first stages."""
    noise: float | None = None
    """How much the same checkpoint differed when it was scored twice; None if not measured."""

    @property
    def deltas(self) -> Floats64:
        """Candidate minus baseline, float64 [queries]."""
        return self.candidate - self.baseline

    @property
    def queries(self) -> tuple[str, ...]:
        """The ids of the queries."""
        return self.questions.ids


def weights(parts: Sequence[PairedValues]) -> Floats64:
    """Return the weight of each collection in the macro average, summing to 1; see `harness.measuring.votes.shares`."""
    return shares([part.group for part in parts])


def design_of(parts: Sequence[PairedValues]) -> Design:
    """Return the questions of some collections with the weights of the collections in the macro average."""
    return Design(tuple(part.questions for part in parts), weights(parts))


def joined(baseline: ComparedSide, candidate: ComparedSide, *, unpaired: bool = False) -> PairedValues:
    """Pair two sides of one collection.

    Raises:
        DataError: the queries, the evaluators, the number formats or (without `unpaired`) the candidates differ.
    """
    _refuse(baseline, candidate, unpaired)
    noise = [side.noise for side in (baseline, candidate) if side.noise is not None]
    about = baseline.collection
    return PairedValues(
        collection=about.name,
        split=about.split,
        language=about.language,
        group=about.group,
        fingerprint=about.fingerprint,
        questions=_questions(baseline, candidate),
        baseline=np.asarray(baseline.values, np.float64),
        candidate=np.asarray(candidate.values, np.float64),
        baseline_id=",".join(baseline.ids),
        candidate_id=",".join(candidate.ids),
        same_candidates=baseline.stored.candidates == candidate.stored.candidates,
        noise=max(noise, default=None),
    )


def _refuse(baseline: ComparedSide, candidate: ComparedSide, unpaired: bool) -> None:
    two = f"{baseline.collection.name}: {baseline.ids[0]} and {candidate.ids[0]}"
    if baseline.evaluator != candidate.evaluator:
        versions = f"versions {baseline.evaluator} and {candidate.evaluator}"
        raise DataError(f"{two} were measured by {versions} of the evaluator; run the older one again")
    if baseline.collection.fingerprint != candidate.collection.fingerprint:
        raise DataError(f"{two} were measured on different content, splits or samples; run both systems on the same")
    if baseline.questions.ids != candidate.questions.ids:
        shared = len(set(baseline.questions.ids) & set(candidate.questions.ids))
        raise DataError(f"{two} have {shared or 'no'} queries in common, but not all; run both systems again")
    if len({*baseline.dtypes, *candidate.dtypes}) > 1:
        formats = [(side, " and ".join(side.dtypes)) for side in (baseline, candidate)]
        named = ", ".join(f"'{side.system}' ({side.ids[0]}) was scored in {dtype}" for side, dtype in formats if dtype)
        raise DataError(
            f"{baseline.collection.name}: {named}; score both in one number format, as in harness run --dtype float32. "
            "`harness check MODEL --dtype bfloat16` says what the format of one model changes"
        )
    if baseline.stored.candidates != candidate.stored.candidates and not unpaired:
        raise DataError(
            f"{baseline.collection.name}: {_described(baseline)}, but {_described(candidate)}; run both on the same "
            "candidates, or let --unpaired-first-stages mark it"
        )


def _questions(baseline: ComparedSide, candidate: ComparedSide) -> Questions:
    """Return the questions of both sides. One workspace may know the parallel set of the collection, the other not."""
    known = (side.questions for side in (baseline, candidate) if side.collection.parallel is not None)
    return next(known, baseline.questions)


def _described(side: ComparedSide) -> str:
    stage = f"{side.stored.first_stage} at depth {side.stored.depth}"
    return f"'{side.system}' ranked the candidates of {stage} ({side.ids[0]})"

"""What a column is read from: the figure of a system, and what is known of the evaluations in it, live or stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.data.suites.table import PAIRED_MEASURE
from harness.result.evaluation import Evaluation
from harness.result.figure import Figure
from harness.result.result import Result
from reports.marks import alarms_of


@dataclass(frozen=True)
class Evaluated:
    """What the figure of a system says nothing about, of one evaluation in it."""

    candidates: int | None
    truncated: int | None
    """Candidates that lost a token or more; None where the system has no tokens."""
    pairs_per_second: float | None
    """None where nothing was scored on this machine."""
    alarms: int
    """About this measure, or about all."""
    values: int
    """Queries; for p-MRR questions."""


@dataclass(frozen=True)
class Line:
    """One system by one measure, on a collection or over several: what a column is read from."""

    measure: str
    figure: Figure
    evaluations: tuple[Evaluated, ...] = ()
    """One for each collection."""
    each: tuple[Figure, ...] = ()
    """Of each collection alone."""
    is_first_stage: bool = False


def of_evaluation(evaluation: Evaluation, measure: str) -> Evaluated:
    """Of what was measured just now."""
    tokens, paired = evaluation.audit.tokens, evaluation.paired if measure == PAIRED_MEASURE else None
    return Evaluated(
        candidates=evaluation.audit.candidates,
        truncated=tokens.truncated if tokens else None,
        pairs_per_second=evaluation.pairs_per_second,
        alarms=sum(alarm.measure in (None, measure) for alarm in evaluation.alarms),
        values=len(paired.questions) if paired else len(evaluation.collection.queries),
    )


def of_result(result: Result) -> Evaluated:
    """Of what is stored."""
    audit = result.stored.audit
    return Evaluated(
        candidates=audit.candidates,
        truncated=None if audit.tokens is None else audit.tokens.truncated,
        pairs_per_second=result.pairs_per_second,
        alarms=len(alarms_of(result)),
        values=len(result.values),
    )


def pairs_per_second(evaluations: Sequence[Evaluated]) -> float | None:
    """Pairs over seconds of all of them; None where one was not scored on this machine."""
    known = [(one.candidates, one.pairs_per_second) for one in evaluations if one.candidates and one.pairs_per_second]
    if not known or len(known) < len(evaluations):
        return None
    return sum(count for count, _ in known) / sum(count / speed for count, speed in known)

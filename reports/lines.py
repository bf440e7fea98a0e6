"""The data of one row of a table: the figure of a system, and facts about its evaluations, live or stored."""

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
    """Facts about one evaluation that a figure does not contain."""

    candidates: int | None
    truncated: int | None
    """Candidates that lost a token or more; None if the system has no tokens."""
    pairs_per_second: float | None
    """None if nothing was scored on this machine."""
    alarms: int
    """The number of alarms about this measure or about all measures."""
    values: int
    """The number of queries; for p-MRR, of questions."""


@dataclass(frozen=True)
class Line:
    """One system by one measure, on one collection or over several. Columns read their values from it."""

    measure: str
    figure: Figure
    evaluations: tuple[Evaluated, ...] = ()
    """One for each collection."""
    each: tuple[Figure, ...] = ()
    """The figure of each single collection."""
    is_first_stage: bool = False


def of_evaluation(evaluation: Evaluation, measure: str) -> Evaluated:
    """The facts about a live evaluation."""
    tokens, paired = evaluation.audit.tokens, evaluation.paired if measure == PAIRED_MEASURE else None
    return Evaluated(
        candidates=evaluation.audit.candidates,
        truncated=tokens.truncated if tokens else None,
        pairs_per_second=evaluation.pairs_per_second,
        alarms=sum(alarm.measure in (None, measure) for alarm in evaluation.alarms),
        values=len(paired.questions) if paired else len(evaluation.collection.queries),
    )


def of_result(result: Result) -> Evaluated:
    """The facts about a stored result."""
    audit = result.stored.audit
    return Evaluated(
        candidates=audit.candidates,
        truncated=None if audit.tokens is None else audit.tokens.truncated,
        pairs_per_second=result.pairs_per_second,
        alarms=len(alarms_of(result)),
        values=len(result.values),
    )


def pairs_per_second(evaluations: Sequence[Evaluated]) -> float | None:
    """The total of pairs divided by the total of seconds; None if an evaluation was not scored on this machine."""
    timed = [(one.candidates, one.pairs_per_second) for one in evaluations if one.candidates and one.pairs_per_second]
    if not timed or len(timed) < len(evaluations):
        return None
    return sum(count for count, _ in timed) / sum(count / speed for count, speed in timed)

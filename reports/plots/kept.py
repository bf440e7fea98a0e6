"""Scores that are still in the workspace. A plot that needs them is not drawn without; nothing is scored for it."""

from __future__ import annotations

from adapters.errors import DataError, UsageError
from harness.data.runs import Run
from harness.measuring.judged import Judged
from harness.measuring.measures import Measure, parse
from harness.result.recall import Recalled, recall
from harness.result.result import Result
from harness.workspace import Workspace


def kept(result: Result, workspace: Workspace) -> Recalled | None:
    """The result's scores and candidates; None where it was imported, or they were cleared away."""
    scores = workspace.scored / f"{result.id}.npz"
    if result.imported or not workspace.results.is_file() or not scores.is_file():
        return None
    try:
        return recall(workspace, result.id)
    except (DataError, UsageError):
        return None


def ordinary(measure: str) -> Measure | None:
    """The measure, where it is one of a ranking; p-MRR is of two."""
    try:
        return parse(measure)
    except UsageError:
        return None


def judged(recalled: Recalled, run: Run) -> Judged:
    """The judgments over a run of the recalled collection."""
    return Judged(run, recalled.collection.qrels, len(recalled.collection.queries))

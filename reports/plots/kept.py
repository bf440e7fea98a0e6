"""Scores that are still in the workspace. Without them, plots that need them are not drawn; nothing is scored again."""

from __future__ import annotations

from adapters.errors import DataError, UsageError
from harness.data.runs import Run
from harness.measuring.judged import Judged
from harness.measuring.measures import Measure, parse
from harness.result.recall import Recalled, recall
from harness.result.result import Result
from harness.workspace import Workspace


def kept(result: Result, workspace: Workspace) -> Recalled | None:
    """The stored scores and candidates of a result; None if it was imported or they were deleted."""
    scores = workspace.scored / f"{result.id}.npz"
    if result.imported or not workspace.results.is_file() or not scores.is_file():
        return None
    try:
        return recall(workspace, result.id)
    except (DataError, UsageError):
        return None


def ordinary(measure: str) -> Measure | None:
    """The measure if it is computed on one ranking; None for p-MRR, which compares two."""
    try:
        return parse(measure)
    except UsageError:
        return None


def judged(recalled: Recalled, run: Run) -> Judged:
    """The judgments over a run of the recalled collection."""
    return Judged(run, recalled.collection.qrels, len(recalled.collection.queries))

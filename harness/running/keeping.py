"""Stores results during a run. If that fails, the run continues and the failure is raised at its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from adapters.errors import DataError, EnvironmentFailure, HarnessError, class_of
from harness.result.evaluation import Evaluation
from harness.result.recall import keep_scores
from harness.result.store import Results
from harness.scoring.system import Scores
from harness.workspace import Workspace


class NotKept(HarnessError):
    """Everything was measured, but not everything could be written to the workspace.

    Args:
        exit_code: of the error that prevented it.
    """

    def __init__(self, message: str, exit_code: int = EnvironmentFailure.exit_code) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass
class Keeping:
    """Stores the scores and evaluations of a run, and remembers what failed."""

    workspace: Workspace
    results: Results
    failures: list[Exception] = field(default_factory=list)

    def scores(self, id: str, scores: Scores) -> None:
        """Store the scores of an evaluation."""
        with self._remembered():
            keep_scores(self.workspace, id, scores)

    def evaluation(self, evaluation: Evaluation) -> Evaluation:
        """Store an evaluation, and return it with its speed, or without a speed if it could not be stored."""
        with self._remembered():
            self.results.keep(evaluation)
            return replace(evaluation, pairs_per_second=self.results.speed_of(evaluation.id))
        return evaluation

    def finish(self) -> None:
        """Raise what failed.

        Raises:
            NotKept: something could not be written.
        """
        if self.failures:
            raise NotKept(
                f"these results are not stored in the workspace '{self.workspace.path}' ({self.failures[0]}); make "
                "sure that it is writable, or name another --workspace, and run the same command again",
                class_of(self.failures[0], DataError).exit_code,
            )

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.DatabaseError, DataError, EnvironmentFailure) as error:
            if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):  # a bug in this package
                raise
            self.failures.append(error)

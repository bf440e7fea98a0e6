"""Results that cannot be written down are still results: the run goes on, and the failure is raised at its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from adapters.errors import DataError
from harness.result.evaluation import Evaluation
from harness.result.recall import keep_scores
from harness.result.store import Results
from harness.scoring.system import Scores
from harness.workspace import Workspace


class NotKept(DataError):
    """Everything was measured, and not everything could be written to the workspace."""


@dataclass
class Keeping:
    """Writes scores and evaluations of a run, and remembers what failed."""

    workspace: Workspace
    results: Results
    failures: list[str] = field(default_factory=list)

    def scores(self, id: str, scores: Scores) -> None:
        """Keep the scores of an evaluation."""
        with self._remembered():
            keep_scores(self.workspace, id, scores)

    def evaluation(self, evaluation: Evaluation) -> Evaluation:
        """Keep an evaluation; it comes back with its speed, or without where it could not be kept."""
        with self._remembered():
            self.results.keep(evaluation)
            return replace(evaluation, pairs_per_second=self.results.speed_of(evaluation.id))
        return evaluation

    def finish(self) -> None:
        """Say what failed.

        Raises:
            NotKept: something could not be written.
        """
        if self.failures:
            raise NotKept(
                f"these results are not kept in the workspace '{self.workspace.path}' ({self.failures[0]}); make "
                "sure that it can be written, or name another --workspace, and run the same command again"
            )

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.DatabaseError, DataError) as error:
            if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):  # a defect of ours
                raise
            self.failures.append(str(error))

"""Stores results during a run. If that fails, the run continues and the failure is raised at its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from adapters.errors import DataError, EnvironmentFailure, HarnessError, class_of
from harness.progress import Reporter
from harness.result.evaluation import Evaluation
from harness.result.recall import keep_scores
from harness.result.store import Results
from harness.scoring.ledger.store import Ledger
from harness.scoring.system import Scores
from harness.sqlite_file import in_words
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
    ledger: Ledger
    reporter: Reporter
    failures: list[Exception] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    """The names in the store of systems that have other names in this run."""

    def scores(self, id: str, scores: Scores) -> None:
        """Store the scores of an evaluation."""
        with self._remembered():
            keep_scores(self.workspace, id, scores)

    def evaluation(self, evaluation: Evaluation) -> Evaluation:
        """Store an evaluation, and return it with its time over all occasions, if it could be stored."""
        with self._remembered():
            self.results.keep(evaluation)
            self._name(evaluation)
            return replace(evaluation, timing=self.results.timing_of(evaluation.id))
        return evaluation

    def _name(self, evaluation: Evaluation) -> None:
        """Say under which name equal content was stored before: other commands know it by that name alone."""
        label, known = evaluation.system.label, self.results.find(evaluation.id).key.label
        if label != known and label not in self.renamed:
            self.renamed[label] = known
            self.reporter.note(f"{label} is {known}, with the same content and settings; it is stored under that name")

    def finish(self) -> None:
        """Raise what failed.

        Raises:
            NotKept: something could not be written.
        """
        if self.ledger.unsaved is not None:
            self.failures.append(self.ledger.unsaved)
        if self.failures:
            more = f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else ""
            raise NotKept(
                f"these results are not stored in the workspace '{self.workspace.path}', only shown: "
                f"{self._in_words(self.failures[0])}{more}",
                class_of(self.failures[0], DataError).exit_code,
            )

    def _in_words(self, error: Exception) -> str:
        return in_words(self.workspace.results, error) if isinstance(error, OSError | sqlite3.Error) else str(error)

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.DatabaseError, DataError, EnvironmentFailure) as error:
            if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):  # a bug in this package
                raise
            self.failures.append(error)

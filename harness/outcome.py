"""What a run gave, whether or not it could be written to the workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import need
from harness.result.evaluation import Evaluation
from harness.running.keeping import NotKept

if TYPE_CHECKING:
    import pandas as pd

    from reports.view import View


class ResultsNotKept(NotKept):
    """A run whose results could not all be written to the workspace. `outcome` has all of them."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass(frozen=True)
class Outcome:
    """What a run gave."""

    evaluations: tuple[Evaluation, ...]
    skipped: tuple[str, ...] = ()
    """A line for whatever of the targets is in other languages than those that were asked for."""

    def table(self) -> str:
        """The comparison tables in Markdown, and below them what was skipped."""
        from reports.table import escaped, markdown
        from reports.tables.run import comparison_tables

        tables = "\n".join(markdown(table) for table in comparison_tables(self.evaluations))
        return "\n".join([tables, *(f"- {escaped(line)}" for line in self.skipped)])

    def frame(self) -> pd.DataFrame:
        """One row per system, collection, query and measure: columns system, collection, language, query, measure,
        value."""
        pandas = need("pandas", "reports", "a frame")
        parts = [
            pandas.DataFrame({
                "system": evaluation.system.label,
                "collection": evaluation.collection.name,
                "language": evaluation.collection.language,
                "query": evaluation.collection.queries.ids(),
                "measure": str(measure),
                "value": values,
            })
            for evaluation in self.evaluations
            for measure, values in zip(evaluation.measures, evaluation.values, strict=True)
        ]  # fmt: skip
        frame: pd.DataFrame = pandas.concat(parts, ignore_index=True)
        return frame

    def write(self, out: str | Path, command: str = "harness.run(...)", view: View | None = None) -> None:
        """Write the report folder: report.md, tables, results.json, TREC runs."""
        from reports.folder import write_report
        from reports.view import PLAIN

        write_report(Path(out), self.evaluations, command, skipped=self.skipped, view=view or PLAIN)


def outcome_of(running: Iterator[Evaluation], skipped: Sequence[str]) -> Outcome:
    """Run to the end.

    Raises:
        ResultsNotKept: everything was measured, and something could not be written to the workspace.
    """
    evaluations: list[Evaluation] = []
    try:
        for evaluation in running:
            evaluations.append(evaluation)  # noqa: PERF402  (what came before the failure is wanted)
    except NotKept as error:
        raise ResultsNotKept(str(error), Outcome(tuple(evaluations), tuple(skipped))) from error
    return Outcome(tuple(evaluations), tuple(skipped))

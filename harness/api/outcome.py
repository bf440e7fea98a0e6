"""The result of `harness.run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import UsageError, class_of, need
from harness.api.shown import Shown, chosen, listed, measure_of, named, plural, short
from harness.data.collection import Collection
from harness.data.suites.table import PAIRED_MEASURE
from harness.result.evaluation import Evaluation
from harness.result.figure import Figure
from harness.result.summary import Summary, parts, summarise
from harness.running.keeping import NotKept

if TYPE_CHECKING:
    import pandas as pd

    from reports.table import Table
    from reports.view import View


class ResultsNotKept(NotKept):
    """Some results of a run could not be written to the workspace. `outcome` has all of them."""

    def __init__(self, error: NotKept, outcome: Outcome) -> None:
        super().__init__(str(error), error.exit_code)
        self.outcome = outcome


@dataclass(frozen=True, repr=False, eq=False)
class Outcome(Shown):
    """The result of `harness.run`. A notebook shows it as tables.

    Attributes:
        evaluations: one for each system and collection, the first stage first.
        skipped: a line for each part of the targets that was skipped because of its language.

    Examples:
        >>> import harness
        >>> outcome = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
        >>> outcome.systems
        ['bm25 (first stage)', 'control:oracle']
    """

    evaluations: tuple[Evaluation, ...]
    skipped: tuple[str, ...] = ()

    def __repr__(self) -> str:
        named = listed("system", self.systems), listed("collection", self.collections), ", ".join(self.measures)
        return short("Outcome", *named, plural("alarm", len(self.alarms)))

    @property
    def systems(self) -> list[str]:
        """The names of the systems as the tables show them, the first stage first."""
        return list(dict.fromkeys(one.system.label for one in self.evaluations))

    @property
    def collections(self) -> list[str]:
        """The names of the collections."""
        return [one.name for one in self._collections]

    @property
    def measures(self) -> list[str]:
        """The names of the measures; p-MRR is among them if a collection has pairs of queries."""
        return list(dict.fromkeys(name for one in self.evaluations for name in _measured(one)))

    @property
    def alarms(self) -> tuple[str, ...]:
        """The alarms: whatever should keep you from trusting a number, with its collection and system."""
        return self.shown_alarms(None)

    def shown_alarms(self, view: View | None) -> tuple[str, ...]:
        """Return the alarms with the display names of a view."""
        from reports.tables.run import alarms
        from reports.view import PLAIN

        return tuple(alarms(self.evaluations, view or PLAIN))

    def value(self, system: str, collection: str | None = None, measure: str | None = None) -> float:
        """Return the value of a system.

        Args:
            system: a name in `systems`. A first stage can also be named without " (first stage)".
            collection: a name in `collections`, a group, or at least 6 digits of a fingerprint. Default: the macro
                average over all collections that have the measure.
            measure: a name in `measures`. Default: the only one.

        Returns:
            A fraction, between 0 and 1; p-MRR is between -1 and 1.

        Raises:
            HarnessError: a name is unknown or left out where there are several.

        Examples:
            >>> import harness
            >>> outcome = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
            >>> round(outcome.value("bm25", "demo/en", "nDCG@10"), 4)
            0.6066
            >>> outcome.value("bm26")
            Traceback (most recent call last):
            adapters.errors.UsageError: no system 'bm26' here. Did you mean bm25...
        """
        found = self.figure(system, collection, measure).value
        if found is None:
            raise UsageError(f"{system!r} has no value there: it was not measured on all of these collections")
        return found

    def figure(self, system: str, collection: str | None = None, measure: str | None = None) -> Figure:
        """Return the value of a system with its interval and its difference from the first stage.

        Args:
            system, collection, measure: as in `value`.

        Returns:
            A `Figure`: `value`, `interval` (95 %), `delta` and `delta_interval` (the difference from the first stage),
            `significant`, `chance`, `ceiling`, `headroom`, `tie_span`. Numbers are fractions. Differences are corrected
            as in the tables.

        Raises:
            HarnessError: a name is unknown or left out where there are several.

        Examples:
            >>> import harness
            >>> outcome = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
            >>> figure = outcome.figure("control:oracle")
            >>> round(figure.delta, 4), figure.significant
            (0.1574, True)
        """
        label, averaged = self._label(system), self._averaged(collection)
        summary = self._summary(measure_of(measure, self._measures_of(averaged)))
        wanted = summary.collections if collection is None else averaged
        try:
            return summary.of(label, wanted)
        except KeyError:
            raise UsageError(
                f"{system!r} was not measured by {summary.measure} on {collection or 'all collections'}"
            ) from None

    def values(self, system: str, collection: str | None = None, measure: str | None = None) -> dict[str, float]:
        """Return the values of a system, query by query.

        Args:
            system, measure: as in `value`.
            collection: a name in `collections`. Default: the only one.

        Returns:
            A fraction for each query id; for p-MRR, a fraction for each question.

        Raises:
            HarnessError: a name is unknown or left out where there are several.

        Examples:
            >>> import harness
            >>> outcome = harness.run("demo/en", first_stage="bm25", depth=10)
            >>> len(outcome.values("bm25"))
            20
        """
        label = self._label(system)
        known = [(one.name, [one.fingerprint], one) for one in self._collections]
        place = named("collection", collection, known)
        key = label, place.fingerprint
        own = next((one for one in self.evaluations if (one.system.label, one.collection.fingerprint) == key), None)
        if own is None:
            raise UsageError(f"{system!r} was not measured on {place.name}")
        return _values(own, measure_of(measure, _measured(own)))

    def tables(self, view: View | None = None, *, audit: bool = False) -> list[Table]:
        """Return the tables that `harness run` prints, with published numbers of the same models.

        Args:
            view: the columns, measures and names to show. Default: those of the command line.
            audit: add the tables of the audit and the controls.
        """
        from harness.result.stemming import notes, of_evaluations
        from leaderboards.anchors import anchors, anchors_table
        from reports.tables.run import audit_table, comparison_tables, controls_table
        from reports.view import PLAIN

        view = view or PLAIN
        found = comparison_tables(self.evaluations, view)
        if published := anchors(self.evaluations):
            found.append(anchors_table(published, view.system, notes(of_evaluations(self.evaluations))))
        return [*found, audit_table(self.evaluations, view), controls_table(self.evaluations)] if audit else found

    def table(self) -> str:
        """Return the tables as Markdown, followed by what was skipped."""
        from reports.table import escaped

        return "\n".join([super().table(), *(f"- {escaped(line)}" for line in self.skipped)])

    def as_dict(self, view: View | None = None) -> dict[str, object]:
        """Return every figure and what it was made from, as `harness run --json` prints it. Values are fractions.

        Args:
            view: adds its display names, if it has any.
        """
        from reports.tables.run_values import as_dict
        from reports.view import PLAIN

        return as_dict(self.evaluations, self.skipped, view or PLAIN)

    def frame(self) -> pd.DataFrame:
        """Return a frame with one row per system, collection, query and measure. Columns: system, collection, language,
        query, measure, value.

        Raises:
            MissingExtra: pandas is not installed.
        """
        pandas = need("pandas", "reports", "a frame")
        columns = (_columns(one, measure) for one in self.evaluations for measure in _measured(one))
        frame: pd.DataFrame = pandas.concat(map(pandas.DataFrame, columns), ignore_index=True)
        return frame

    def write(self, out: str | Path, command: str = "harness.run(...)", view: View | None = None) -> None:
        """Write the report folder: report.md, tables, results.json, TREC runs.

        Args:
            out: the folder. Files of an earlier report are replaced.
            command: the command that the report says it was made by.
            view: the columns, measures and names to show. Default: those of the command line.

        Raises:
            HarnessError: the folder cannot be created.
        """
        from reports.folder import write_report
        from reports.view import PLAIN

        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise class_of(error, UsageError)(f"{out}: the folder cannot be created ({error.strerror})") from None
        write_report(folder, self.evaluations, command, skipped=self.skipped, view=view or PLAIN)

    def write_mteb(self, out: str | Path) -> list[Path]:
        """Write the results in mteb's layout.

        Args:
            out: the folder in which `results/<org>__<model>/<revision>/` is written.

        Returns:
            The files that were written.

        Raises:
            HarnessError: a collection belongs to no suite, or is a sample or incomplete. Nothing is written then.
        """
        from reports.mteb_results import write_mteb_results

        return write_mteb_results(Path(out), self.evaluations)

    @cached_property
    def _collections(self) -> list[Collection]:
        return list({one.collection.fingerprint: one.collection for one in self.evaluations}.values())

    @cached_property
    def _summaries(self) -> dict[str, Summary]:
        return {}

    def _summary(self, measure: str) -> Summary:
        if measure not in self._summaries:
            self._summaries[measure] = summarise(self.evaluations, measure)
        return self._summaries[measure]

    def _label(self, system: str) -> str:
        labels = {label: label for label in self.systems}
        first = {one.system.first_stage.name: one.system.label for one in self.evaluations if not one.system.reranker}
        return chosen("system", system, {**first, **labels})

    def _averaged(self, collection: str | None) -> list[Collection]:
        if collection is None:
            return self._collections
        groups = [part for part in parts(self._collections) if len(part) > 1]
        known = [(one.name, [one.fingerprint], [one]) for one in self._collections]
        return named("collection", collection, [*known, *((str(part[0].group), [], part) for part in groups)])

    def _measures_of(self, collections: Sequence[Collection]) -> list[str]:
        own = {one.fingerprint for one in collections}
        found = (name for e in self.evaluations if e.collection.fingerprint in own for name in _measured(e))
        return list(dict.fromkeys(found))


def outcome_of(running: Iterator[Evaluation], skipped: Sequence[str]) -> Outcome:
    """Run all evaluations and return the outcome.

    Raises:
        ResultsNotKept: everything was measured, but some results could not be written to the workspace.
    """
    evaluations: list[Evaluation] = []
    try:
        for evaluation in running:
            evaluations.append(evaluation)  # noqa: PERF402  (keeps what was finished before a failure)
    except NotKept as error:
        raise ResultsNotKept(error, Outcome(tuple(evaluations), tuple(skipped))) from error
    return Outcome(tuple(evaluations), tuple(skipped))


def _measured(evaluation: Evaluation) -> list[str]:
    return [*map(str, evaluation.measures), *([PAIRED_MEASURE] if evaluation.paired else [])]


def _values(evaluation: Evaluation, measure: str) -> dict[str, float]:
    if measure == PAIRED_MEASURE and evaluation.paired is not None:
        return dict(zip(evaluation.paired.questions, evaluation.paired.values.tolist(), strict=True))
    row = evaluation.values[list(map(str, evaluation.measures)).index(measure)]
    return dict(zip(evaluation.collection.queries.ids(), row.tolist(), strict=True))


def _columns(evaluation: Evaluation, measure: str) -> dict[str, object]:
    collection, own = evaluation.collection, _values(evaluation, measure)
    about = {"system": evaluation.system.label, "collection": collection.name, "language": collection.language}
    return {**about, "query": list(own), "measure": measure, "value": list(own.values())}

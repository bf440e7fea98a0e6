"""The result of `harness.run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import UsageError, class_of, need
from harness.api.shown import Shown, chosen, listed, measure_of, named, short
from harness.measuring.votes import parts
from harness.numbers import plural
from harness.result.evaluation import Evaluation
from harness.result.figure import Figure
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result, results_of
from harness.running.keeping import NotKept

if TYPE_CHECKING:
    import pandas as pd

    from reports.table import Table
    from reports.tables.report import Sheet
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

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """One value for each system, collection and measure, as the results store keeps it. Everything that is shown is
        made from these."""
        return tuple(result for one in self.evaluations for result in results_of(one))

    @property
    def systems(self) -> list[str]:
        """The names of the systems as the tables show them, the first stage first."""
        return list(self._systems)

    @property
    def collections(self) -> list[str]:
        """The names of the collections."""
        return [one.name for one in self._collections]

    @property
    def measures(self) -> list[str]:
        """The names of the measures; p-MRR is among them if a collection has pairs of queries."""
        return list(dict.fromkeys(one.measure for one in self.results))

    @property
    def alarms(self) -> tuple[str, ...]:
        """The alarms: whatever should keep you from trusting a number, with its collection and system."""
        return self.shown_alarms(None)

    def shown_alarms(self, view: View | None) -> tuple[str, ...]:
        """Return the alarms with the display names of a view."""
        from reports.tables.run import alarms
        from reports.view import PLAIN

        return tuple(alarms(self.results, view or PLAIN))

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
        key, averaged = self._systems[self._label(system)], self._averaged(collection)
        sheet = self._sheet(measure_of(measure, self._measures_of(averaged)))
        wanted = sheet.grid.collections if collection is None else tuple(averaged)
        places = [place for place, one in enumerate(sheet.columns) if one.collections == wanted]
        if not places or key not in sheet.grid.systems:
            where = collection or "all collections"
            raise UsageError(f"{system!r} was not measured by {sheet.grid.measure} on {where}")
        return sheet.figure(key, places[0])

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
        own = {one.measure: one for one in self.results if (one.system.label, one.collection) == (label, place)}
        if not own:
            raise UsageError(f"{system!r} was not measured on {place.name}")
        found = own[measure_of(measure, list(own))]
        return dict(zip(found.ids, found.values.tolist(), strict=True))

    def tables(self, view: View | None = None, *, audit: bool = False) -> list[Table]:
        """Return the tables that `harness run` prints, with published numbers of the same models.

        Args:
            view: the columns, measures and names to show. Default: those of the command line.
            audit: add the tables of the audit and the controls.
        """
        from harness.result.stemming import notes, of_stored
        from leaderboards.anchors import anchors, anchors_table
        from reports.tables.run import audit_table, comparison_tables, controls_table
        from reports.view import PLAIN

        view = view or PLAIN
        found = comparison_tables(self.results, view)
        if published := anchors(self.results):
            stemming = notes(of_stored(one.stored for one in self.results))
            found.append(anchors_table(published, view.system, stemming))
        return [*found, audit_table(self.results, view), controls_table(self.results)] if audit else found

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

        return as_dict(self.results, self.skipped, view or PLAIN, self.evaluations)

    def frame(self) -> pd.DataFrame:
        """Return a frame with one row per system, collection, query and measure. Columns: system, collection, language,
        query, measure, value.

        Raises:
            MissingExtra: pandas is not installed.
        """
        pandas = need("pandas", "reports", "a frame")
        frame: pd.DataFrame = pandas.concat(map(pandas.DataFrame, map(_columns, self.results)), ignore_index=True)
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
        from harness.result.export import write_runs
        from reports.folder import write_report
        from reports.view import PLAIN

        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise class_of(error, UsageError)(f"{out}: the folder cannot be created ({error.strerror})") from None
        view = view or PLAIN
        write_report(folder, self.results, command, document=self.as_dict(view), skipped=self.skipped, view=view)
        write_runs(folder / "runs", self.evaluations)

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

        return write_mteb_results(Path(out), self.results)

    @cached_property
    def _systems(self) -> dict[str, SystemKey]:
        return {one.system.label: one.system for one in self.results}

    @cached_property
    def _collections(self) -> list[CollectionKey]:
        return list(dict.fromkeys(one.collection for one in self.results))

    @cached_property
    def _sheets(self) -> dict[str, Sheet]:
        return {}

    def _sheet(self, measure: str) -> Sheet:
        from reports.tables.run import sheet_of

        if measure not in self._sheets:
            self._sheets[measure] = sheet_of(self.results, measure)
        return self._sheets[measure]

    def _label(self, system: str) -> str:
        first = {key.first_stage: label for label, key in self._systems.items() if not key.reranker}
        return chosen("system", system, {**first, **{label: label for label in self._systems}})

    def _averaged(self, collection: str | None) -> list[CollectionKey]:
        if collection is None:
            return self._collections
        groups = [part for part in parts(self._collections) if len(part) > 1]
        known = [(one.name, [one.fingerprint], [one]) for one in self._collections]
        return named("collection", collection, [*known, *((str(part[0].group), [], part) for part in groups)])

    def _measures_of(self, collections: Sequence[CollectionKey]) -> list[str]:
        return list(dict.fromkeys(one.measure for one in self.results if one.collection in collections))


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


def _columns(one: Result) -> dict[str, object]:
    about = {"system": one.system.label, "collection": one.collection.name, "language": one.collection.language}
    return {**about, "query": list(one.ids), "measure": one.measure, "value": one.values.tolist()}

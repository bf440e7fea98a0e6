"""The result of `harness.compare`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.shown import Shown, listed, measure_of, named, short
from harness.judging.compare.comparison import Compared, MeasureComparison
from harness.judging.compare.comparison import ComparedSystems as Found
from harness.judging.compare.rows import Row
from harness.judging.compare.unjudged import Unjudged
from harness.measuring.statistics.difference import Difference
from harness.numbers import plural

if TYPE_CHECKING:
    from reports.table import Table
    from reports.view import View


@dataclass(frozen=True, repr=False, eq=False)
class Comparison(Shown):
    """The result of `harness.compare`. A notebook shows it as tables.

    Attributes:
        found: every figure of the comparison; the tables are made from them.
        unjudged: the bounds of the differences over all labels of unjudged documents; None if they were not asked for.
    """

    found: Found
    unjudged: Unjudged | None = None

    def __repr__(self) -> str:
        named = listed("candidate", self.candidates), listed("collection", self.collections), ", ".join(self.measures)
        return short("Comparison", f"baseline: {self.baseline!r}", *named, plural("alarm", len(self.alarms)))

    @property
    def baseline(self) -> str:
        """The name of the system that the others are compared with."""
        return self.found.baseline

    @property
    def candidates(self) -> list[str]:
        """The names of the systems that are compared with the baseline."""
        return list(dict.fromkeys(one.system for measured in self.found.measures for one in measured.candidates))

    @property
    def collections(self) -> list[str]:
        """The names of the collections that all systems were measured on."""
        rows = (row for measured in self.found.measures for row in measured.candidates[0].collections)
        return list({row.parts[0].fingerprint: row.name for row in rows}.values())

    @property
    def measures(self) -> list[str]:
        """The names of the measures."""
        return [one.measure for one in self.found.measures]

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines about what was left out or chosen, and what is declared for the collections."""
        return self.found.notes

    @property
    def alarms(self) -> tuple[str, ...]:
        """The alarms that were raised when the systems were evaluated."""
        return self.found.alarms

    def value(self, system: str, collection: str | None = None, measure: str | None = None) -> float:
        """Return the value of the baseline or of a candidate.

        Args:
            system: the baseline, a name in `candidates`, or at least 6 digits of the id of one of its evaluations.
            collection: a name in `collections`, a group, or at least 6 digits of a fingerprint. Default: the macro
                average over all of them.
            measure: a name in `measures`. Default: the only one.

        Returns:
            A fraction.

        Raises:
            HarnessError: a name is unknown or left out where there are several.

        Examples:
            >>> import harness
            >>> _ = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
            >>> comparison = harness.compare("bm25 (first stage)", "control:oracle")
            >>> round(comparison.value("bm25 (first stage)"), 4), round(comparison.value("control:oracle"), 4)
            (0.6066, 0.764)
        """
        one, own = self._side(system, measure)
        row = _row(one, collection)
        return row.candidate if own else row.baseline

    def values(self, system: str, collection: str | None = None, measure: str | None = None) -> dict[str, float]:
        """Return the values of the baseline or of a candidate, query by query.

        Args:
            system, measure: as in `value`.
            collection: a name in `collections`. Default: the only one.

        Returns:
            A fraction for each query id; for p-MRR, a fraction for each question.

        Raises:
            HarnessError: a name is unknown or left out where there are several.
        """
        one, own = self._side(system, measure)
        (part,) = named("collection", collection, _collections(one)).parts
        values = part.candidate if own else part.baseline
        return dict(zip(part.queries, values.tolist(), strict=True))

    def difference(
        self, candidate: str | None = None, collection: str | None = None, measure: str | None = None
    ) -> Difference:
        """Return the difference between a candidate and the baseline, with its test.

        Args:
            candidate: a name in `candidates`. Default: the only one.
            collection, measure: as in `value`.

        Returns:
            A `Difference`: `value` and `interval` (95 %) as fractions, `p`, `adjusted_p`, `family` (the number of
            differences that p is corrected over) and `significant`.

        Raises:
            HarnessError: a name is unknown or left out where there are several.

        Examples:
            >>> import harness
            >>> _ = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
            >>> difference = harness.compare("bm25 (first stage)", "control:oracle").difference()
            >>> round(difference.value, 4), difference.significant
            (0.1574, True)
        """
        known = [(one.system, _ids(one), one) for one in self._measured(measure).candidates]
        return _row(named("candidate", candidate, known), collection).difference

    def tables(self, view: View | None = None) -> list[Table]:
        """Return the tables that `harness compare` prints. With bounds, the first sentence says whether the sign of the
        difference is settled.

        Args:
            view: the columns, measures and names to show. Default: those of the command line.
        """
        from reports.tables.compare import compared_tables
        from reports.tables.unjudged import unjudged_tables
        from reports.view import PLAIN

        shown = view or PLAIN
        of_bounds = (
            [] if self.unjudged is None else unjudged_tables(self.unjudged, list(map(shown.system, self._labels)))
        )
        return [*of_bounds, *compared_tables(self.found, shown)]

    def as_dict(self, view: View | None = None) -> dict[str, object]:
        """Return everything as `harness compare --json` prints it. Values are fractions.

        Args:
            view: adds its display names, if it has any.
        """
        from reports.tables.compare_values import as_dict
        from reports.tables.unjudged import as_dict as bounds
        from reports.view import PLAIN

        of_bounds = {} if self.unjudged is None else {"unjudged": bounds(self.unjudged)}
        return {**as_dict(self.found, view or PLAIN), **of_bounds}

    @property
    def _labels(self) -> list[str]:
        return [] if self.unjudged is None else [pair.candidate for pair in self.unjudged.pairs]

    def _measured(self, measure: str | None) -> MeasureComparison:
        return {one.measure: one for one in self.found.measures}[measure_of(measure, self.measures)]

    def _side(self, system: str, measure: str | None) -> tuple[Compared, bool]:
        """Return the comparison of a candidate, and whether `system` is that candidate; False for the baseline."""
        candidates = self._measured(measure).candidates
        known = [(one.system, _ids(one), (one, True)) for one in candidates]
        first = candidates[0]
        ids = [id for part in first.macro.parts for id in part.baseline_id.split(",")]
        return named("system", system, [(self.baseline, ids, (first, False)), *known])


def _row(one: Compared, collection: str | None) -> Row:
    if collection is None:
        return one.macro
    groups = [(row.name, list[str](), row) for row in one.groups]
    return named("collection", collection, [*_collections(one), *groups])


def _collections(one: Compared) -> list[tuple[str, list[str], Row]]:
    return [(row.name, [row.parts[0].fingerprint], row) for row in one.collections]


def _ids(one: Compared) -> list[str]:
    return [id for part in one.macro.parts for id in part.candidate_id.split(",")]
